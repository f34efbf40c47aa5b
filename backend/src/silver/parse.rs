//! A record as bronze holds it, read, with what a single event tells.

use std::ops::{Range, RangeInclusive};

use shoptrail_schemas::{Item, Record, money};
use xxhash_rust::xxh3::xxh3_64;

use super::channel::channel;
use super::page::{Page, host_of};

/// From this score on an event counts as made by a program.
pub(super) const BOT_SCORE: u8 = 50;

/// 2020-01-01 to 2100-01-01, UTC milliseconds: what lies outside is no shop's event, and calendars end somewhere.
const TIMES_MS: Range<i64> = 1_577_836_800_000..4_102_444_800_000;

/// A trillion of a currency with three decimals: 9,000 such amounts still add up in 64 bits.
const AMOUNTS_MINOR: RangeInclusive<i128> = -1_000_000_000_000_000..=1_000_000_000_000_000;

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

/// Why a record of bronze is not an event that can be counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// A bounded list.
    pub(super) code: &'static str,
    /// What is wrong, in a sentence.
    pub(super) reason: String,
}

impl Unreadable {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
}

impl Parsed {
    /// Reads a record as bronze holds it.
    ///
    /// # Errors
    /// Returns an error if the text is not a record of the contract, or a number in it is out of bounds.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let record: Record = serde_json::from_str(text)
            .map_err(|error| Unreadable::new("malformed_record", error.to_string()))?;
        let event_time_ms = event_time_ms(&record);
        for (name, time) in [
            ("received_at", record.edge.received_at),
            ("event_time", event_time_ms),
        ] {
            if !TIMES_MS.contains(&time) {
                return Err(Unreadable::new(
                    "time_out_of_range",
                    format!("`{name}` is {time} ms, not between 2020 and 2100"),
                ));
            }
        }
        let page = Page::read(&record.event.page_url);
        let referrer_host = record.event.referrer_url.as_deref().and_then(host_of);
        let parsed = Self {
            hash: hash(&record)?,
            event_time_us: event_time_ms * 1_000,
            channel: channel(&page, referrer_host.as_deref()),
            page,
            referrer_host,
            record,
        };
        parsed.check_amounts()?;
        Ok(parsed)
    }

    fn check_amounts(&self) -> Result<(), Unreadable> {
        for (index, item) in self.record.event.items.iter().flatten().enumerate() {
            let amount = self.product(item);
            if amount.is_some_and(|amount| !AMOUNTS_MINOR.contains(&amount)) {
                return Err(Unreadable::new(
                    "amount_too_large",
                    format!("price times quantity of item {index} is more than money can be"),
                ));
            }
        }
        Ok(())
    }

    /// Price times quantity of a product, in minor units.
    pub(super) fn amount_minor(&self, item: &Item) -> Option<i64> {
        i64::try_from(self.product(item)?).ok()
    }

    fn product(&self, item: &Item) -> Option<i128> {
        let quantity = item.quantity.unwrap_or(1);
        Some(i128::from(self.minor(item.price)?) * i128::from(quantity))
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
    let text = serde_json::to_vec(&record)
        .map_err(|error| Unreadable::new("malformed_record", error.to_string()))?;
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
