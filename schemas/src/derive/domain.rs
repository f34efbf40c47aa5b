//! Registrable domains by the public suffix list: `shop.example` and `checkout.shop.example` belong together, two shops
//! below `co.uk` or `myshopify.com` do not.

use super::rules::covers;
use super::sorted;

/// The list's rules of two labels and its wildcards, in the order of bytes; see `data/README.md`.
const SUFFIXES: &str = include_str!("../../data/public_suffixes.txt");

/// Returns the registrable domain of a host in lower case; the host itself where it is an address, a name without dots, or
/// a public suffix.
pub(super) fn registrable(host: &str) -> &str {
    let is_address = host.contains(':')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_address {
        return host;
    }
    // From the longest ending to the shortest: the longest rule counts.
    let mut domain = host;
    for ending in endings(host) {
        if is_public_suffix(ending) {
            return domain;
        }
        domain = ending;
    }
    domain
}

/// Whether two hosts belong to the same owner.
pub(super) fn same_owner(one: &str, other: &str) -> bool {
    !one.is_empty() && (one == other || covers(registrable(one), other))
}

/// Returns a host and everything that is left when its first labels go.
fn endings(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| {
        host.split_once('.').map(|(_, rest)| rest)
    })
}

/// Whether names below this one belong to different owners, as below `co.uk`: browsers take no cookie for all of them.
#[must_use]
pub fn is_public_suffix(name: &str) -> bool {
    let Some((_, above)) = name.split_once('.') else {
        // A top-level domain, known or not.
        return true;
    };
    let is_listed = |prefix, name| sorted::find(SUFFIXES, prefix, name).is_some();
    !is_listed("!", name) && (is_listed("", name) || is_listed("*.", above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_in_the_order_of_bytes() {
        let lines: Vec<&str> = SUFFIXES.lines().collect();
        assert!(lines.len() > 4_000);
        assert!(lines.is_sorted());
        assert!(
            lines
                .iter()
                .all(|line| line.is_ascii() && line.contains('.'))
        );
    }

    #[test]
    fn every_rule_of_the_list_is_found() {
        for line in SUFFIXES.lines() {
            assert!(sorted::find(SUFFIXES, "", line).is_some(), "{line}");
        }
    }

    #[test]
    fn domains_are_cut_below_their_public_suffix() {
        for (host, domain) in [
            ("shop.example", "shop.example"),
            ("a.b.shop.example", "shop.example"),
            ("www.shop.co.uk", "shop.co.uk"),
            ("shop.myshopify.com", "shop.myshopify.com"),
            ("x.shop.myshopify.com", "shop.myshopify.com"),
            ("myshopify.com", "myshopify.com"),
            ("user.github.io", "user.github.io"),
            ("a.b.ck", "a.b.ck"),
            ("x.a.b.ck", "a.b.ck"),
            ("a.www.ck", "www.ck"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("co.uk", "co.uk"),
            ("", ""),
            ("com.google.android.gm", "android.gm"),
        ] {
            assert_eq!(registrable(host), domain, "{host}");
        }
    }

    #[test]
    fn owners_are_told_apart() {
        assert!(same_owner("shop.example", "checkout.shop.example"));
        assert!(same_owner("checkout.shop.example", "shop.example"));
        assert!(!same_owner("one.myshopify.com", "two.myshopify.com"));
        assert!(!same_owner("one.co.uk", "two.co.uk"));
        assert!(!same_owner("", ""));
        assert!(same_owner("127.0.0.1", "127.0.0.1"));
    }
}
