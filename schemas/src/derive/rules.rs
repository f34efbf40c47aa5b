//! What shops add to the rules: their other hosts, their payment providers, their own sources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What shops add to the rules: what holds for all of them, and what a single one adds to that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    common: ShopRules,
    /// The rules of shops that have some of their own, the common ones among them.
    shops: Vec<(String, ShopRules)>,
}

/// Additions to the rules, as a JSON object. Hosts stand for themselves and everything below them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopRules {
    /// Other hosts of the shop, such as a checkout's: coming from there is no new visit.
    pub own_hosts: Vec<String>,
    /// Payment providers beyond those that are known: coming back from there is no new visit.
    pub payment_hosts: Vec<String>,
    /// What kind of place a source is, by host or by the value of `utm_source`; goes before what is known.
    pub sources: BTreeMap<String, SourceCategory>,
}

/// The kind of place that visitors come from, by GA4's source categories; `email` is for a shop's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceCategory {
    /// A search engine.
    Search,
    /// A social network.
    Social,
    /// A place to compare and buy.
    Shopping,
    /// A place to watch videos.
    Video,
    /// A mail program or its website.
    Email,
}

impl Rules {
    /// Puts together what holds for every shop and what single shops add to it. Of a source that both name, the shop's own
    /// category holds.
    #[must_use]
    pub fn new(common: ShopRules, own: Vec<(String, ShopRules)>) -> Self {
        let mut shops = own;
        for (_, own) in &mut shops {
            own.own_hosts.extend_from_slice(&common.own_hosts);
            own.payment_hosts.extend_from_slice(&common.payment_hosts);
            for (source, category) in &common.sources {
                if !own.sources.contains_key(source) {
                    own.sources.insert(source.clone(), *category);
                }
            }
        }
        Self { common, shops }
    }

    /// Returns the rules that hold for a shop.
    #[must_use]
    pub fn of(&self, shop_id: &str) -> &ShopRules {
        let own = self.shops.iter().find(|(id, _)| id == shop_id);
        own.map_or(&self.common, |(_, rules)| rules)
    }

    /// Returns the shops that have rules of their own.
    pub fn shops(&self) -> impl Iterator<Item = &str> {
        self.shops.iter().map(|(shop_id, _)| shop_id.as_str())
    }
}

impl ShopRules {
    /// Returns the category that the shop gave a source or a host.
    pub(super) fn category(&self, source: &str) -> Option<SourceCategory> {
        let given = self.sources.iter();
        given
            .filter(|(host, _)| covers(host, source))
            .max_by_key(|(host, _)| host.len())
            .map(|(_, category)| *category)
    }
}

/// Whether a host is another one or lies below it.
pub(super) fn covers(above: &str, host: &str) -> bool {
    let above = above.strip_prefix("www.").unwrap_or(above);
    let Some(rest) = host.len().checked_sub(above.len()) else {
        return false;
    };
    let Some((below, same)) = host.split_at_checked(rest) else {
        return false;
    };
    !above.is_empty()
        && same.eq_ignore_ascii_case(above)
        && (below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_covers_itself_and_what_lies_below() {
        for (above, host, expected) in [
            ("paypal.com", "paypal.com", true),
            ("www.PayPal.com", "checkout.paypal.com", true),
            ("paypal.com", "notpaypal.com", false),
            ("paypal.com", "com", false),
            ("", "paypal.com", false),
            ("ä.example", "x.ä.example", true),
        ] {
            assert_eq!(covers(above, host), expected, "{above} {host}");
        }
    }

    #[test]
    fn longest_source_of_the_shop_goes_first() {
        let rules: ShopRules = serde_json::from_str(
            r#"{"sources":{"partner.example":"shopping","mail.partner.example":"email","newsletter":"email"}}"#,
        )
        .unwrap();
        assert_eq!(
            rules.category("a.partner.example"),
            Some(SourceCategory::Shopping)
        );
        assert_eq!(
            rules.category("mail.partner.example"),
            Some(SourceCategory::Email)
        );
        assert_eq!(rules.category("newsletter"), Some(SourceCategory::Email));
        assert_eq!(rules.category("other.example"), None);
    }

    #[test]
    fn unknown_rule_is_an_error_and_not_ignored() {
        assert!(serde_json::from_str::<ShopRules>(r#"{"own_host":["a"]}"#).is_err());
        assert_eq!(
            serde_json::from_str::<ShopRules>("{}").unwrap(),
            ShopRules::default()
        );
    }

    #[test]
    fn shop_has_the_common_rules_and_its_own_and_nobody_elses() {
        let rules = |json: &str| serde_json::from_str::<ShopRules>(json).unwrap();
        let common =
            rules(r#"{"own_hosts":["group.example"],"sources":{"a":"search","b":"search"}}"#);
        let own = rules(
            r#"{"own_hosts":["pay.a.example"],"payment_hosts":["bank.example"],"sources":{"b":"email"}}"#,
        );
        let all = Rules::new(common.clone(), vec![("a".to_owned(), own)]);
        let expected = rules(
            r#"{"own_hosts":["pay.a.example","group.example"],"payment_hosts":["bank.example"],
                "sources":{"a":"search","b":"email"}}"#,
        );
        assert_eq!(*all.of("a"), expected);
        assert_eq!(*all.of("b"), common);
        assert_eq!(all.shops().collect::<Vec<_>>(), ["a"]);
    }
}
