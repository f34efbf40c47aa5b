//! Queue messages: records of one batch, packed by their bytes. A message is JSON with the records as JSON, not the base64
//! of the produce call, which would be a third larger; what all events of the batch share is in it once.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::outgoing::{Common, DeadLetter, Outgoing, OutgoingEvent};

/// Most bytes of a message. Cloudflare allows 128,000 and uses about 100 of them itself.
const MAX_MESSAGE_BYTES: usize = 127_000;
/// Most bytes of the messages that are sent together. Cloudflare allows 256,000.
const MAX_SENDING_BYTES: usize = 254_000;
/// Most messages that are sent together, Cloudflare's limit.
const MAX_SENDING_MESSAGES: usize = 100;

/// A message that is ready to be sent.
#[derive(Debug)]
pub struct QueueMessage {
    /// The message's body.
    pub text: String,
    /// The records in it, should the queue refuse.
    pub records: Vec<Outgoing>,
}

/// What [`pack`] makes of records.
#[derive(Debug, Default)]
pub struct Packed {
    /// Groups of messages, each small enough to be sent together.
    pub sendings: Vec<Vec<QueueMessage>>,
    /// Records too large for any message.
    pub oversized: Vec<Outgoing>,
}

/// What a consumer finds in a message.
#[derive(Debug)]
pub struct Opened {
    /// How often Kafka failed these records before they were packed: their next delay goes on from there.
    pub failures: u32,
    /// The records.
    pub records: Vec<Outgoing>,
}

/// Packs records of one batch into as few messages as fit.
///
/// # Errors
/// Returns an error if a dead letter cannot be written as JSON, which nothing from outside can cause.
pub fn pack(records: Vec<Outgoing>, failures: u32) -> serde_json::Result<Packed> {
    let mut packed = Packed::default();
    let head = head(&records, failures);
    let expected: usize = records.iter().map(Outgoing::bytes).sum();
    let mut filling = Filling::new(&head, expected);
    for record in records {
        let Some((record, entry)) = filling.put(record)? else {
            continue;
        };
        let mut next = Filling::new(&head, expected);
        if !next.has_room(&entry) {
            packed.oversized.push(record);
            continue;
        }
        next.put_written(&entry, record);
        packed.add(std::mem::replace(&mut filling, next).close());
    }
    if !filling.records.is_empty() {
        packed.add(filling.close());
    }
    Ok(packed)
}

