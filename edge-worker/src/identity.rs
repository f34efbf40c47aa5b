//! The visitor's id in a first-party cookie that is set over HTTP: browsers that forget what scripts store after a week keep
//! it. The edge sets the id that the tracker sent, for all hosts of the shop, and only with consent; it makes none itself.

use crate::config::{IdentityCookie, ShopConfig};

/// The cookie's name: the tracker reads and writes the same.
pub const COOKIE: &str = "st_id";

const SECONDS_PER_DAY: u64 = 86_400;

/// What a batch says about keeping its visitor's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// Consent was given: this id may be kept.
    MayBeKept(String),
    /// Consent was refused or taken back: nothing may be kept.
    MustBeForgotten,
}

/// Returns the `Set-Cookie` header for a batch that a page of `origin` posted to `host`, if there is to be one.
#[must_use]
pub fn set_cookie(
    shop: &ShopConfig,
    origin: Option<&str>,
    host: Option<&str>,
    cookies: Option<&str>,
    visitor: Option<&Visitor>,
) -> Option<String> {
    let cookie = shop.identity_cookie.as_ref()?;
    if !is_within(host?, &cookie.domain) || !is_within(page_host(origin?)?, &cookie.domain) {
        return None;
    }
    match visitor? {
        Visitor::MayBeKept(id) => Some(written(cookie, id, max_age(cookie))),
        Visitor::MustBeForgotten => is_among(cookies?).then(|| written(cookie, "", 0)),
    }
}

fn written(cookie: &IdentityCookie, id: &str, max_age: u64) -> String {
    let domain = &cookie.domain;
    format!("{COOKIE}={id}; Domain={domain}; Path=/; Max-Age={max_age}; Secure; SameSite=Lax")
}

fn max_age(cookie: &IdentityCookie) -> u64 {
    u64::from(cookie.days).saturating_mul(SECONDS_PER_DAY)
}

/// The host of an origin, without its port.
fn page_host(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    authority.split(':').next()
}

/// Browsers refuse cookies for a domain that the host is not in, and a page elsewhere is another site's: its visitors have
/// ids of their own.
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_among(cookies: &str) -> bool {
    cookies
        .split(';')
        .filter_map(|cookie| cookie.split_once('='))
        .any(|(name, _)| name.trim() == COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shops;

    const PAGE: &str = "https://shop.example";

    fn shop() -> ShopConfig {
        let json = r#"[{"write_key":"k","shop_id":"s","origins":[],"identity_cookie":{"domain":"shop.example","days":30}}]"#;
        shops::read(json).unwrap().0.remove(0)
    }

    fn kept() -> Visitor {
        Visitor::MayBeKept("v-1".to_owned())
    }

    #[test]
    fn id_is_kept_for_all_hosts_of_the_shop() {
        let expected =
            "st_id=v-1; Domain=shop.example; Path=/; Max-Age=2592000; Secure; SameSite=Lax";
        for (origin, host) in [
            (PAGE, "shop.example"),
            ("https://www.shop.example", "shop.example"),
            ("https://checkout.shop.example:8443", "track.shop.example"),
        ] {
            let cookie = set_cookie(&shop(), Some(origin), Some(host), None, Some(&kept()));
            assert_eq!(cookie.as_deref(), Some(expected));
        }
    }

    #[test]
    fn nothing_is_set_for_another_domain_or_without_a_word_on_consent() {
        for host in [Some("other.example"), Some("evilshop.example"), None] {
            assert_eq!(
                set_cookie(&shop(), Some(PAGE), host, None, Some(&kept())),
                None
            );
        }
        let host = Some("shop.example");
        for origin in [
            Some("https://other.example"),
            Some("https://shop.example.evil.example"),
            Some("null"),
            None,
        ] {
            assert_eq!(set_cookie(&shop(), origin, host, None, Some(&kept())), None);
        }
        assert_eq!(set_cookie(&shop(), Some(PAGE), host, None, None), None);
        let without = ShopConfig {
            identity_cookie: None,
            ..shop()
        };
        assert_eq!(
            set_cookie(&without, Some(PAGE), host, None, Some(&kept())),
            None
        );
    }

    #[test]
    fn cookie_that_is_there_goes_when_consent_does() {
        let forget = |cookies| {
            set_cookie(
                &shop(),
                Some(PAGE),
                Some("shop.example"),
                cookies,
                Some(&Visitor::MustBeForgotten),
            )
        };
        let gone = "st_id=; Domain=shop.example; Path=/; Max-Age=0; Secure; SameSite=Lax";
        assert_eq!(forget(Some("a=1; st_id=v-1")).as_deref(), Some(gone));
        assert_eq!(forget(Some("a=1; other_st_id=v-1")), None);
        assert_eq!(forget(None), None);
    }
}
