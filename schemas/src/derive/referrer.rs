//! Where a shopper came from, as the browser says.

use serde::{Deserialize, Serialize};

use super::domain::same_owner;
use super::rules::{ShopRules, SourceCategory, covers};
use super::source;
use crate::address;

/// What kind of place a referrer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferrerKind {
    /// There is none.
    None,
    /// The shop itself, on this or another of its hosts.
    Own,
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
    /// A payment provider: the shopper comes back from paying.
    Payment,
    /// An identity provider: the shopper comes back from signing in.
    SignIn,
    /// Any other site or app.
    Other,
}

impl ReferrerKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::Own,
        Self::Search,
        Self::Social,
        Self::Shopping,
        Self::Video,
        Self::Email,
        Self::Payment,
        Self::SignIn,
        Self::Other,
    ];

    /// Returns the kind as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::Search => "search",
            Self::Social => "social",
            Self::Shopping => "shopping",
            Self::Video => "video",
            Self::Email => "email",
            Self::Payment => "payment",
            Self::SignIn => "sign_in",
            Self::Other => "other",
        }
    }

    /// Returns the kind of that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether a visit can begin there: coming back from the shop's own hosts, from paying or from signing in is none.
    pub(super) const fn begins_a_visit(self) -> bool {
        !matches!(self, Self::None | Self::Own | Self::Payment | Self::SignIn)
    }
}

impl From<SourceCategory> for ReferrerKind {
    fn from(category: SourceCategory) -> Self {
        match category {
            SourceCategory::Search => Self::Search,
            SourceCategory::Social => Self::Social,
            SourceCategory::Shopping => Self::Shopping,
            SourceCategory::Video => Self::Video,
            SourceCategory::Email => Self::Email,
        }
    }
}

/// A referrer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Referrer {
    pub host: Option<String>,
    pub kind: ReferrerKind,
}

/// Reads a referrer's address; `page_host` is the host of the page it led to.
pub(super) fn read(url: Option<&str>, page_host: &str, rules: &ShopRules) -> Referrer {
    let Some(url) = url else {
        return Referrer {
            host: None,
            kind: ReferrerKind::None,
        };
    };
    let Some(address) = address::parse(url) else {
        return Referrer {
            host: None,
            kind: if url.is_empty() {
                ReferrerKind::None
            } else {
                ReferrerKind::Other
            },
        };
    };
    let kind = if is_app(url) {
        source::of_app(&address.host, rules).unwrap_or(ReferrerKind::Other)
    } else {
        kind(&address.host, page_host, rules)
    };
    Referrer {
        host: Some(address.host),
        kind,
    }
}

fn is_app(url: &str) -> bool {
    !url.get(..4)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
}

fn kind(host: &str, page_host: &str, rules: &ShopRules) -> ReferrerKind {
    let among = |hosts: &[String]| hosts.iter().any(|known| covers(known, host));
    if same_owner(page_host, host) || among(&rules.own_hosts) {
        ReferrerKind::Own
    } else if among(&rules.payment_hosts) {
        ReferrerKind::Payment
    } else {
        source::kind(host, rules).unwrap_or(ReferrerKind::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(url: &str) -> &'static str {
        let rules: ShopRules = serde_json::from_str(
            r#"{"own_hosts":["shop-checkout.example"],"payment_hosts":["bank.example"]}"#,
        )
        .unwrap();
        read(Some(url), "shop.example", &rules).kind.as_str()
    }

    #[test]
    fn kind_is_written_the_same_in_json_and_text() {
        for kind in ReferrerKind::ALL {
            assert_eq!(
                serde_json::to_value(kind).unwrap(),
                serde_json::json!(kind.as_str())
            );
        }
    }

    #[test]
    fn referrers_have_their_kind() {
        for (url, kind) in [
            ("", "none"),
            ("about:blank", "other"),
            ("https://www.shop.example/cart", "own"),
            ("https://checkout.shop.example/", "own"),
            ("https://pay.shop-checkout.example/", "own"),
            ("https://3ds.bank.example/", "payment"),
            ("https://www.paypal.com/checkoutnow", "payment"),
            ("https://accounts.google.com/", "sign_in"),
            ("https://www.google.de/", "search"),
            (
                "android-app://com.google.android.googlequicksearchbox/",
                "search",
            ),
            ("android-app://com.google.android.gm/", "email"),
            ("android-app://com.example.app/", "other"),
            ("https://blog.example/", "other"),
        ] {
            assert_eq!(kind_of(url), kind, "{url}");
        }
        assert_eq!(
            read(None, "shop.example", &ShopRules::default()).kind,
            ReferrerKind::None
        );
    }

    #[test]
    fn host_is_in_lower_case_without_www() {
        let referrer = read(
            Some("https://WWW.Google.com:443/x"),
            "shop.example",
            &ShopRules::default(),
        );
        assert_eq!(referrer.host.as_deref(), Some("google.com"));
    }
}
