//! The verdict: each event of an admitted batch is judged on its own and becomes a record for Kafka, a good one or a dead
//! letter.

use std::rc::Rc;

use serde_json::value::{RawValue, to_raw_value};
use shoptrail_schemas::{BatchInfo, Edge, Record, Rejection, batch, validate};

use crate::dead_letter;
use crate::outgoing::{Outgoing, Payload, Topic};

/// A judged batch.
#[derive(Debug)]
pub struct Judged {
    /// What to tell the client.
    pub answer: Answer,
    /// What to hand over: one record for each event, or one for the whole body.
    pub records: Vec<Rc<Outgoing>>,
}

/// What to tell the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// One verdict for each event, in the order of the batch.
    Verdicts(Vec<Verdict>),
    /// The envelope is wrong: what and where.
    BadEnvelope(Vec<Rejection>),
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It follows the contract.
    Accepted {
        /// The event's own id.
        event_id: String,
    },
    /// It does not.
    Rejected {
        /// Everything that is wrong with it.
        errors: Vec<Rejection>,
    },
}

/// Judges a body from an admitted shop; `edge` is what the edge knows about the request.
///
/// # Errors
/// If a record cannot be written as JSON, which no body can cause.
pub fn judge(body: &[u8], edge: &Edge) -> serde_json::Result<Judged> {
    match batch::read_head(body) {
        Ok((head, events)) => judge_events(&events, &head.info, edge),
        Err(rejections) => {
            let letter = dead_letter::body(body, &rejections, &edge.shop_id, edge.received_at);
            Ok(Judged {
                answer: Answer::BadEnvelope(rejections),
                records: vec![Rc::new(letter)],
            })
        }
    }
}

fn judge_events(events: &[&RawValue], info: &BatchInfo, edge: &Edge) -> serde_json::Result<Judged> {
    let mut verdicts = Vec::with_capacity(events.len());
    let mut records = Vec::with_capacity(events.len());
    for raw in events {
        match validate::event(raw.get()) {
            Ok(event) => {
                records.push(Rc::new(good(raw, event.anonymous_id, info, edge)?));
                verdicts.push(Verdict::Accepted {
                    event_id: event.event_id,
                });
            }
            Err(errors) => {
                let letter = dead_letter::event(raw, &errors, &edge.shop_id, edge.received_at);
                records.push(Rc::new(letter));
                verdicts.push(Verdict::Rejected { errors });
            }
        }
    }
    Ok(Judged {
        answer: Answer::Verdicts(verdicts),
        records,
    })
}

/// The client's bytes go in untouched; what we say stands beside them.
fn good(
    event: &RawValue,
    key: String,
    info: &BatchInfo,
    edge: &Edge,
) -> serde_json::Result<Outgoing> {
    let record = Record {
        event,
        batch: info.clone(),
        edge: edge.clone(),
    };
    Ok(Outgoing {
        topic: Topic::Events,
        key: Some(key),
        headers: Vec::new(),
        value: Payload::Json(to_raw_value(&record)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::{Geography, enrich};

    const GOOD: &str = r#"{"event_id":"01920000-0000-7000-8000-000000000001","event_type":"page_view","event_timestamp":1795392000000,"seq":1.0,"anonymous_id":"visitor","session_id":"s","page_url":"https://shop.example/","consent":{"analytics":true,"ads":false},"extra":"kept"}"#;

    fn judged(events: &str) -> Judged {
        let body = format!(
            r#"{{"write_key":"pk_demo","sent_at":1795392000123,"tracker":{{"name":"shoptrail-js","version":"0.1.0"}},"events":{events}}}"#
        );
        judge(
            body.as_bytes(),
            &enrich("demo", 7, None, Geography::default()),
        )
        .unwrap()
    }

    #[test]
    fn each_event_has_its_own_verdict_and_record() {
        let judged = judged(&format!(r#"[{GOOD},{{"event_type":"nope"}},17]"#));
        let Answer::Verdicts(verdicts) = judged.answer else {
            panic!("the envelope is good")
        };
        assert!(matches!(&verdicts[0], Verdict::Accepted { event_id } if event_id.ends_with("01")));
        assert!(matches!(&verdicts[1], Verdict::Rejected { .. }));
        assert!(matches!(&verdicts[2], Verdict::Rejected { .. }));
        let topics: Vec<_> = judged.records.iter().map(|record| record.topic).collect();
        assert_eq!(
            topics,
            [Topic::Events, Topic::DeadLetters, Topic::DeadLetters]
        );
        assert_eq!(judged.records[0].key.as_deref(), Some("visitor"));
    }

    #[test]
    fn clients_bytes_go_in_untouched_beside_what_the_edge_says() {
        let judged = judged(&format!("[{GOOD}]"));
        let Payload::Json(json) = &judged.records[0].value else {
            panic!("a record is JSON")
        };
        assert!(
            json.get().starts_with(&format!(
                r#"{{"event":{GOOD},"batch":{{"sent_at":1795392000123,"#
            )),
            "{json}"
        );
        let record: Record<&RawValue> = serde_json::from_str(json.get()).unwrap();
        assert_eq!(
            (record.edge.shop_id.as_str(), record.edge.received_at),
            ("demo", 7)
        );
    }

    #[test]
    fn bad_envelope_is_one_dead_letter_with_the_whole_body() {
        let judged = judged("[]");
        let Answer::BadEnvelope(rejections) = judged.answer else {
            panic!("there are no events")
        };
        assert_eq!(rejections[0].pointer, "/events");
        assert_eq!(judged.records.len(), 1);
        assert_eq!(judged.records[0].topic, Topic::DeadLetters);
    }
}