/// Opens a queue message's body.
///
/// # Errors
/// Returns an error if it is of another kind.
pub fn open(text: &str) -> serde_json::Result<Opened> {
    #[derive(Deserialize)]
    struct Body {
        failures: u32,
        batch: Option<Box<RawValue>>,
        edge: Option<Box<RawValue>>,
        records: Vec<Entry>,
    }
    let body: Body = serde_json::from_str(text)?;
    let common = body
        .batch
        .zip(body.edge)
        .map(|(batch, edge)| Rc::new(Common { batch, edge }));
    let records = body.records.into_iter().map(|entry| entry.open(&common));
    Ok(Opened {
        failures: body.failures,
        records: records.collect::<serde_json::Result<_>>()?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Event {
        key: String,
        event: Box<RawValue>,
        derived: Box<RawValue>,
    },
    /// An event of the batch that was refused.
    Refused(DeadLetter),
    DeadLetter(DeadLetter),
}

impl Entry {
    fn open(self, common: &Option<Rc<Common>>) -> serde_json::Result<Outgoing> {
        match (self, common) {
            (Self::DeadLetter(letter), _) => Ok(Outgoing::DeadLetter(letter)),
            (Self::Refused(letter), Some(common)) => Ok(Outgoing::DeadLetter(DeadLetter {
                common: Some(Rc::clone(common)),
                ..letter
            })),
            (
                Self::Event {
                    key,
                    event,
                    derived,
                },
                Some(common),
            ) => Ok(Outgoing::Event(OutgoingEvent {
                common: Rc::clone(common),
                key,
                event: event.into(),
                derived: derived.into(),
            })),
            (Self::Event { .. } | Self::Refused(_), None) => {
                Err(serde::de::Error::missing_field("batch"))
            }
        }
    }
}

impl Packed {
    fn add(&mut self, message: QueueMessage) {
        if let Some(last) = self.sendings.last_mut() {
            let bytes: usize = last.iter().map(|message| message.text.len()).sum();
            if bytes.saturating_add(message.text.len()) <= MAX_SENDING_BYTES
                && last.len() < MAX_SENDING_MESSAGES
            {
                return last.push(message);
            }
        }
        self.sendings.push(vec![message]);
    }
}

/// A message that is being filled.
struct Filling {
    text: String,
    records: Vec<Outgoing>,
}

impl Filling {
    const END: &str = "]}";

    fn new(head: &str, expected: usize) -> Self {
        let room = head.len().saturating_add(expected).min(MAX_MESSAGE_BYTES);
        let mut text = String::with_capacity(room);
        text.push_str(head);
        Self {
            text,
            records: Vec::new(),
        }
    }

    /// Adds a record, or returns it with what was written of it, if there is no room.
    fn put(&mut self, record: Outgoing) -> serde_json::Result<Option<(Outgoing, String)>> {
        let before = self.text.len();
        self.separate();
        let start = self.text.len();
        write_entry(&mut self.text, &record)?;
        if self.text.len().saturating_add(Self::END.len()) > MAX_MESSAGE_BYTES {
            let entry = self.text.split_off(start);
            self.text.truncate(before);
            return Ok(Some((record, entry)));
        }
        self.records.push(record);
        Ok(None)
    }

    fn put_written(&mut self, entry: &str, record: Outgoing) {
        self.separate();
        self.text.push_str(entry);
        self.records.push(record);
    }

    fn separate(&mut self) {
        if !self.records.is_empty() {
            self.text.push(',');
        }
    }

    /// Whether an entry fits in as the first one.
    fn has_room(&self, entry: &str) -> bool {
        let rest = entry.len().saturating_add(Self::END.len());
        self.text.len().saturating_add(rest) <= MAX_MESSAGE_BYTES
    }

    fn close(mut self) -> QueueMessage {
        self.text.push_str(Self::END);
        QueueMessage {
            text: self.text,
            records: self.records,
        }
    }
}

/// Writes what comes before the records.
fn head(records: &[Outgoing], failures: u32) -> String {
    let common = records.iter().find_map(Outgoing::common);
    let common = common.map_or_else(String::new, |common| {
        let Common { batch, edge } = common.as_ref();
        format!(r#""batch":{batch},"edge":{edge},"#)
    });
    format!(r#"{{"failures":{failures},{common}"records":["#)
}

fn write_entry(text: &mut String, record: &Outgoing) -> serde_json::Result<()> {
    match record {
        Outgoing::Event(event) => {
            let parts = [
                r#"{"event":{"key":"#,
                &serde_json::to_string(&event.key)?,
                r#","event":"#,
                &event.event,
                r#","derived":"#,
                &event.derived,
                "}}",
            ];
            text.extend(parts);
        }
        Outgoing::DeadLetter(letter) => {
            text.push_str(match letter.common {
                Some(_) => r#"{"refused":"#,
                None => r#"{"dead_letter":"#,
            });
            text.push_str(&serde_json::to_string(letter)?);
            text.push('}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::Topic;
    use crate::outgoing::tests::{event, letter};

    fn record(bytes: usize) -> Outgoing {
        event("k", &format!("\"{}\"", "x".repeat(bytes)))
    }

    #[test]
    fn message_opens_to_what_was_packed() {
        let records = vec![event("visitor", "{}"), letter("17")];
        let packed = pack(records, 3).unwrap();
        let opened = open(&packed.sendings[0][0].text).unwrap();
        assert_eq!(opened.failures, 3);
        let Outgoing::Event(event) = &opened.records[0] else {
            panic!("the first is an event")
        };
        assert_eq!((event.key.as_str(), &*event.event), ("visitor", "{}"));
        assert_eq!(
            event.common.edge.get(),
            r#"{"shop_id":"demo","received_at":7}"#
        );
        assert_eq!(opened.records[1].topic(), Topic::DeadLetters);
    }

    #[test]
    fn what_events_share_is_in_a_message_once() {
        let packed = pack(vec![record(5), record(5), record(5)], 0).unwrap();
        assert_eq!(packed.sendings[0][0].text.matches("received_at").count(), 1);
    }

    #[test]
    fn refused_event_keeps_what_its_batch_shared() {
        let (Outgoing::Event(good), Outgoing::DeadLetter(mut refused)) =
            (event("k", "{}"), letter("17"))
        else {
            panic!("one is an event")
        };
        refused.common = Some(good.common);
        let packed = pack(vec![Outgoing::DeadLetter(refused)], 0).unwrap();
        let opened = open(&packed.sendings[0][0].text).unwrap();
        let edge = opened.records[0].common().unwrap().edge.get();
        assert_eq!(edge, r#"{"shop_id":"demo","received_at":7}"#);
    }

    #[test]
    fn dead_letters_need_nothing_to_share() {
        let packed = pack(vec![letter("1")], 0).unwrap();
        let text = &packed.sendings[0][0].text;
        assert!(!text.contains("batch"), "{text}");
        assert_eq!(open(text).unwrap().records.len(), 1);
    }

    #[test]
    fn messages_and_sendings_stay_within_cloudflares_limits() {
        for size in [10, 1_000, 6_000, 63_000, 63_300, 63_450, 100_000, 126_700] {
            let records = std::iter::repeat_with(|| record(size)).take(25).collect();
            let packed = pack(records, u32::MAX).unwrap();
            let mut records = 0;
            for sending in &packed.sendings {
                let bytes: usize = sending.iter().map(|message| message.text.len()).sum();
                assert!(bytes <= 256_000, "{size}: {bytes}");
                for message in sending {
                    let length = message.text.len();
                    assert!(length <= MAX_MESSAGE_BYTES, "{size}: {length}");
                    let opened = open(&message.text).unwrap();
                    assert_eq!(opened.records.len(), message.records.len());
                    records += message.records.len();
                }
            }
            assert_eq!((records, packed.oversized.len()), (25, 0), "{size}");
        }
    }

    #[test]
    fn no_more_than_a_hundred_messages_are_sent_together() {
        let mut packed = Packed::default();
        for _ in 0..101 {
            packed.add(QueueMessage {
                text: String::new(),
                records: Vec::new(),
            });
        }
        let lengths: Vec<_> = packed.sendings.iter().map(Vec::len).collect();
        assert_eq!(lengths, [100, 1]);
    }

    #[test]
    fn record_too_large_for_any_message_is_set_apart() {
        let packed = pack(vec![record(5), record(127_000), record(5)], 0).unwrap();
        assert_eq!(
            (packed.oversized.len(), packed.sendings[0][0].records.len()),
            (1, 2)
        );
    }

    #[test]
    fn text_of_another_kind_is_not_opened() {
        for text in ["hello", r#"{"failures":0,"records":[{"elsewhere":{}}]}"#] {
            assert!(open(text).is_err(), "{text}");
        }
        let without_common =
            r#"{"failures":0,"records":[{"event":{"key":"k","event":{},"derived":{}}}]}"#;
        assert!(open(without_common).is_err());
    }
}
