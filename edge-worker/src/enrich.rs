//! Enrichment: what the edge knows about a request and the client does not say. Never the address it came from.

use shoptrail_schemas::{Edge, SCHEMA_VERSION};

pub mod bot;
pub mod client_hints;
pub mod programs;
pub mod user_agent;

use bot::BotScore;
use client_hints::ClientHints;

/// Where a request came from, as far as the platform says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Geography {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The first-level region's name.
    pub region: Option<String>,
    /// The city's name.
    pub city: Option<String>,
}

/// What a request shows of the program that made it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestTraits<'a> {
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// What Chromium's browsers say beside it.
    pub hints: ClientHints<'a>,
    /// `Accept-Language`.
    pub language: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// The name of the network that the request came from.
    pub network: Option<&'a str>,
    /// What Cloudflare's Bot Management says, where the account has it: 1 a program, 99 a person.
    pub human_score: Option<u8>,
    /// Whether the browser sent `Sec-GPC: 1`.
    pub gpc: bool,
    /// Whether Cloudflare knows it as a well-behaved program.
    pub verified_bot: bool,
}

/// Describes one request for all of its events.
#[must_use]
pub fn enrich(
    shop_id: &str,
    received_at: i64,
    traits: &RequestTraits<'_>,
    geography: Geography,
) -> Edge {
    let agent = user_agent::read(traits.user_agent.unwrap_or_default());
    let BotScore { score, reasons } = bot::score(traits, &agent);
    let hinted = if agent.is_program {
        ClientHints::default()
    } else {
        traits.hints
    };
    Edge {
        received_at,
        shop_id: shop_id.to_owned(),
        schema_version: SCHEMA_VERSION,
        country: geography.country,
        region: geography.region,
        city: geography.city,
        device: hinted.device().unwrap_or(agent.device),
        browser: hinted.browser().unwrap_or(agent.browser).to_owned(),
        os: hinted.os().unwrap_or(agent.os).to_owned(),
        bot_score: score,
        bot_reasons: reasons,
        gpc: traits.gpc,
        warnings: Vec::new(),
        derived: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shoptrail_schemas::Device;

    #[test]
    fn crawler_is_scored_with_its_reason() {
        let traits = RequestTraits {
            user_agent: Some(
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ),
            language: Some("en"),
            fetch_site: Some("none"),
            ..RequestTraits::default()
        };
        let edge = enrich("demo", 7, &traits, Geography::default());
        assert_eq!(
            (edge.bot_score, edge.bot_reasons),
            (100, vec!["user_agent".to_owned()])
        );
    }

    #[test]
    fn hints_come_before_the_user_agent() {
        let hints = ClientHints {
            brands: Some(r#""Chromium";v="142", "Brave";v="142""#),
            mobile: Some("?0"),
            platform: Some("\"Android\""),
        };
        let traits = RequestTraits {
            user_agent: Some(
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            ),
            hints,
            ..RequestTraits::default()
        };
        let edge = enrich("demo", 7, &traits, Geography::default());
        assert_eq!(
            (edge.device, edge.browser.as_str(), edge.os.as_str()),
            (Device::Tablet, "Brave", "Android")
        );
    }

    #[test]
    fn place_is_what_the_platform_says() {
        let geography = Geography {
            country: Some("DE".to_owned()),
            ..Geography::default()
        };
        let edge = enrich("demo", 7, &RequestTraits::default(), geography);
        assert_eq!(
            (
                edge.received_at,
                edge.shop_id.as_str(),
                edge.country.as_deref()
            ),
            (7, "demo", Some("DE"))
        );
    }
}
