//! Rows of one landing as they are collected.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use polars::prelude::*;
use rdkafka::message::{BorrowedMessage, Message, Timestamp};

use super::decode::{Refusal, decode};
use crate::bronze::{self, Understood};
use crate::judging::Judging;
use crate::table::Table;
use crate::warehouse::Offsets;

/// So many events become columns at once: as rows they take several times the memory.
const ROWS_AT_ONCE: usize = 4_096;

/// Rows of one landing: events, and what is none.
pub(super) struct Rows<'a> {
    /// The topic as bronze names it.
    stream: String,
    judging: &'a Judging,
    /// Events that are no columns yet.
    events: Vec<EventRow>,
    /// Those that are.
    columns: Vec<DataFrame>,
    quarantine: Vec<(Position, Refusal, String)>,
    offsets: Offsets,
    bytes: usize,
}

struct Position {
    partition: i32,
    offset: i64,
    timestamp_us: Option<i64>,
}

struct EventRow {
    position: Position,
    schema_id: u32,
    text: String,
    /// What it tells, if it can be counted; builds say why it cannot.
    understood: Option<Understood>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(stream: &str, judging: &'a Judging) -> Self {
        Self {
            stream: stream.to_owned(),
            judging,
            events: Vec::new(),
            columns: Vec::new(),
            quarantine: Vec::new(),
            offsets: Offsets::new(),
            bytes: 0,
        }
    }

    pub(super) fn events(&self) -> usize {
        self.events.len() + self.columns.iter().map(DataFrame::height).sum::<usize>()
    }

    pub(super) fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    pub(super) fn len(&self) -> usize {
        self.events() + self.quarantined()
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

    /// Takes a message in.
    ///
    /// # Errors
    /// Returns an error if the events so far cannot become columns.
    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>) -> PolarsResult<()> {
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
        match decode(value, self.judging) {
            Ok(decoded) => self.events.push(EventRow {
                position,
                schema_id: decoded.schema_id,
                text: decoded.text.into_owned(),
                understood: decoded.understood,
            }),
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
        if self.events.len() >= ROWS_AT_ONCE {
            self.make_columns()?;
        }
        Ok(())
    }

    fn make_columns(&mut self) -> PolarsResult<()> {
        self.columns
            .push(event_columns(&self.stream, &self.events)?);
        self.events.clear();
        Ok(())
    }

    /// The rows as frames of `bronze_events` and `bronze_quarantine`.
    ///
    /// # Errors
    /// Returns an error if rows cannot become columns.
    pub(super) fn into_frames(mut self) -> PolarsResult<(DataFrame, DataFrame)> {
        if !self.events.is_empty() {
            self.make_columns()?;
        }
        let mut columns = self.columns.into_iter();
        let mut events = columns.next().unwrap_or_else(|| bronze::EVENTS.empty());
        for more in columns {
            events.vstack_mut_owned(more)?;
        }
        Ok((events, quarantine_columns(&self.stream, &self.quarantine)?))
    }
}

fn event_columns(stream: &str, rows: &[EventRow]) -> PolarsResult<DataFrame> {
    let mut columns = positions(stream, rows.iter().map(|row| &row.position));
    let schema_ids: Vec<_> = rows.iter().map(|row| i64::from(row.schema_id)).collect();
    let texts: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
    columns.extend([
        Column::new("schema_id".into(), schema_ids),
        Column::new("record".into(), texts),
    ]);
    let understood = rows.iter().map(|row| row.understood.as_ref());
    columns.extend(bronze::understood_columns(understood)?.into_columns());
    frame(&bronze::EVENTS, rows.len(), columns)
}

fn quarantine_columns(
    stream: &str,
    rows: &[(Position, Refusal, String)],
) -> PolarsResult<DataFrame> {
    let mut columns = positions(stream, rows.iter().map(|row| &row.0));
    let text = |name: &str, read: fn(&(Position, Refusal, String)) -> &str| {
        Column::new(name.into(), rows.iter().map(read).collect::<Vec<_>>())
    };
    columns.extend([
        text("code", |row| &row.1.code),
        text("pointer", |row| &row.1.pointer),
        text("reason", |row| &row.1.reason),
        text("value_base64", |row| &row.2),
    ]);
    frame(&bronze::QUARANTINE, rows.len(), columns)
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
