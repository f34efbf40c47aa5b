//! A record as bronze holds it, read, with what a single event tells.

use shoptrail_schemas::{Record, money};
use xxhash_rust::xxh3::xxh3_64;

use super::channel::channel;
use super::page::{Page, host_of};

/// From this score on an event counts as made by a program.
const BOT_SCORE: u8 = 50;

/// One event with what follows from it alone.
pub(super) struct Parsed {
    pub(super) record: Record,
    /// Hash of the record: decides between two that share event id and time of receipt.
    pub(super) hash: i64,
    pub(super) event_time_us: i64,
    pub(super) page: Page,
    pub(super) referrer_host: Option<String>,
    pub(super) channel: &'static str,
}

/// A bronze row that does not hold a record.
#[derive(Debug, thiserror::Error)]
#[error(
    "bronze holds a record that cannot be read: {0}\nhint: it did not pass `shoptrail land`; remove the row or fix its writer"
)]
pub struct Unreadable(String);

impl Parsed {
    /// Reads a record as bronze holds it.
    ///
    /// # Errors
    /// When the text is not a record of the contract.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let record: Record =
            serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
        let page = Page::read(&record.event.page_url);
        let referrer_host = record.event.referrer_url.as_deref().and_then(host_of);
        Ok(Self {
            hash: hash(&record)?,
            event_time_us: event_time_ms(&record) * 1_000,
            channel: channel(&page, referrer_host.as_deref()),
            page,
            referrer_host,
            record,
        })
    }

    /// Whether a program made the event.
    pub(super) fn is_bot(&self) -> bool {
        self.record.edge.bot_score >= BOT_SCORE
    }

    pub(super) fn received_at_us(&self) -> i64 {
        self.record.edge.received_at.saturating_mul(1_000)
    }

    /// An amount of the event in minor units; the edge has checked that it has no more decimals than its currency.
    pub(super) fn minor(&self, amount: Option<f64>) -> Option<i64> {
        money::minor_units(amount?, self.record.event.currency.as_deref()?).ok()
    }
}

/// The same for the same record whichever way it came: as the text that stood in Kafka, or put together from the columns
/// of Confluent's sink, which knows no missing lists and keeps `properties` in a form of its own.
fn hash(record: &Record) -> Result<i64, Unreadable> {
    let mut record = record.clone();
    record.event.properties = None;
    record.event.items = record.event.items.filter(|items| !items.is_empty());
    let text = serde_json::to_vec(&record).map_err(|error| Unreadable(error.to_string()))?;
    Ok(xxh3_64(&text).cast_signed())
}

/// When it happened, in milliseconds: the browser's clock may be wrong, but the time from event to sending is not.
fn event_time_ms(record: &Record) -> i64 {
    let waited = record
        .batch
        .sent_at
        .saturating_sub(record.event.event_timestamp)
        .max(0);
    record.edge.received_at.saturating_sub(waited).max(0)
}
