//! Dead letters back into events: what was refused is judged again, by the present contract. `shoptrail replay` reads the
//! letters and writes what is accepted now.

use serde_json::value::RawValue;
use shoptrail_schemas::derive::Rules;
use shoptrail_schemas::validate;
use shoptrail_schemas::{
    BatchInfo, Clock, Device, Edge, Record, RejectCode, SCHEMA_VERSION, Tracker,
};

use crate::dead_letter::REFUSED_BY_KAFKA;
use crate::frame::Frame;
use crate::judge::{Circumstances, Finding, Verdict};
use crate::outgoing::Outgoing;
use crate::privacy::PrivacyRules;

/// A dead letter as it lies in its topic.
#[derive(Debug, Clone, Default)]
pub struct Letter<'a> {
    /// Why it was refused: the first code.
    pub code: &'a str,
    /// The shop that the write key belongs to.
    pub shop_id: Option<&'a str>,
    /// When the edge received it, in milliseconds since the epoch.
    pub received_at: Option<i64>,
    /// What the client said about the batch, a JSON object. Bodies have none, nor have letters of older Workers.
    pub batch: Option<&'a str>,
    /// What the edge knew about the request, a JSON object.
    pub edge: Option<&'a str>,
    /// Whether only the beginning was kept.
    pub is_cut: bool,
    /// The refused bytes.
    pub value: &'a [u8],
}

/// What became of a letter's events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// What the contract accepts now.
    pub accepted: Vec<ReplayedEvent>,
    /// For each event that it still refuses, the first reason.
    pub refused: Vec<RejectCode>,
}

/// An event that is accepted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedEvent {
    /// The shop: the same id in another shop is another event.
    pub shop_id: String,
    /// The id the event was born with.
    pub event_id: String,
    /// The Kafka key's text.
    pub key: String,
    /// The record, `{event, batch, edge}`.
    pub record: String,
    /// When the edge received the event first, in milliseconds since the epoch.
    pub received_at: i64,
}

/// Why a letter cannot be judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// Only its beginning was kept.
    #[error("only the beginning of it was kept")]
    Cut,
    /// It holds no event: a queue message of another kind.
    #[error("it holds no event")]
    NoEvent,
    /// Nothing says whose it is, or when it came.
    #[error("it does not say whose it is and when it came")]
    NoOrigin,
}

impl<'a> Letter<'a> {
    /// Takes a letter's value and its headers, which `header` returns by their names without our prefix.
    pub fn read(header: impl Fn(&str) -> Option<&'a str>, value: &'a [u8]) -> Self {
        Self {
            code: header("code").unwrap_or_default(),
            shop_id: header("shop_id"),
            received_at: header("received_at").and_then(|text| text.parse().ok()),
            batch: header("batch"),
            edge: header("edge"),
            is_cut: header("cut_from_bytes").is_some(),
            value,
        }
    }

    /// Judges the letter's events by the present contract, at the time when they came. The privacy rules are for what they were
    /// applied to before ([`PrivacyRules::again`]).
    ///
    /// # Errors
    /// Returns an error if the letter holds no whole event, or nothing says where it is from.
    pub fn judge(
        &self,
        rules: &Rules,
        privacy: &PrivacyRules,
        max_age_ms: i64,
    ) -> Result<Again, LetterError> {
        if self.is_cut {
            return Err(LetterError::Cut);
        }
        if self.code == REFUSED_BY_KAFKA {
            return self.judge_record(max_age_ms);
        }
        if self.code == "undecodable_message" {
            return Err(LetterError::NoEvent);
        }
        let edge = self.edge()?;
        let frame = Frame::read(self.value);
        let (events, info) = match (self.info(), frame.head(self.value)) {
            (Some(info), _) => (vec![self.value], info),
            (None, Ok(head)) => (frame.events, head.info),
            (None, Err(_)) => {
                let alone = || vec![self.value];
                let events = Some(frame.events).filter(|events| !events.is_empty());
                (
                    events.unwrap_or_else(alone),
                    unknown_batch(edge.received_at),
                )
            }
        };
        let circumstances = Circumstances {
            edge: &edge,
            privacy,
            rules,
            max_age_ms,
        };
        // No event can make it fail.
        let judged = circumstances
            .judge_events(&events, &info, |_| Some(0))
            .map_err(|_| LetterError::NoEvent)?;
        let mut again = Again::default();
        if let Finding::Verdicts(verdicts) = judged.finding {
            for (verdict, record) in verdicts.into_iter().zip(judged.records) {
                again.add(verdict, record, &edge);
            }
        }
        Ok(again)
    }

