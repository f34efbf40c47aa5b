//! Records to rows: what the contract accepts goes to bronze, the rest to quarantine with its reason.

use std::borrow::Cow;
use std::panic::{UnwindSafe, catch_unwind};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use polars::prelude::*;
use rdkafka::message::{BorrowedMessage, Message, Timestamp};
use serde_json::value::RawValue;
use shoptrail_schemas::derive::Derived;
use shoptrail_schemas::validate::{self, ValidEvent};
use shoptrail_schemas::{Event, Record, Rejection, Warning, wire};

use crate::bronze::{self, Understood};
use crate::judging::Judging;
use crate::table::Table;
use crate::warehouse::Offsets;

/// Rows of one landing as they are collected.
pub(super) struct Rows<'a> {
    /// The topic as bronze names it.
    stream: String,
    judging: &'a Judging,
    events: Vec<(Position, u32, String)>,
    /// What each of them tells, if it can be counted; builds say why it cannot.
    understood: Vec<Option<Understood>>,
    quarantine: Vec<(Position, Refusal, String)>,
    offsets: Offsets,
    bytes: usize,
}

struct Position {
    partition: i32,
    offset: i64,
    timestamp_us: Option<i64>,
}

/// Why a record is not an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: String,
    pointer: String,
    reason: String,
}

impl<'a> Rows<'a> {
    pub(super) fn new(stream: &str, judging: &'a Judging) -> Self {
        Self {
            stream: stream.to_owned(),
            judging,
            events: Vec::new(),
            understood: Vec::new(),
            quarantine: Vec::new(),
            offsets: Offsets::new(),
            bytes: 0,
        }
    }

    pub(super) fn events(&self) -> usize {
        self.events.len()
    }

    pub(super) fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    pub(super) fn len(&self) -> usize {
        self.events.len() + self.quarantine.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last offset of each partition.
    pub(super) fn offsets(&self) -> Offsets {
        self.offsets.clone()
    }

    /// Where landing them leads from what has landed before.
    pub(super) fn reached(&self, landed: &Offsets) -> Offsets {
        let mut reached = landed.clone();
        reached.extend(&self.offsets);
        reached
    }

    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let position = Position {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_us: match message.timestamp() {
                Timestamp::CreateTime(ms) | Timestamp::LogAppendTime(ms) => {
                    Some(ms.saturating_mul(1_000))
                }
                Timestamp::NotAvailable => None,
            },
        };
        self.offsets.insert(position.partition, position.offset);
        let value = message.payload().unwrap_or_default();
        self.bytes += value.len();
        let judging = self.judging;
        match caught(|| decode(value, judging)) {
            Ok(decoded) => {
                let text = decoded.text.into_owned();
                self.events.push((position, decoded.schema_id, text));
                self.understood.push(decoded.understood);
            }
            Err(refusal) => {
                tracing::warn!(
                    kafka.partition = position.partition,
                    kafka.offset = position.offset,
                    reject.code = refusal.code,
                    "record quarantined"
                );
                self.quarantine
                    .push((position, refusal, BASE64_STANDARD.encode(value)));
            }
        }
    }

    /// The rows as frames of `bronze_events` and `bronze_quarantine`.
    pub(super) fn into_frames(self) -> PolarsResult<(DataFrame, DataFrame)> {
        let mut events = positions(&self.stream, self.events.iter().map(|row| &row.0));
        events.extend([
            Column::new(
                "schema_id".into(),
                self.events
                    .iter()
                    .map(|row| i64::from(row.1))
                    .collect::<Vec<_>>(),
            ),
            Column::new(
                "record".into(),
                self.events
                    .iter()
                    .map(|row| row.2.as_str())
                    .collect::<Vec<_>>(),
            ),
        ]);
        events.extend(
            bronze::understood_columns(self.understood.iter().map(Option::as_ref))?.into_columns(),
        );
        let mut quarantine = positions(&self.stream, self.quarantine.iter().map(|row| &row.0));
        let text = |name: &str, read: fn(&(Position, Refusal, String)) -> &str| {
            Column::new(
                name.into(),
                self.quarantine.iter().map(read).collect::<Vec<_>>(),
            )
        };
        quarantine.extend([
            text("code", |row| &row.1.code),
            text("pointer", |row| &row.1.pointer),
            text("reason", |row| &row.1.reason),
            text("value_base64", |row| &row.2),
        ]);
        Ok((
            frame(&bronze::EVENTS, self.events.len(), events)?,
            frame(&bronze::QUARANTINE, self.quarantine.len(), quarantine)?,
        ))
    }
}

fn frame(table: &Table, height: usize, columns: Vec<Column>) -> PolarsResult<DataFrame> {
    table
        .conform(DataFrame::new(height, columns)?.lazy())
        .collect()
}

/// The columns that say where rows come from; the warehouse gives them their time of landing.
fn positions<'a>(stream: &str, rows: impl Iterator<Item = &'a Position> + Clone) -> Vec<Column> {
    let integer = |name: &str, read: fn(&Position) -> Option<i64>| {
        Column::new(name.into(), rows.clone().map(read).collect::<Vec<_>>())
    };
    vec![
        Column::new("_topic".into(), vec![stream; rows.clone().count()]),
        integer("_partition", |row| Some(row.partition.into())),
        integer("_offset", |row| Some(row.offset)),
        integer("_kafka_timestamp", |row| row.timestamp_us),
        integer(bronze::LANDED_AT, |_| Some(0)),
    ]
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

/// A record that holds an event.
#[derive(Debug, PartialEq)]
struct Decoded<'a> {
    schema_id: u32,
    /// The record's JSON, as it came unless its event was repaired or cleaned here.
    text: Cow<'a, str>,
    understood: Option<Understood>,
}

/// Reads a Kafka value: Confluent's wire format around a record whose event the contract accepts.
fn decode<'a>(value: &'a [u8], judging: &Judging) -> Result<Decoded<'a>, Refusal> {
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
