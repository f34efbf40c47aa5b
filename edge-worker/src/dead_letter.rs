//! Dead letters: what was refused goes to a topic of its own with its bytes and the reason, in headers as Kafka Connect
//! writes them, so that a person can look and `shoptrail replay` can bring it back ([`crate::replay`]). Every letter fits a
//! queue message, so none ever needs a call of its own.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;
use shoptrail_schemas::Rejection;
use shoptrail_schemas::limits::MAX_EVENT_BYTES;

use crate::outgoing::{Common, DeadLetter, Outgoing, OutgoingEvent, Payload};
use crate::privacy::mask;

/// Most bytes that are kept of what is no JSON, and of a whole body: a third more as base64.
const MAX_BYTES: usize = 64 * 1024;

/// Where refused bytes came from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The shop that the write key belongs to.
    pub shop_id: &'a str,
    /// When the edge received it, in milliseconds since the epoch.
    pub received_at: i64,
}

/// The code of what Kafka refuses: the letter holds the whole record.
pub const REFUSED_BY_KAFKA: &str = "refused_by_kafka";

/// The header that says how many of a kind were not kept before this one.
const SKIPPED_BEFORE: &str = "skipped_before";

/// What the names of our headers begin with.
pub const PREFIX: &str = "shoptrail.";

/// An event that the contract refuses: its bytes as they came, and what its batch shared. `skipped` such events of the shop
/// were not kept before it.
#[must_use]
pub fn event(
    event: &[u8],
    rejections: &[Rejection],
    source: Source<'_>,
    common: &Rc<Common>,
    skipped: u64,
) -> Outgoing {
    let json = std::str::from_utf8(event)
        .ok()
        .filter(|text| text.len() <= MAX_EVENT_BYTES)
        .and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let mut headers = rejections_headers(rejections, source);
    if skipped > 0 {
        headers.push(header(SKIPPED_BEFORE, &skipped.to_string()));
    }
    let mut letter = match json {
        Some(json) => letter(Payload::Json(json.to_owned()), headers),
        None => beginning(event, headers),
    };
    letter.common = Some(Rc::clone(common));
    Outgoing::DeadLetter(letter)
}

/// A body whose envelope is wrong. `skipped` such bodies were not kept before it.
#[must_use]
pub fn body(body: &[u8], rejections: &[Rejection], source: Source<'_>, skipped: u64) -> Outgoing {
    let mut headers = rejections_headers(rejections, source);
    headers.push(header(SKIPPED_BEFORE, &skipped.to_string()));
    Outgoing::DeadLetter(beginning(body, headers))
}

/// A queue message of another kind, found at `now` in milliseconds since the epoch.
#[must_use]
pub fn queue_message(text: &str, cause: &str, now: i64) -> Outgoing {
    let message = format!("the queue message cannot be read: {cause}");
    let mut headers = headers("undecodable_message", "", &message);
    headers.push(header("received_at", &now.to_string()));
    Outgoing::DeadLetter(beginning(text.as_bytes(), headers))
}

/// A good event that Kafka refuses, and would refuse again: too large for the topic, for example.
#[must_use]
pub fn refused_by_kafka(event: &OutgoingEvent, reason: &str) -> Outgoing {
    #[derive(serde::Deserialize)]
    struct Origin {
        shop_id: String,
        received_at: i64,
    }
    let mut headers = headers(REFUSED_BY_KAFKA, "", reason);
    if let Ok(origin) = serde_json::from_str::<Origin>(event.common.edge.get()) {
        headers.push(header("shop_id", &origin.shop_id));
        headers.push(header("received_at", &origin.received_at.to_string()));
    }
    let record = event.record();
    let value = match serde_json::from_str::<Box<RawValue>>(&record) {
        Ok(json) => Payload::Json(json),
        Err(_) => Payload::Base64(BASE64.encode(record)),
    };
    Outgoing::DeadLetter(DeadLetter {
        key: Some(event.key.clone()),
        headers,
        value,
        common: None,
    })
}

type Headers = Vec<(String, String)>;

const fn letter(value: Payload, headers: Headers) -> DeadLetter {
    DeadLetter {
        key: None,
        headers,
        value,
        common: None,
    }
}

/// Keeps as many bytes as fit, and says how many there were if that is not all.
fn beginning(bytes: &[u8], mut headers: Headers) -> DeadLetter {
    let kept = bytes.get(..MAX_BYTES).unwrap_or(bytes);
    if kept.len() < bytes.len() {
        headers.push(header("cut_from_bytes", &bytes.len().to_string()));
    }
    letter(Payload::Base64(BASE64.encode(kept)), headers)
}

/// The first rejection on its own, to filter by, and all of them.
fn rejections_headers(rejections: &[Rejection], source: Source<'_>) -> Headers {
    let rejections: Vec<Rejection> = rejections.iter().map(without_persons).collect();
    let mut all = match rejections.first() {
        Some(first) => headers(first.code.as_str(), &first.pointer, &first.message),
        None => Vec::new(),
    };
    let list = serde_json::to_string(&rejections).unwrap_or_default();
    all.push(header("rejections", &list));
    all.push(header("shop_id", source.shop_id));
    all.push(header("received_at", &source.received_at.to_string()));
    all
}

