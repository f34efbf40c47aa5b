//! The records of the world, as the edge writes them to Kafka, but for what `land` derives where it is missing. One file a
//! day of receipt, so that the files in their order are the order in which Kafka has them, to the day.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use shoptrail_schemas::{
    BatchInfo, Consent, ConsentState, Device, Edge, Event, EventType, Item, Record, SCHEMA_VERSION,
    Tracker,
};

use super::calendar::Day;
use super::market::{Currency, PRODUCTS, TERMS};
use super::plan::{Delivery, Household, Line, Page, Step};

/// The files that records are written to.
pub struct Records {
    folder: PathBuf,
    files: BTreeMap<Day, BufWriter<File>>,
    record: Record,
    text: Vec<u8>,
    /// How many records there are.
    pub written: u64,
}

impl Records {
    /// Begins in an empty folder.
    pub fn create(folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(Self {
            folder,
            files: BTreeMap::new(),
            record: blank(),
            text: Vec::new(),
            written: 0,
        })
    }

    /// Writes the records of a household.
    pub fn write(&mut self, household: &Household) -> Result<()> {
        for step in household.steps.iter().filter(|step| !step.way.is_lost) {
            self.fill(household, step);
            self.deliver(household, step, step.way.sent)?;
            self.append(step.way.sent.received_at, 0)?;
            if let Some(days) = step.way.twice_after_days {
                self.append(step.way.sent.received_at, days)?;
            }
            if let Some(again) = step.way.again {
                self.deliver(household, step, again)?;
                self.append(again.received_at, 0)?;
            }
        }
        Ok(())
    }

    /// Ends all files; returns how many there are.
    pub fn finish(mut self) -> Result<usize> {
        for file in self.files.values_mut() {
            file.flush()?;
        }
        Ok(self.files.len())
    }

    /// Writes the step into the record that is used for all of them.
    fn fill(&mut self, household: &Household, step: &Step) {
        let browser = &household.browsers[step.browser];
        let Record { event, edge, .. } = &mut self.record;
        event.event_id.clear();
        push_id(&mut event.event_id, step.id);
        event.event_type = step.kind;
        event.event_timestamp = step.at + browser.clock_ahead_ms;
        event.seq = step.seq;
        set(&mut event.anonymous_id, &browser.id);
        event.session_id.clear();
        push_session_id(&mut event.session_id, household, step);
        event.user_id = household.user(step).map(str::to_owned);
        fill_page(event, household, household.page(step));
        fill_commerce(event, household, step);
        set(&mut edge.shop_id, household.shop.id);
        edge.country = browser.country.map(str::to_owned);
        edge.device = browser.machine.device;
        set(&mut edge.browser, browser.machine.browser);
        set(&mut edge.os, browser.machine.os);
        edge.bot_score = step.bot_score;
    }

    /// Serializes the record as one delivery of it.
    fn deliver(&mut self, household: &Household, step: &Step, delivery: Delivery) -> Result<()> {
        let ahead = household.browsers[step.browser].clock_ahead_ms;
        self.record.batch.sent_at = delivery.sent_at + ahead;
        self.record.edge.received_at = delivery.received_at;
        self.text.clear();
        serde_json::to_writer(&mut self.text, &self.record)?;
        self.text.push(b'\n');
        Ok(())
    }

    fn append(&mut self, received_at: i64, days_later: i64) -> Result<()> {
        let day = Day(Day::of(received_at).0 + days_later);
        if !self.files.contains_key(&day) {
            let mut name = String::new();
            day.write(&mut name);
            let path = self.folder.join(format!("{name}.ndjson"));
            let file = File::create_new(&path)
                .with_context(|| format!("cannot create `{}`", path.display()))?;
            self.files
                .insert(day, BufWriter::with_capacity(1 << 16, file));
        }
        if let Some(file) = self.files.get_mut(&day) {
            file.write_all(&self.text)?;
            self.written += 1;
        }
        Ok(())
    }
}

/// Appends an event's id.
pub fn push_id(text: &mut String, id: u128) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for place in (0..32).rev() {
        if matches!(place, 23 | 19 | 15 | 11) {
            text.push('-');
        }
        let digit = usize::try_from(id >> (4 * place) & 0xF).unwrap_or_default();
        text.push(char::from(HEX[digit]));
    }
}

