//! How sure the edge is that no person made a request, and why. One weak sign makes nobody a program; several do.

use super::user_agent::AgentFamily;
use super::{RequestTraits, user_agent};

/// The score of what is certainly no person.
const CERTAIN: u8 = 100;

/// Providers that rent machines, by a part of the name that their networks have, in lower case. People do not browse from
/// there, but some of their companies' networks go out through them.
const DATA_CENTERS: &[&str] = &[
    "amazon",
    "google cloud",
    "microsoft azure",
    "digitalocean",
    "hetzner",
    "ovh",
    "linode",
    "akamai connected cloud",
    "oracle",
    "alibaba",
    "tencent",
    "scaleway",
    "vultr",
    "choopa",
    "contabo",
    "leaseweb",
    "m247",
    "datacamp",
];

/// A score with what it rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BotScore {
    /// 0 to 100.
    pub score: u8,
    /// A word for each sign.
    pub reasons: Vec<String>,
}

/// Scores a request.
#[must_use]
pub fn score(traits: &RequestTraits<'_>, agent: &AgentFamily) -> BotScore {
    let text = user_agent::beginning(traits.user_agent.unwrap_or_default());
    let is_browser = text.starts_with("Mozilla/") || text.starts_with("Opera/");
    // Every browser since 2023 sends them, with every request.
    let lacks_fetch_metadata = is_browser && traits.fetch_site.is_none();
    let hints_disagree = traits
        .hints
        .os()
        .is_some_and(|hinted| agent.os != "other" && !is_same_system(hinted, agent.os));
    let is_headless = text.contains("Headless") || traits.hints.is_headless();
    let mut bot = BotScore::default();
    for (holds, weight, reason) in [
        (agent.is_program, CERTAIN, "user_agent"),
        (traits.verified_bot, CERTAIN, "verified_bot"),
        (text.is_empty(), 60, "no_user_agent"),
        (!text.is_empty() && !is_browser, 60, "no_browser"),
        (is_headless, 30, "headless"),
        (traits.language.is_none(), 20, "no_language"),
        (lacks_fetch_metadata, 20, "no_fetch_metadata"),
        (hints_disagree, 30, "hints_disagree"),
        (is_data_center(traits.network), 30, "data_center"),
    ] {
        if holds {
            bot.add(weight, reason);
        }
    }
    if let Some(human) = traits.human_score.filter(|score| *score < 30) {
        bot.add(CERTAIN.saturating_sub(human), "platform");
    }
    bot
}

impl BotScore {
    fn add(&mut self, weight: u8, reason: &str) {
        self.score = self.score.saturating_add(weight).min(CERTAIN);
        self.reasons.push(reason.to_owned());
    }
}

/// Browsers that ask for a desktop's pages on Android say that they run on Linux; iPads say that they are Macs.
fn is_same_system(hinted: &str, named: &str) -> bool {
    hinted == named
        || matches!(
            (hinted, named),
            ("Android", "Linux") | ("iOS", "iPadOS" | "macOS")
        )
}

fn is_data_center(network: Option<&str>) -> bool {
    let network = network.unwrap_or_default().to_ascii_lowercase();
    DATA_CENTERS.iter().any(|name| network.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::client_hints::ClientHints;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

    fn person() -> RequestTraits<'static> {
        RequestTraits {
            user_agent: Some(CHROME),
            language: Some("de"),
            fetch_site: Some("same-site"),
            ..RequestTraits::default()
        }
    }

    fn scored(traits: &RequestTraits<'_>) -> (u8, Vec<String>) {
        let agent = user_agent::read(traits.user_agent.unwrap_or_default());
        let BotScore { score, reasons } = score(traits, &agent);
        (score, reasons)
    }

    fn reasons(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn person_has_no_score_and_no_reasons() {
        assert_eq!(scored(&person()), (0, Vec::new()));
    }

    #[test]
    fn each_sign_has_its_weight_and_reason() {
        let windows = ClientHints {
            platform: Some("\"Linux\""),
            ..ClientHints::default()
        };
        for (traits, score, reason) in [
            (
                RequestTraits {
                    user_agent: Some("Googlebot/2.1"),
                    ..person()
                },
                100,
                &["user_agent", "no_browser"][..],
            ),
            (
                RequestTraits {
                    verified_bot: true,
                    ..person()
                },
                100,
                &["verified_bot"],
            ),
            (
                RequestTraits {
                    user_agent: None,
                    ..person()
                },
                60,
                &["no_user_agent"],
            ),
            (
                RequestTraits {
                    user_agent: Some("shop-app/3"),
                    ..person()
                },
                60,
                &["no_browser"],
            ),
            (
                RequestTraits {
                    user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142.0.0.0"),
                    ..person()
                },
                30,
                &["headless"],
            ),
            (
                RequestTraits {
                    language: None,
                    ..person()
                },
                20,
                &["no_language"],
            ),
            (
                RequestTraits {
                    fetch_site: None,
                    ..person()
                },
                20,
                &["no_fetch_metadata"],
            ),
            (
                RequestTraits {
                    hints: windows,
                    ..person()
                },
                30,
                &["hints_disagree"],
            ),
            (
                RequestTraits {
                    network: Some("Hetzner Online GmbH"),
                    ..person()
                },
                30,
                &["data_center"],
            ),
            (
                RequestTraits {
                    human_score: Some(2),
                    ..person()
                },
                98,
                &["platform"],
            ),
            (
                RequestTraits {
                    human_score: Some(30),
                    ..person()
                },
                0,
                &[],
            ),
        ] {
            assert_eq!(scored(&traits), (score, reasons(reason)), "{traits:?}");
        }
    }

    #[test]
    fn weak_signs_add_up_to_no_more_than_certainty() {
        let traits = RequestTraits {
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142.0.0.0"),
            network: Some("Amazon.com"),
            ..RequestTraits::default()
        };
        let words = reasons(&[
            "headless",
            "no_language",
            "no_fetch_metadata",
            "data_center",
        ]);
        assert_eq!(scored(&traits), (100, words));
    }

    #[test]
    fn browser_that_asks_for_desktop_pages_is_no_contradiction() {
        let hints = ClientHints {
            platform: Some("\"Android\""),
            ..ClientHints::default()
        };
        let traits = RequestTraits {
            user_agent: Some(
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            ),
            hints,
            ..person()
        };
        assert_eq!(scored(&traits).0, 0);
    }
}
