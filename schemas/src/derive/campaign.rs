//! The campaign that an address names: UTM parameters, and the click ids that platforms append.

use crate::address::{Address, decode};
use crate::limits::MAX_TEXT;

/// What an address says about the campaign it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Campaign {
    pub source: Option<String>,
    pub medium: Option<String>,
    pub name: Option<String>,
    pub term: Option<String>,
    pub content: Option<String>,
    pub click_id: Option<String>,
    pub click_id_kind: Option<&'static str>,
}

/// A click id: the parameter, and the source and medium that it stands for where the address names none.
struct ClickId {
    name: &'static str,
    source: &'static str,
    medium: Option<&'static str>,
}

const UTM: [&str; 5] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
];

/// The known click ids; the first found counts. Those without a medium are on links that nobody paid for, too.
const CLICK_IDS: [ClickId; 14] = [
    paid("gclid", "google", "cpc"),
    paid("gbraid", "google", "cpc"),
    paid("wbraid", "google", "cpc"),
    paid("dclid", "google", "display"),
    paid("msclkid", "bing", "cpc"),
    paid("ttclid", "tiktok", "cpc"),
    paid("twclid", "twitter", "cpc"),
    paid("yclid", "yandex", "cpc"),
    paid("sccid", "snapchat", "cpc"),
    paid("rdt_cid", "reddit", "cpc"),
    seen("fbclid", "facebook"),
    seen("igshid", "instagram"),
    seen("li_fat_id", "linkedin"),
    seen("epik", "pinterest"),
];

const fn paid(name: &'static str, source: &'static str, medium: &'static str) -> ClickId {
    ClickId {
        name,
        source,
        medium: Some(medium),
    }
}

const fn seen(name: &'static str, source: &'static str) -> ClickId {
    ClickId {
        name,
        source,
        medium: None,
    }
}

/// Whether a parameter belongs to a campaign.
pub(crate) fn is_campaign_parameter(name: &str) -> bool {
    let known = UTM.into_iter().chain(CLICK_IDS.iter().map(|id| id.name));
    known
        .into_iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Reads the campaign of an address.
pub(super) fn read(page: &Address<'_>) -> Campaign {
    let mut campaign = Campaign::default();
    let mut best = CLICK_IDS.len();
    for (name, value) in page.parameters().filter(|(_, value)| !value.is_empty()) {
        if let Some(utm) = campaign.utm(name) {
            let text = text(value);
            if utm.is_none() && !text.is_empty() {
                *utm = Some(text);
            }
        } else if let Some((rank, id)) = click_id(name).filter(|(rank, _)| *rank < best) {
            best = rank;
            campaign.click_id = Some(text(value));
            campaign.click_id_kind = Some(id.name);
        }
    }
    if !campaign.is_tagged()
        && let Some(id) = CLICK_IDS.get(best)
    {
        campaign.source = Some(id.source.to_owned());
        campaign.medium = id.medium.map(str::to_owned);
    }
    campaign
}

impl Campaign {
    /// Whether it says where the shopper came from.
    pub(super) const fn is_tagged(&self) -> bool {
        self.source.is_some() || self.medium.is_some()
    }

    /// Returns the place of a UTM parameter's value.
    fn utm(&mut self, name: &str) -> Option<&mut Option<String>> {
        let position = UTM
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))?;
        Some(match position {
            0 => &mut self.source,
            1 => &mut self.medium,
            2 => &mut self.name,
            3 => &mut self.term,
            _ => &mut self.content,
        })
    }
}

fn click_id(name: &str) -> Option<(usize, &'static ClickId)> {
    let mut ids = CLICK_IDS.iter().enumerate();
    ids.find(|(_, id)| id.name.eq_ignore_ascii_case(name))
}

fn text(value: &str) -> String {
    decode(value).trim().chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    fn campaign(url: &str) -> Campaign {
        read(&address::parse(url).unwrap())
    }

    #[test]
    fn utm_parameters_are_read_wherever_they_stand() {
        for url in [
            "https://a/?utm_source=news&amp;utm_medium=email&amp;utm_campaign=nov",
            "https://a/#/sale?utm_source=news&utm_medium=email&utm_campaign=nov",
            "https://a/#utm_source=news&utm_medium=email&utm_campaign=nov",
            "https://a/?UTM_Source=news&utm_medium=+email&utm_campaign=nov&utm_source=second",
        ] {
            let campaign = campaign(url);
            assert_eq!(campaign.source.as_deref(), Some("news"), "{url}");
            assert_eq!(campaign.medium.as_deref(), Some("email"), "{url}");
            assert_eq!(campaign.name.as_deref(), Some("nov"), "{url}");
        }
        let rest = campaign("https://a/?utm_term=mugs&utm_content=top");
        assert_eq!(
            (rest.term.as_deref(), rest.content.as_deref()),
            (Some("mugs"), Some("top"))
        );
    }

    #[test]
    fn click_id_names_source_and_medium_where_nothing_else_does() {
        let google = campaign("https://a/?fbclid=f&gclid=g&gclid=h");
        assert_eq!(
            (google.click_id.as_deref(), google.click_id_kind),
            (Some("g"), Some("gclid"))
        );
        assert_eq!(
            (google.source.as_deref(), google.medium.as_deref()),
            (Some("google"), Some("cpc"))
        );
        let facebook = campaign("https://a/?fbclid=f");
        assert_eq!(
            (facebook.source.as_deref(), facebook.medium),
            (Some("facebook"), None)
        );
        let tagged = campaign("https://a/?gclid=g&utm_source=shop");
        assert_eq!(
            (tagged.source.as_deref(), tagged.medium),
            (Some("shop"), None)
        );
        assert_eq!(tagged.click_id_kind, Some("gclid"));
    }

    #[test]
    fn empty_parameters_name_nothing() {
        assert_eq!(
            campaign("https://a/?utm_source=&utm_medium=%20&gclid="),
            Campaign::default()
        );
    }
}
