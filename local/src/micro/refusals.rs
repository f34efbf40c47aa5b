//! Requests that the edge turned away by their write key or origin: nothing of them reaches Kafka, and whoever has just put
//! the tag on a page wants to know why nothing arrives.

use std::collections::VecDeque;

use chrono::Utc;
use serde::{Deserialize, Serialize};

/// Pages and reasons that are told apart; more are strangers.
const MAX_REFUSALS: usize = 20;
/// Longest text that is kept of a request: it may come from anybody.
const MAX_TEXT: usize = 300;

/// What the edge's front tells of a request that was turned away.
#[derive(Debug, Deserialize)]
pub(super) struct ToldRefusal {
    /// The page's origin, unless a program sent it.
    #[serde(default)]
    pub origin: Option<String>,
    /// The edge's code.
    pub code: String,
    /// The edge's sentence.
    pub message: String,
}

/// Refusals of one page for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    origin: Option<String>,
    code: String,
    message: String,
    requests: u64,
    last_at: i64,
}

/// The refusals, the latest first.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    latest: VecDeque<Refusal>,
    total: u64,
}

impl Refusals {
    /// Counts one more.
    pub fn add(&mut self, told: ToldRefusal) {
        let ToldRefusal {
            origin,
            code,
            message,
        } = told;
        let (origin, code) = (origin.as_deref().map(bounded), bounded(&code));
        let same = |known: &Refusal| known.origin == origin && known.code == code;
        let place = self.latest.iter().position(same);
        let before = place.and_then(|place| self.latest.remove(place));
        self.total += 1;
        self.latest.push_front(Refusal {
            requests: 1 + before.map_or(0, |refusal| refusal.requests),
            last_at: Utc::now().timestamp_millis(),
            origin,
            code,
            message: bounded(&message),
        });
        self.latest.truncate(MAX_REFUSALS);
    }

    /// The refusals, the latest first.
    pub fn list(&self) -> Vec<Refusal> {
        self.latest.iter().cloned().collect()
    }

    /// How many requests were turned away.
    pub fn total(&self) -> u64 {
        self.total
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(origin: &str) -> ToldRefusal {
        ToldRefusal {
            origin: Some(origin.to_owned()),
            code: "origin_not_allowed".to_owned(),
            message: "no".to_owned(),
        }
    }

    #[test]
    fn refusals_of_one_page_are_counted_together_and_the_latest_is_first() {
        let mut refusals = Refusals::default();
        for origin in [
            "https://a.example",
            "https://b.example",
            "https://a.example",
        ] {
            refusals.add(told(origin));
        }
        let list = refusals.list();
        let counts: Vec<_> = list
            .iter()
            .map(|refusal| (refusal.origin.as_deref().unwrap(), refusal.requests))
            .collect();
        assert_eq!(counts, [("https://a.example", 2), ("https://b.example", 1)]);
        assert_eq!(refusals.total(), 3);
    }

    #[test]
    fn strangers_fill_no_memory() {
        let mut refusals = Refusals::default();
        for number in 0..100 {
            refusals.add(told(&format!("https://{number}.{}", "ä".repeat(1000))));
        }
        assert_eq!(refusals.list().len(), MAX_REFUSALS);
        let origins = refusals
            .list()
            .into_iter()
            .filter_map(|refusal| refusal.origin);
        assert!(
            origins
                .into_iter()
                .all(|origin| origin.chars().count() == MAX_TEXT)
        );
        assert_eq!(refusals.total(), 100);
    }
}