    /// Judges the event of a whole record, which stays as it is.
    fn judge_record(&self, max_age_ms: i64) -> Result<Again, LetterError> {
        let text = std::str::from_utf8(self.value).map_err(|_| LetterError::NoEvent)?;
        let record: Record<&RawValue> =
            serde_json::from_str(text).map_err(|_| LetterError::NoEvent)?;
        let clock = Clock {
            max_age_ms,
            ..Clock::new(record.edge.received_at, record.batch.sent_at)
        };
        let mut again = Again::default();
        match validate::event(record.event.get(), Some(&clock)) {
            Ok(event) => again.accepted.push(ReplayedEvent {
                shop_id: record.edge.shop_id,
                event_id: event.event_id().to_owned(),
                key: event.anonymous_id().to_owned(),
                record: text.to_owned(),
                received_at: record.edge.received_at,
            }),
            Err(rejections) => again
                .refused
                .extend(rejections.first().map(|first| first.code)),
        }
        Ok(again)
    }

    fn info(&self) -> Option<BatchInfo> {
        serde_json::from_str(self.batch?).ok()
    }

    /// What the edge knew, as far as the letter says.
    fn edge(&self) -> Result<Edge, LetterError> {
        let known = self.edge.and_then(|json| serde_json::from_str(json).ok());
        if let Some(edge) = known {
            return Ok(edge);
        }
        let (shop_id, received_at) = self
            .shop_id
            .zip(self.received_at)
            .ok_or(LetterError::NoOrigin)?;
        Ok(Edge {
            received_at,
            shop_id: shop_id.to_owned(),
            schema_version: SCHEMA_VERSION,
            country: None,
            region: None,
            city: None,
            device: Device::Other,
            browser: "other".to_owned(),
            os: "other".to_owned(),
            bot_score: 0,
            bot_reasons: Vec::new(),
            gpc: false,
            warnings: Vec::new(),
            derived: None,
        })
    }
}

impl Again {
    fn add(&mut self, verdict: Verdict, record: Outgoing, edge: &Edge) {
        match (verdict, record) {
            (Verdict::Accepted { event_id, .. }, Outgoing::Event(event)) => {
                self.accepted.push(ReplayedEvent {
                    shop_id: edge.shop_id.clone(),
                    event_id,
                    record: event.record(),
                    key: event.key,
                    received_at: edge.received_at,
                });
            }
            (Verdict::Rejected { errors }, _) => {
                self.refused.extend(errors.first().map(|first| first.code));
            }
            (Verdict::Accepted { .. }, Outgoing::DeadLetter(_)) => {}
        }
    }
}

