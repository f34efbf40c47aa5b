//! Enrichment: what the edge knows about a request and the client does not say. Never the address it came from.

use shoptrail_schemas::{Edge, SCHEMA_VERSION};

pub mod user_agent;

/// The score of a client that says itself that it is a program.
const CERTAINLY_A_BOT: u8 = 100;

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

/// Describes one request for all of its events.
#[must_use]
pub fn enrich(
    shop_id: &str,
    received_at: i64,
    user_agent: Option<&str>,
    geography: Geography,
) -> Edge {
    let client = user_agent::read(user_agent.unwrap_or_default());
    Edge {
        received_at,
        shop_id: shop_id.to_owned(),
        schema_version: SCHEMA_VERSION,
        country: geography.country,
        region: geography.region,
        city: geography.city,
        device: client.device,
        browser: client.browser.to_owned(),
        os: client.os.to_owned(),
        bot_score: if client.is_program {
            CERTAINLY_A_BOT
        } else {
            0
        },
        bot_reasons: if client.is_program {
            vec!["user_agent".to_owned()]
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crawler_is_scored_with_its_reason() {
        let edge = enrich(
            "demo",
            7,
            Some("Googlebot/2.1 (+http://www.google.com/bot.html)"),
            Geography::default(),
        );
        assert_eq!(
            (edge.bot_score, edge.bot_reasons),
            (100, vec!["user_agent".to_owned()])
        );
    }

    #[test]
    fn person_has_no_score_and_no_reasons() {
        let geography = Geography {
            country: Some("DE".to_owned()),
            ..Geography::default()
        };
        let edge = enrich(
            "demo",
            7,
            Some("Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Firefox/141.0"),
            geography,
        );
        assert_eq!((edge.bot_score, edge.bot_reasons.len()), (0, 0));
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
