//! A record, understood once: what one event tells by itself, as columns. Landing writes them beside the record's text; a
//! row that lacks them (an older one, or one of Confluent's sink) is understood when a build reads it.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use shoptrail_edge::privacy::Subject;
use shoptrail_schemas::derive::{self, Derived, ItemAmounts, Request};
use shoptrail_schemas::limits::MAX_LINE_UNITS;
use shoptrail_schemas::{ConsentState, Event, Item, Record, money, validate};
use xxhash_rust::xxh3::xxh3_64;

use crate::judging::Judging;

/// 2020-01-01 to 2100-01-01, UTC milliseconds: what lies outside is no shop's event, and calendars end somewhere.
pub(crate) const TIMES_MS: Range<i64> = 1_577_836_800_000..4_102_444_800_000;

/// One event with what follows from it alone.
#[derive(Debug, PartialEq)]
pub(crate) struct Understood {
    pub(super) record: Record,
    pub(super) derived: Derived,
    /// Hash of the record: decides between two that share event id and time of receipt.
    pub(super) hash: i64,
    /// The products, as JSON.
    pub(super) items: Option<String>,
}

/// Why a record is not an event that can be counted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// A bounded list.
    pub(crate) code: &'static str,
    /// What is wrong, in a sentence.
    pub(crate) reason: String,
}

/// A product of an event, as the column `items` has it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ItemText<'a> {
    #[serde(borrow)]
    pub(crate) item_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) item_name: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) item_brand: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) item_category: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) discount_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount_minor: Option<i64>,
}

impl Unreadable {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    fn malformed(error: &serde_json::Error) -> Self {
        Self::new("malformed_record", error.to_string())
    }
}

impl Understood {
    /// Reads a record as bronze holds it. What no edge derived anything of is cleaned and derived here, as the edge does it.
    ///
    /// # Errors
    /// Returns an error if the text is not a record of the contract, the event cannot be of its time, or [`Understood::new`]
    /// refuses it.
    pub(crate) fn read(text: &str, judging: &Judging) -> Result<Self, Unreadable> {
        let malformed = |error: serde_json::Error| Unreadable::malformed(&error);
        let mut record: Record<&RawValue> = serde_json::from_str(text).map_err(malformed)?;
        check_time("received_at", record.edge.received_at)?;
        let (event, derived) = match record.edge.derived.take() {
            Some(derived) => {
                let event = serde_json::from_str::<Event>(record.event.get());
                (event.map_err(malformed)?, derived)
            }
            None => cleaned_and_derived(&record, judging).map_err(malformed)?,
        };
        let record = Record {
            event,
            batch: record.batch,
            edge: record.edge,
        };
        check_age(&record, judging)?;
        Self::new(record, derived)
    }

    /// Takes a record apart from what is derived from it.
    ///
    /// # Errors
    /// Returns an error if a number of the record is out of bounds.
    pub(crate) fn new(mut record: Record, derived: Derived) -> Result<Self, Unreadable> {
        check_time("received_at", record.edge.received_at)?;
        check_time("event_time", derived.event_time)?;
        check_amounts(&record.event, &derived)?;
        record.event.properties = None;
        // Where an address was, and no key to hash it by.
        record.event.user_id = record.event.user_id.filter(|id| !id.is_empty());
        record.event.items = record.event.items.filter(|items| !items.is_empty());
        let malformed = |error: serde_json::Error| Unreadable::malformed(&error);
        Ok(Self {
            hash: hash(&record).map_err(malformed)?,
            items: items_text(&record.event, &derived).map_err(malformed)?,
            record,
            derived,
        })
    }
}

fn check_time(name: &str, ms: i64) -> Result<(), Unreadable> {
    if TIMES_MS.contains(&ms) {
        return Ok(());
    }
    Err(Unreadable::new(
        "time_out_of_range",
        format!("`{name}` is {ms} ms, not between 2020 and 2100"),
    ))
}

/// Judges the time of an event by the edge's clock.
fn check_age(record: &Record, judging: &Judging) -> Result<(), Unreadable> {
    let Event {
        event_id,
        event_timestamp,
        ..
    } = &record.event;
    let clock = judging.clock(&record.edge, &record.batch);
    match validate::time_faults(event_id, *event_timestamp, &clock).next() {
        Some(fault) => Err(Unreadable::new("time_out_of_range", fault.message)),
        None => Ok(()),
    }
}

