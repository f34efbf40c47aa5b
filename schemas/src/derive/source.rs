//! What kind of place a source is: by GA4's source categories, and by a list of what GA4 does not tell apart.

use super::ReferrerKind;
use super::domain::registrable;
use super::rules::ShopRules;
use super::sorted;

/// GA4's source categories; see `data/README.md`.
const GA4: &str = include_str!("../../data/source_categories.csv");
/// Hosts that GA4's list lacks, and those of mail, payment and sign-in, which go before it.
const ADDITIONAL: &str = include_str!("../../data/additional_sources.csv");

/// Names below a search engine's domain that search. Others are its mail, its documents, its shop.
const SEARCHING: [&str; 9] = [
    "search", "m", "images", "image", "html", "lite", "r", "espanol", "malaysia",
];

/// Returns the kind of a source as a campaign names it (`google`, `fb`), or of a host.
pub(super) fn kind(source: &str, rules: &ShopRules) -> Option<ReferrerKind> {
    let source = source.strip_prefix("www.").unwrap_or(source);
    let given = rules.category(source).map(ReferrerKind::from);
    given.or_else(|| listed(source)).or_else(|| above(source))
}

/// Returns the kind of an app by its name.
pub(super) fn of_app(name: &str, rules: &ShopRules) -> Option<ReferrerKind> {
    rules
        .category(name)
        .map(ReferrerKind::from)
        .or_else(|| listed(name))
}

fn listed(name: &str) -> Option<ReferrerKind> {
    let find = |list| sorted::find(list, b'\n', "", name);
    ReferrerKind::from_name(find(ADDITIONAL).or_else(|| find(GA4))?)
}

/// Returns the kind of the domain that a host lies below.
fn above(host: &str) -> Option<ReferrerKind> {
    let domain = registrable(host);
    let mut rest = host;
    while let Some((_, shorter)) = rest.split_once('.') {
        if rest == domain {
            break;
        }
        rest = shorter;
        let kind = listed(rest).or_else(|| google(rest, domain));
        if let Some(kind) = kind {
            let below = host.strip_suffix(rest).unwrap_or_default();
            return Some(kind).filter(|kind| *kind != ReferrerKind::Search || searches(below));
        }
    }
    google(host, domain)
}

/// Google has a domain in most countries.
fn google(host: &str, domain: &str) -> Option<ReferrerKind> {
    let is_google = host == domain
        && domain.strip_prefix("google.").is_some_and(|suffix| {
            suffix == "com" || suffix.len() == 2 || suffix.starts_with("co") && suffix.len() <= 6
        });
    is_google.then_some(ReferrerKind::Search)
}

/// Whether all that stands before a search engine's domain are places to search, or countries.
fn searches(below: &str) -> bool {
    let mut labels = below.split_terminator('.');
    labels.all(|label| label.len() == 2 || SEARCHING.contains(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str) -> Option<&'static str> {
        kind(source, &ShopRules::default()).map(ReferrerKind::as_str)
    }

    #[test]
    fn lists_are_in_order_and_know_every_kind() {
        for list in [GA4, ADDITIONAL] {
            let names: Vec<&str> = list
                .lines()
                .filter_map(|line| line.split(',').next())
                .collect();
            assert!(names.is_sorted());
            for line in list.lines() {
                let (name, category) = line.split_once(',').unwrap();
                assert!(ReferrerKind::from_name(category).is_some(), "{line}");
                assert!(listed(name).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn sources_have_their_kind() {
        for (source, expected) in [
            ("google", Some("search")),
            ("google.de", Some("search")),
            ("google.co.uk", Some("search")),
            ("google.com.br", Some("search")),
            ("images.google.de", Some("search")),
            ("de.search.yahoo.com", Some("search")),
            ("cn.bing.com", Some("search")),
            ("fb", Some("social")),
            ("ig", Some("social")),
            ("m.facebook.com", Some("social")),
            ("l.instagram.com", Some("social")),
            ("youtube.com", Some("video")),
            ("mail.google.com", Some("email")),
            ("mail.yahoo.com", Some("email")),
            ("checkout.paypal.com", Some("payment")),
            ("checkout.stripe.com", Some("payment")),
            ("pay.google.com", Some("payment")),
            ("accounts.google.com", Some("sign_in")),
            ("docs.google.com", None),
            ("google.evil.example", None),
            ("notgoogle.com", None),
            ("blog.example", None),
            ("", None),
        ] {
            assert_eq!(named(source), expected, "{source}");
        }
    }

    #[test]
    fn shops_own_sources_go_first() {
        let rules: ShopRules =
            serde_json::from_str(r#"{"sources":{"google.com":"email"}}"#).unwrap();
        assert_eq!(kind("google.com", &rules), Some(ReferrerKind::Email));
        assert_eq!(kind("google.de", &rules), Some(ReferrerKind::Search));
    }
}
