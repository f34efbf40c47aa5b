//! Registrable domains by the public suffix list: `shop.example` and `checkout.shop.example` belong together, two shops
//! below `co.uk` or `myshopify.com` do not.

use std::sync::LazyLock;

use super::rules::covers;
use super::sorted;

/// The list's rules of two labels and its wildcards; see `data/README.md`. A line begins with a top-level domain and has the
/// rules below it, which saves a fifth of the compressed bytes. Lines and rules are in the order of bytes.
static SUFFIXES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../../data/public_suffixes.txt")
        .lines()
        .collect()
});

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
    let Some((below, top)) = name.rsplit_once('.') else {
        // A top-level domain, known or not.
        return true;
    };
    let rules = rules_below(top);
    let is_listed = |prefix, name| sorted::find(rules, b' ', prefix, name).is_some();
    let is_below_a_wildcard = match below.split_once('.') {
        Some((_, above)) => is_listed("*.", above),
        None => is_listed("*", ""),
    };
    !is_listed("!", below) && (is_below_a_wildcard || is_listed("", below))
}

/// Returns the rules for names below a top-level domain.
fn rules_below(top: &str) -> &'static str {
    let line = SUFFIXES.partition_point(|line| first(line) < top);
    let line = SUFFIXES.get(line).and_then(|line| line.strip_prefix(top));
    line.and_then(|rest| rest.strip_prefix(' '))
        .unwrap_or_default()
}

/// Returns the top-level domain that a line begins with.
fn first(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(top, _)| top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_in_the_order_of_bytes() {
        let tops: Vec<&str> = SUFFIXES.iter().map(|line| first(line)).collect();
        assert!(tops.is_sorted_by(|one, next| one < next));
        let rules = |line: &str| line.split(' ').skip(1).map(str::to_owned).collect();
        let rules: Vec<Vec<String>> = SUFFIXES.iter().map(|line| rules(line)).collect();
        assert!(rules.iter().all(|rules| rules.is_sorted()));
        assert!(rules.iter().flatten().all(|rule| rule.is_ascii()));
        assert!(rules.concat().len() > 4_000);
    }

    #[test]
    fn every_rule_of_the_list_is_found() {
        for line in SUFFIXES.iter() {
            let top = first(line);
            for rule in line.split(' ').skip(1) {
                assert!(sorted::find(rules_below(top), b' ', "", rule).is_some());
                let (expected, name) = match rule.strip_prefix('!') {
                    Some(exception) => (false, exception.to_owned()),
                    None => (true, rule.replace('*', "any")),
                };
                assert_eq!(is_public_suffix(&format!("{name}.{top}")), expected);
            }
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