/// The event as it may be kept, and what it tells.
fn cleaned_and_derived(
    record: &Record<&RawValue>,
    judging: &Judging,
) -> serde_json::Result<(Event, Derived)> {
    let subject = |keeps_user_id| Subject {
        shop_id: &record.edge.shop_id,
        keeps_user_id,
    };
    let request = Request {
        shop_id: &record.edge.shop_id,
        gpc: record.edge.gpc,
        clock: judging.clock(&record.edge, &record.batch),
    };
    let cleaned = judging.privacy.clean(record.event.get(), subject(true));
    let event: Event = serde_json::from_str(&cleaned)?;
    let derived = derive::event(&event.facts(), &request, &judging.rules);
    if derived.consent_analytics != ConsentState::Denied {
        return Ok((event, derived));
    }
    let anonymous = judging.privacy.mask(&cleaned, subject(false));
    Ok((serde_json::from_str(&anonymous)?, derived))
}

/// The text of a record that is no event, as it may be kept: what no edge derived anything of, none has cleaned either.
pub(super) fn kept(text: &str, judging: &Judging) -> String {
    let record: Value = serde_json::from_str(text).unwrap_or_default();
    let told = |pointer: &str| record.pointer(pointer);
    if told("/edge").is_some_and(|edge| Derived::deserialize(edge).is_ok()) {
        return text.to_owned();
    }
    let gpc = told("/edge/gpc")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    let consent = told("/event/consent/analytics")
        .and_then(|said| ConsentState::deserialize(said).ok())
        .map(|said| said.under_gpc(gpc));
    let subject = Subject {
        shop_id: told("/edge/shop_id")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        keeps_user_id: consent.is_some_and(|consent| consent != ConsentState::Denied),
    };
    let kept = judging.privacy.clean_refused(text.as_bytes(), subject);
    String::from_utf8_lossy(&kept).into_owned()
}

/// Every amount has minor units, and every line of products a total: what has none would vanish without a word.
fn check_amounts(event: &Event, derived: &Derived) -> Result<(), Unreadable> {
    let Some(currency) = &event.currency else {
        return Ok(());
    };
    if money::digits(currency).is_none() {
        let reason = format!("`{currency}` is not an ISO 4217 currency code in upper case");
        return Err(Unreadable::new("unknown_currency", reason));
    }
    let vanishes = |sent: Option<f64>, minor: Option<i64>| sent.is_some() && minor.is_none();
    let line_vanishes = |(item, amounts): (&Item, ItemAmounts)| {
        vanishes(item.price, amounts.price_minor)
            || vanishes(item.discount, amounts.discount_minor)
            || item.price.is_some()
                && amounts
                    .amount_minor
                    .is_none_or(|total| total.unsigned_abs() > MAX_LINE_UNITS.unsigned_abs())
    };
    if vanishes(event.value, derived.value_minor)
        || vanishes(event.tax, derived.tax_minor)
        || vanishes(event.shipping, derived.shipping_minor)
        || items(event, derived).any(line_vanishes)
    {
        return Err(Unreadable::new(
            "amount_too_large",
            "an amount, or a price times its quantity, is more than money can be",
        ));
    }
    Ok(())
}

/// The products of an event, each with its amounts.
fn items<'a>(
    event: &'a Event,
    derived: &'a Derived,
) -> impl Iterator<Item = (&'a Item, ItemAmounts)> {
    let amounts = |index| derived.item_amounts.get(index).copied().unwrap_or_default();
    let items = event.items.iter().flatten().enumerate();
    items.map(move |(index, item)| (item, amounts(index)))
}

fn items_text(event: &Event, derived: &Derived) -> serde_json::Result<Option<String>> {
    let items: Vec<ItemText<'_>> = items(event, derived)
        .map(|(item, amounts)| ItemText {
            item_id: Cow::Borrowed(&item.item_id),
            item_name: item.item_name.as_deref().map(Cow::Borrowed),
            item_brand: item.item_brand.as_deref().map(Cow::Borrowed),
            item_category: item.item_category.as_deref().map(Cow::Borrowed),
            quantity: item.quantity,
            price_minor: amounts.price_minor,
            discount_minor: amounts.discount_minor,
            amount_minor: amounts.amount_minor,
        })
        .collect();
    let items = (!items.is_empty()).then_some(items);
    items.map(|items| serde_json::to_string(&items)).transpose()
}