/// Appends the tracker's id of the visit of a step.
pub fn push_session_id(text: &mut String, household: &Household, step: &Step) {
    // Writing to a text cannot fail.
    let _ = write!(text, "s-{:x}-{}", household.number, step.visit);
}

fn set(text: &mut String, value: &str) {
    text.clear();
    text.push_str(value);
}

fn fill_page(event: &mut Event, household: &Household, page: &Page) {
    event.page_url.clear();
    push_url(&mut event.page_url, household, page);
    let referrer = match page.source {
        Some(source) => Some(source.referrer.to_owned()).filter(|url| !url.is_empty()),
        None => page.before.map(|before| {
            let mut url = String::with_capacity(64);
            push_url(&mut url, household, &household.pages[before]);
            url
        }),
    };
    event.referrer_url = referrer;
}

fn push_url(url: &mut String, household: &Household, page: &Page) {
    for part in ["https://", household.shop.host, &page.path] {
        url.push_str(part);
    }
    let query = page.source.map_or("", |source| source.query);
    if !query.is_empty() {
        url.push('?');
        url.push_str(query);
    }
}

fn fill_commerce(event: &mut Event, household: &Household, step: &Step) {
    let money = |minor: i64| step.currency.map(|currency| amount(minor, currency));
    event.currency = step.currency.map(|currency| currency.code.to_owned());
    event.value = step.value.and_then(money);
    event.items = step
        .currency
        .filter(|_| !step.lines.is_empty())
        .map(|currency| {
            let lines = step.lines.iter();
            lines.map(|line| item(line, currency)).collect()
        });
    event.search_term = step.term.map(|term| TERMS[term].0.to_owned());
    event.engagement_time_msec = step.engagement_ms;
    let order = step.order.map(|order| &household.orders[order]);
    event.transaction_id = order.map(|order| order.id.clone());
    let order = order.filter(|_| step.kind == EventType::Purchase);
    event.tax = order.and_then(|order| money(order.tax));
    event.shipping = order.and_then(|order| money(order.shipping));
    event.coupon = order.and_then(|order| order.coupon).map(str::to_owned);
    event.payment_method = order.map(|order| order.payment.to_owned());
}

/// Minor units as the number that shops send.
fn amount(minor: i64, currency: &Currency) -> f64 {
    // Correctly rounded, so its shortest text has no more decimals than the currency.
    minor as f64 / 10_f64.powi(currency.digits)
}

fn item(line: &Line, currency: &Currency) -> Item {
    let product = &PRODUCTS[line.product];
    Item {
        item_id: product.id.to_owned(),
        item_name: Some(product.name.to_owned()),
        item_brand: product.brand.map(str::to_owned),
        item_category: Some(product.category.to_owned()),
        price: Some(amount(product.price(currency), currency)),
        quantity: Some(line.thousandths as f64 / 1_000.0).filter(|quantity| *quantity != 1.0),
        ..Item::default()
    }
}

/// A record with what is the same in all of them.
fn blank() -> Record {
    Record {
        event: Event {
            event_id: String::new(),
            event_type: EventType::PageView,
            event_timestamp: 0,
            seq: 0,
            anonymous_id: String::new(),
            session_id: String::new(),
            user_id: None,
            page_url: String::new(),
            page_title: None,
            referrer_url: None,
            items: None,
            currency: None,
            value: None,
            transaction_id: None,
            tax: None,
            shipping: None,
            coupon: None,
            payment_method: None,
            search_term: None,
            link_url: None,
            event_name: None,
            engagement_time_msec: None,
            demographics: None,
            consent: Consent {
                analytics: ConsentState::Granted,
                ads: ConsentState::Denied,
            },
            properties: None,
        },
        batch: BatchInfo {
            sent_at: 0,
            tracker: Tracker {
                name: "shoptrail-simulate".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            context: None,
        },
        edge: Edge {
            received_at: 0,
            shop_id: String::new(),
            schema_version: SCHEMA_VERSION,
            country: None,
            region: None,
            city: None,
            device: Device::Other,
            browser: String::new(),
            os: String::new(),
            bot_score: 0,
            bot_reasons: Vec::new(),
            gpc: false,
            warnings: Vec::new(),
            derived: None,
        },
    }
}