/// Sentences quote what was sent.
fn without_persons(rejection: &Rejection) -> Rejection {
    let mut rejection = rejection.clone();
    if let Some(masked) = mask::clean(&rejection.message) {
        rejection.message = masked;
    }
    rejection
}

fn headers(code: &str, pointer: &str, message: &str) -> Headers {
    vec![
        header("code", code),
        header("pointer", pointer),
        header("message", message),
    ]
}

fn header(name: &str, value: &str) -> (String, String) {
    (format!("{PREFIX}{name}"), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::tests::event as good_event;

    const SOURCE: Source<'_> = Source {
        shop_id: "demo",
        received_at: 7,
    };

    fn open(letter: Outgoing) -> DeadLetter {
        match letter {
            Outgoing::DeadLetter(letter) => letter,
            Outgoing::Event(_) => panic!("it is a dead letter"),
        }
    }

    fn value<'a>(letter: &'a DeadLetter, name: &str) -> Option<&'a str> {
        let name = format!("shoptrail.{name}");
        let mut headers = letter.headers.iter();
        let found = headers.find(|(header, _)| *header == name);
        found.map(|(_, value)| value.as_str())
    }

    fn kept(letter: &DeadLetter) -> Vec<u8> {
        match &letter.value {
            Payload::Json(json) => json.get().as_bytes().to_vec(),
            Payload::Base64(text) => BASE64.decode(text).unwrap(),
        }
    }

    fn common() -> Rc<Common> {
        let event = good_event("k", "{}");
        Rc::clone(event.common().unwrap())
    }

    fn rejections() -> Vec<Rejection> {
        shoptrail_schemas::batch::read_head(b"{}").unwrap_err()
    }

    #[test]
    fn event_keeps_its_bytes_and_all_reasons() {
        let text = "{ \"event_type\" :\n\"nope\" }";
        let rejections = rejections();
        let letter = open(event(text.as_bytes(), &rejections, SOURCE, &common(), 0));
        assert_eq!(kept(&letter), text.as_bytes());
        assert_eq!(value(&letter, "code"), Some(rejections[0].code.as_str()));
        assert_eq!(
            value(&letter, "pointer"),
            Some(rejections[0].pointer.as_str())
        );
        assert_eq!(
            value(&letter, "message"),
            Some(rejections[0].message.as_str())
        );
        assert_eq!(value(&letter, "shop_id"), Some("demo"));
        assert_eq!(value(&letter, "received_at"), Some("7"));
        let all: Vec<Rejection> =
            serde_json::from_str(value(&letter, "rejections").unwrap()).unwrap();
        assert_eq!(all, rejections);
    }

    #[test]
    fn bytes_that_are_no_json_are_kept_as_they_came() {
        let bytes = b"{\"a\":\"\xff\"}";
        let letter = open(event(bytes, &rejections(), SOURCE, &common(), 0));
        assert_eq!(kept(&letter), bytes);
    }

    #[test]
    fn every_letter_fits_a_queue_message() {
        let large = format!("\"{}\"", "x".repeat(512 * 1024));
        for letter in [
            event(large.as_bytes(), &rejections(), SOURCE, &common(), 0),
            body(large.as_bytes(), &rejections(), SOURCE, 3),
            queue_message(&large, "no reason", 7),
        ] {
            let letter = open(letter);
            assert_eq!(kept(&letter), &large.as_bytes()[..MAX_BYTES]);
            assert_eq!(value(&letter, "cut_from_bytes"), Some("524290"));
            let packed = crate::queue_message::pack(vec![Outgoing::DeadLetter(letter)], 0).unwrap();
            assert!(packed.oversized.is_empty());
        }
    }

    #[test]
    fn letter_says_how_many_were_not_kept_before_it() {
        let letter = open(body(b"{}", &rejections(), SOURCE, 3));
        assert_eq!(value(&letter, "skipped_before"), Some("3"));
        assert_eq!(value(&letter, "cut_from_bytes"), None);
        let after_others = open(event(b"{}", &rejections(), SOURCE, &common(), 4));
        assert_eq!(value(&after_others, "skipped_before"), Some("4"));
    }

    #[test]
    fn event_that_kafka_refuses_keeps_its_key_and_origin() {
        let Outgoing::Event(event) = good_event("visitor", "{}") else {
            panic!("it is an event")
        };
        let letter = open(refused_by_kafka(&event, "record too large"));
        assert_eq!(letter.key.as_deref(), Some("visitor"));
        assert_eq!(kept(&letter), event.record().as_bytes());
        assert_eq!(value(&letter, "code"), Some("refused_by_kafka"));
        assert_eq!(value(&letter, "message"), Some("record too large"));
        assert_eq!(value(&letter, "shop_id"), Some("demo"));
        assert_eq!(value(&letter, "received_at"), Some("7"));
    }
}
