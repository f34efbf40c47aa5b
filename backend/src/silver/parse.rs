//! A record as bronze holds it, read, with what a single event tells.

use std::ops::Range;

use shoptrail_schemas::{Item, Record, money};
use xxhash_rust::xxh3::xxh3_64;

use super::channel::channel;
use super::page::{Page, host_of};

/// From this score on an event counts as made by a program.
pub(super) const BOT_SCORE: u8 = 50;

/// 2020-01-01 to 2100-01-01, UTC milliseconds: what lies outside is no shop's event, and calendars end somewhere.
const TIMES_MS: Range<i64> = 1_577_836_800_000..4_102_444_800_000;

/// A trillion of a currency with three decimals; 9,000 such amounts still add up in 64 bits.
const MAX_LINE_MINOR: i64 = 1_000_000_000_000_000;

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

    /// Every amount has minor units, and every line of products a total: what has none would vanish without a word.
    fn check_amounts(&self) -> Result<(), Unreadable> {
        let event = &self.record.event;
        if let Some(currency) = &event.currency
            && money::digits(currency).is_none()
        {
            let reason = format!("`{currency}` is not an ISO 4217 currency code in upper case");
            return Err(Unreadable::new("unknown_currency", reason));
        }
        let items = || event.items.iter().flatten();
        let amounts = [event.value, event.tax, event.shipping].into_iter();
        let mut amounts = amounts
            .chain(items().flat_map(|item| [item.price, item.discount]))
            .flatten();
        let vanishes = |amount| event.currency.is_some() && self.minor(Some(amount)).is_none();
        let line_vanishes =
            |item: &Item| self.minor(item.price).is_some() && self.amount_minor(item).is_none();
        if amounts.any(vanishes) || items().any(line_vanishes) {
            return Err(Unreadable::new(
                "amount_too_large",
                "an amount, or a price times its quantity, is more than money can be",
            ));
        }
        Ok(())
    }

    /// Price times quantity of a product, in minor units.
    pub(super) fn amount_minor(&self, item: &Item) -> Option<i64> {
        let total = money::line_total(self.minor(item.price)?, item.quantity.unwrap_or(1.0))?;
        (total.abs() <= MAX_LINE_MINOR).then_some(total)
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