/// A batch of which nothing is known but when it came.
fn unknown_batch(received_at: i64) -> BatchInfo {
    BatchInfo {
        sent_at: received_at,
        tracker: Tracker {
            name: "shoptrail-replay".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        context: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK_MS: i64 = 7 * 86_400_000;
    const EVENT: &str = r#"{"event_id":"01a205b3-d000-7000-8000-000000000001","event_type":"page_view","event_timestamp":1795392000000,"seq":1,"anonymous_id":"visitor","session_id":"s","page_url":"https://shop.example/","consent":{"analytics":"granted","ads":"denied"}}"#;

    fn letter(value: &str) -> Letter<'_> {
        Letter {
            code: "missing",
            shop_id: Some("demo"),
            received_at: Some(1_795_392_000_123),
            value: value.as_bytes(),
            ..Letter::default()
        }
    }

    fn judged(letter: &Letter<'_>) -> Again {
        let privacy = PrivacyRules::default();
        letter.judge(&Rules::default(), &privacy, WEEK_MS).unwrap()
    }

    fn record(again: &Again) -> Record {
        assert_eq!((again.accepted.len(), again.refused.len()), (1, 0));
        serde_json::from_str(&again.accepted[0].record).unwrap()
    }

    #[test]
    fn event_that_is_accepted_now_gets_its_record() {
        let again = judged(&Letter {
            batch: Some(r#"{"sent_at":1795392000100,"tracker":{"name":"t","version":"1"}}"#),
            edge: Some(
                r#"{"received_at":1795392000200,"shop_id":"demo","schema_version":2,"device":"mobile","browser":"Safari","os":"iOS","bot_score":0,"bot_reasons":[],"gpc":false}"#,
            ),
            ..letter(EVENT)
        });
        let found = record(&again);
        assert_eq!(found.batch.tracker.name, "t");
        assert_eq!(
            (found.edge.browser.as_str(), found.edge.received_at),
            ("Safari", 1_795_392_000_200)
        );
        assert!(found.edge.derived.is_some());
        assert_eq!(again.accepted[0].key, "visitor");
        assert_eq!(again.accepted[0].shop_id, "demo");
        assert_eq!(
            again.accepted[0].event_id,
            "01a205b3-d000-7000-8000-000000000001"
        );
    }

    #[test]
    fn letter_of_an_older_worker_is_judged_by_when_it_came() {
        let found = record(&judged(&letter(EVENT)));
        assert_eq!(found.batch.tracker.name, "shoptrail-replay");
        assert_eq!(
            (found.edge.shop_id.as_str(), found.edge.bot_score),
            ("demo", 0)
        );
    }

    #[test]
    fn body_gives_each_of_its_events() {
        let body = format!(
            r#"{{"write_key":"pk","sent_at":1795392000100,"tracker":{{"name":"t","version":"1"}},"events":[{EVENT},{{"seq":1}}]}}"#
        );
        let again = judged(&letter(&body));
        assert_eq!((again.accepted.len(), again.refused.len()), (1, 1));
    }

    #[test]
    fn body_of_a_broken_envelope_gives_each_of_its_events() {
        let body = format!(r#"{{"write_key":"pk","sent_at":NaN,"events":[{EVENT},{{"seq":1}}]}}"#);
        let again = judged(&letter(&body));
        assert_eq!((again.accepted.len(), again.refused.len()), (1, 1));
    }

    #[test]
    fn what_is_still_wrong_says_why() {
        let again = judged(&letter(r#"{"event_type":"nope"}"#));
        assert_eq!(again.refused.len(), 1);
        assert_eq!(judged(&letter("01")).refused, [RejectCode::MalformedJson]);
    }

    #[test]
    fn record_that_kafka_refused_stays_as_it_is() {
        let text = judged(&letter(EVENT)).accepted.remove(0).record;
        let again = judged(&Letter {
            code: REFUSED_BY_KAFKA,
            ..letter(&text)
        });
        assert_eq!(again.accepted[0].record, text);
        assert_eq!(again.accepted[0].key, "visitor");
        assert_eq!(again.accepted[0].shop_id, "demo");
    }

    #[test]
    fn letter_without_a_whole_event_is_no_event() {
        let privacy = PrivacyRules::default();
        let judge = |letter: Letter<'_>| letter.judge(&Rules::default(), &privacy, WEEK_MS);
        let cut = Letter {
            is_cut: true,
            ..letter(EVENT)
        };
        assert_eq!(judge(cut), Err(LetterError::Cut));
        let message = Letter {
            code: "undecodable_message",
            ..letter("hello")
        };
        assert_eq!(judge(message), Err(LetterError::NoEvent));
        let nobodys = Letter {
            shop_id: None,
            ..letter(EVENT)
        };
        assert_eq!(judge(nobodys), Err(LetterError::NoOrigin));
        let no_record = Letter {
            code: REFUSED_BY_KAFKA,
            ..letter("{}")
        };
        assert_eq!(judge(no_record), Err(LetterError::NoEvent));
    }
}
