//! What an address says: path, host and campaign.

use url::Url;

/// The parts of a page's address that silver keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Path without query, at least `/`.
    pub path: String,
    /// Host without port and without a leading `www.`.
    pub host: Option<String>,
    /// `utm_source`.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// Whether the address carries an advertiser's click id (`gclid`, `msclkid`, …).
    pub paid_click: bool,
}

/// Click ids that advertisers append to the addresses of paid clicks.
const PAID_CLICK_IDS: [&str; 5] = ["gclid", "gbraid", "wbraid", "msclkid", "ttclid"];

impl Page {
    /// Reads an address; one that is not a URL has the path `/` and nothing else.
    pub fn read(address: &str) -> Self {
        let Ok(url) = Url::parse(address) else {
            return Self {
                path: "/".to_owned(),
                ..Self::default()
            };
        };
        let parameter = |name: &str| {
            url.query_pairs()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.into_owned())
        };
        Self {
            path: url.path().to_owned(),
            host: host(&url),
            source: parameter("utm_source"),
            medium: parameter("utm_medium"),
            campaign: parameter("utm_campaign"),
            paid_click: url
                .query_pairs()
                .any(|(key, _)| PAID_CLICK_IDS.contains(&key.as_ref())),
        }
    }
}

/// The host of an address without a leading `www.`.
pub fn host_of(address: &str) -> Option<String> {
    host(&Url::parse(address).ok()?)
}

fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_gives_path_host_and_campaign() {
        let page = Page::read(
            "https://www.shop.example/p/1?utm_source=news%20letter&utm_medium=email&utm_campaign=",
        );
        assert_eq!(page.path, "/p/1");
        assert_eq!(page.host.as_deref(), Some("shop.example"));
        assert_eq!(
            (page.source.as_deref(), page.medium.as_deref()),
            (Some("news letter"), Some("email"))
        );
        assert_eq!(page.campaign, None);
        assert!(!page.paid_click);
        assert!(Page::read("https://shop.example/?gclid=x").paid_click);
    }

    #[test]
    fn text_that_is_no_address_has_the_root_path() {
        assert_eq!(Page::read("nonsense").path, "/");
        assert_eq!(host_of("nonsense"), None);
    }
}
