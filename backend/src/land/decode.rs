//! What a Kafka value holds: an event that the contract accepts, or the reason why it is none.

use std::borrow::Cow;
use std::panic::{UnwindSafe, catch_unwind};

use serde_json::value::RawValue;
use shoptrail_schemas::derive::Derived;
use shoptrail_schemas::validate::{self, ValidEvent};
use shoptrail_schemas::{Event, Record, Rejection, Warning, wire};

use crate::bronze::Understood;
use crate::judging::Judging;

/// Why a record is not an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) pointer: String,
    pub(super) reason: String,
}

/// A record that holds an event.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded<'a> {
    pub(super) schema_id: u32,
    /// The record's JSON, as it came unless its event was repaired or cleaned here.
    pub(super) text: Cow<'a, str>,
    /// What it tells, if it can be counted.
    pub(super) understood: Option<Understood>,
}

/// Reads a Kafka value: Confluent's wire format around a record whose event the contract accepts.
pub(super) fn decode<'a>(value: &'a [u8], judging: &Judging) -> Result<Decoded<'a>, Refusal> {
    caught(|| read(value, judging))
}

/// A panic over one record is that record's fault, and stops no other.
fn caught<T>(read: impl FnOnce() -> Result<T, Refusal> + UnwindSafe) -> Result<T, Refusal> {
    let broken = |_| Refusal {
        code: "unreadable".to_owned(),
        pointer: String::new(),
        reason: "the program broke while it read this; please report it with the record".to_owned(),
    };
    catch_unwind(read).map_err(broken)?
}

fn read<'a>(value: &'a [u8], judging: &Judging) -> Result<Decoded<'a>, Refusal> {
    let whole = |code: &str, reason: String| Refusal {
        code: code.to_owned(),
        pointer: String::new(),
        reason,
    };
    let malformed = |error: serde_json::Error| whole("malformed_record", error.to_string());
    let (schema_id, json) =
        wire::decode(value).map_err(|error| whole("wire_format", error.to_string()))?;
    let json = std::str::from_utf8(json).map_err(|error| whole("not_utf8", error.to_string()))?;
    let mut record: Record<&RawValue> = serde_json::from_str(json).map_err(malformed)?;
    let judged =
        judge(&mut record, judging).map_err(|rejections| match rejections.into_iter().next() {
            Some(first) => Refusal {
                code: first.code.as_str().to_owned(),
                pointer: format!("/event{}", first.pointer),
                reason: first.message,
            },
            None => whole("malformed_record", "the event is not valid".to_owned()),
        })?;
    let judged = judged.map_err(malformed)?;
    let text = match judged.text {
        Some(event) => {
            record.edge.warnings.extend(judged.warnings);
            Cow::Owned(written(&event, &record, &judged.derived).map_err(malformed)?)
        }
        // What the edge warned of and left as it is is in its warnings.
        None => Cow::Borrowed(json),
    };
    let record = Record {
        event: judged.event,
        batch: record.batch,
        edge: record.edge,
    };
    Ok(Decoded {
        schema_id,
        text,
        understood: Understood::new(record, judged.derived).ok(),
    })
}

/// What judging makes of the event of a record.
struct Judged {
    /// Its text, where that is not as it came.
    text: Option<String>,
    event: Event,
    derived: Derived,
    warnings: Vec<Warning>,
}

impl Judged {
    fn new(
        came: &str,
        event: &ValidEvent<'_>,
        derived: Derived,
        warnings: &[Warning],
    ) -> serde_json::Result<Self> {
        Ok(Self {
            text: (event.text() != came).then(|| event.text().to_owned()),
            event: event.to_event()?,
            derived,
            warnings: warnings.to_vec(),
        })
    }
}

/// Holds the event of a record against the contract and takes what the edge derived from it. An edge that derived nothing
/// cleaned nothing either: both are made up for.
fn judge(
    record: &mut Record<&RawValue>,
    judging: &Judging,
) -> Result<serde_json::Result<Judged>, Vec<Rejection>> {
    let came = record.event.get();
    match record.edge.derived.take() {
        Some(derived) => {
            let clock = judging.clock(&record.edge, &record.batch);
            let event = validate::event(came, Some(&clock))?;
            Ok(Judged::new(came, &event, derived, event.warnings()))
        }
        None => judging.circumstances(&record.edge).judge_record(
            came,
            &record.batch,
            |event, derived, warnings| Ok(Judged::new(came, event, derived.clone(), warnings)),
        ),
    }
}

/// The record with its event repaired or cleaned, as the edge writes it; older edges did neither.
fn written(
    event: &str,
    record: &Record<&RawValue>,
    derived: &Derived,
) -> serde_json::Result<String> {
    let mut edge = record.edge.clone();
    edge.derived = Some(derived.clone());
    serde_json::to_string(&Record {
        event: serde_json::from_str::<&RawValue>(event)?,
        batch: record.batch.clone(),
        edge,
    })
}

#[cfg(test)]
mod tests;
