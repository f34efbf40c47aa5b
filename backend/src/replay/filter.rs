//! Which letters are replayed: by time, shop and reason.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::Args;
use shoptrail_edge::replay::Letter;

/// Flags that choose letters; without any, all are chosen.
#[derive(Args, Clone, Debug, Default)]
pub struct Filter {
    /// What the edge received at this time or later: a day, or a time such as 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<DateTime<Utc>>,
    /// What the edge received before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<DateTime<Utc>>,
    /// What is of this shop; may be repeated
    #[arg(long = "shop", value_name = "ID")]
    pub shops: Vec<String>,
    /// Letters with this code as their first reason; may be repeated
    #[arg(long = "reason", value_name = "CODE")]
    pub reasons: Vec<String>,
}

impl Filter {
    /// Whether a letter is chosen. `arrived_ms` is when Kafka got it, for letters that do not say when they came.
    pub(super) fn chooses(&self, letter: &Letter<'_>, arrived_ms: Option<i64>) -> bool {
        self.includes(letter.shop_id, letter.received_at.or(arrived_ms))
            && is_among(&self.reasons, letter.code)
    }

    /// Whether what came from a shop at a time, in milliseconds since the epoch, is chosen.
    pub(super) fn includes(&self, shop_id: Option<&str>, came_ms: Option<i64>) -> bool {
        let came = came_ms.and_then(DateTime::from_timestamp_millis);
        self.since
            .is_none_or(|since| came.is_some_and(|came| came >= since))
            && self
                .until
                .is_none_or(|until| came.is_some_and(|came| came < until))
            && is_among(&self.shops, shop_id.unwrap_or_default())
    }
}

fn is_among(list: &[String], value: &str) -> bool {
    list.is_empty() || list.iter().any(|wanted| wanted == value)
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| {
            "neither a day like `2026-11-23` nor a time like `2026-11-23T08:00:00Z`".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(received_at: Option<i64>) -> Letter<'static> {
        Letter {
            code: "missing",
            shop_id: Some("demo"),
            received_at,
            ..Letter::default()
        }
    }

    #[test]
    fn letters_are_chosen_by_time_shop_and_reason() {
        let noon = time("2026-11-23T12:00:00+00:00").unwrap();
        let letter = letter(Some(noon.timestamp_millis()));
        let chosen = |filter: Filter| filter.chooses(&letter, None);
        let text = |text: &str| vec!["other".to_owned(), text.to_owned()];
        assert!(chosen(Filter::default()));
        for (since, until, expected) in [
            (Some("2026-11-23"), Some("2026-11-24"), true),
            (Some("2026-11-23T12:00:00Z"), None, true),
            (Some("2026-11-23T12:00:01Z"), None, false),
            (None, Some("2026-11-23T12:00:00Z"), false),
        ] {
            let filter = Filter {
                since: since.map(|text| time(text).unwrap()),
                until: until.map(|text| time(text).unwrap()),
                ..Filter::default()
            };
            assert_eq!(chosen(filter), expected, "{since:?} {until:?}");
        }
        for (shop, reason, expected) in [
            ("demo", "missing", true),
            ("x", "missing", false),
            ("demo", "x", false),
        ] {
            let filter = Filter {
                shops: text(shop),
                reasons: text(reason),
                ..Filter::default()
            };
            assert_eq!(chosen(filter), expected, "{shop} {reason}");
        }
    }

    #[test]
    fn letter_that_does_not_say_when_it_came_goes_by_kafkas_time() {
        let filter = Filter {
            since: Some(time("2026-11-23").unwrap()),
            ..Filter::default()
        };
        assert!(!filter.chooses(&letter(None), None));
        assert!(filter.chooses(&letter(None), Some(1_795_392_000_000)));
    }

    #[test]
    fn time_is_a_day_or_a_moment() {
        assert!(time("23.11.2026").is_err());
        assert_eq!(time("2026-11-23"), time("2026-11-23T01:00:00+01:00"));
    }
}