/// The same for the same record whichever way it came: as the text that stood in Kafka, or put together from the columns
/// of Confluent's sink, which knows no missing lists and keeps `properties` in a form of its own.
fn hash(record: &Record) -> serde_json::Result<i64> {
    // Most records fit, so that the text is not moved while it grows.
    let mut text = Vec::with_capacity(2_048);
    serde_json::to_writer(&mut text, record)?;
    Ok(xxh3_64(&text).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_392_000_000;

    fn read(text: &str) -> Result<Understood, Unreadable> {
        Understood::read(text, &Judging::default())
    }

    /// A record of an edge that derives nothing, with other members of its event.
    fn record(event: &str) -> String {
        format!(
            r#"{{"event":{{"event_id":"01a205b3-d000-739b-aea5-966c26f8ad91","event_type":"purchase","event_timestamp":{NOW},
            "seq":1,"anonymous_id":"a","session_id":"s","page_url":"https://shop.example/p?gclid=g",
            "consent":{{"analytics":"granted","ads":"denied"}}{event}}},
            "batch":{{"sent_at":{NOW},"tracker":{{"name":"t","version":"1"}}}},
            "edge":{{"received_at":{NOW},"shop_id":"demo","schema_version":1,"device":"desktop","browser":"Chrome",
            "os":"Linux","bot_score":0,"bot_reasons":[]}}}}"#
        )
    }

    #[test]
    fn what_the_edge_derived_is_taken_as_it_is() {
        let text = record("");
        let plain = read(&text).unwrap();
        assert_eq!(plain.derived.channel.as_str(), "Paid Search");
        let mut record: Record = serde_json::from_str(&text).unwrap();
        record.edge.derived = Some(Derived {
            page_path: "/from-the-edge".to_owned(),
            ..plain.derived
        });
        let derived = read(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(derived.derived.page_path, "/from-the-edge");
        assert_eq!(derived.hash, plain.hash, "the record is the same");
    }

    #[test]
    fn products_keep_their_decimals_and_their_amounts() {
        let text = record(
            r#","currency":"EUR","value":18.5,"transaction_id":"o","items":[{"item_id":"cheese","price":10,"quantity":1.85},
            {"item_id":"\"quoted\""}]"#,
        );
        let items = read(&text).unwrap().items.unwrap();
        let items: Vec<ItemText<'_>> = serde_json::from_str(&items).unwrap();
        assert_eq!(items[0].quantity, Some(1.85));
        assert_eq!(items[0].amount_minor, Some(1850));
        assert_eq!(items[1].item_id, "\"quoted\"");
        assert_eq!((items[1].price_minor, items[1].amount_minor), (None, None));
    }

    #[test]
    fn time_is_judged_whether_or_not_an_edge_derived_anything() {
        let judging = |days: i64| Judging {
            max_age_ms: days * 86_400_000,
            ..Judging::default()
        };
        let old = NOW - 8 * 86_400_000;
        let id_of = |ms: i64| format!("{:08x}-{:04x}", ms >> 16, ms & 0xffff);
        let eight_days_old = record("")
            .replacen(&NOW.to_string(), &old.to_string(), 1)
            .replace(&id_of(NOW), &id_of(old));
        let id_of_another_day = record("").replace(&id_of(NOW), &id_of(old));
        let from_tomorrow =
            record("").replacen(&NOW.to_string(), &(NOW + 86_400_000).to_string(), 1);
        for (text, days, expected) in [
            (&eight_days_old, 7, Some("more than 7 days ago")),
            (&eight_days_old, 8, None),
            (
                &id_of_another_day,
                7,
                Some("was not made when the event happened"),
            ),
            (&from_tomorrow, 7, Some("in the future")),
        ] {
            let derived = derived_long_ago(text);
            for text in [text, &derived] {
                let refused = Understood::read(text, &judging(days)).err();
                assert_eq!(refused.is_some(), expected.is_some(), "{text}");
                if let (Some(refused), Some(expected)) = (refused, expected) {
                    assert_eq!(refused.code, "time_out_of_range");
                    assert!(refused.reason.contains(expected), "{}", refused.reason);
                }
            }
        }
    }

    /// The record as an edge leaves it that judges no times.
    fn derived_long_ago(text: &str) -> String {
        let mut record: Record = serde_json::from_str(text).unwrap();
        record.edge.derived = Some(read(&self::record("")).unwrap().derived);
        serde_json::to_string(&record).unwrap()
    }
}
