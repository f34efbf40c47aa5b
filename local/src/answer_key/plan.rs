//! The plan of a household: everything that its people, and programs under their names, do in one shop. Records are written
//! from it and the truth is counted from it; neither looks at the other.

use shoptrail_schemas::EventType;

use super::market::{Currency, DIRECT, Machine, PRODUCTS, Shop, Source};

/// Who shares browsers and accounts, with all they do.
#[derive(Debug)]
pub struct Household {
    /// The shop they visit.
    pub shop: &'static Shop,
    /// Its number in the shop.
    pub number: u64,
    /// Their browsers.
    pub browsers: Vec<Browser>,
    /// Their customer numbers.
    pub accounts: Vec<String>,
    /// The pages they opened.
    pub pages: Vec<Page>,
    /// The orders they placed.
    pub orders: Vec<Order>,
    /// What they did, visit by visit.
    pub steps: Vec<Step>,
}

/// A browser.
#[derive(Debug)]
pub struct Browser {
    /// Its visitor id.
    pub id: String,
    /// What it runs on.
    pub machine: &'static Machine,
    /// Where it is.
    pub country: Option<&'static str>,
    /// How far its clock is ahead.
    pub clock_ahead_ms: i64,
}

/// A page that was opened.
#[derive(Debug)]
pub struct Page {
    /// Its path.
    pub path: String,
    /// What led to the shop, of a visit's first page.
    pub source: Option<&'static Source>,
    /// The page before within the shop.
    pub before: Option<usize>,
}

/// An order.
#[derive(Debug)]
pub struct Order {
    /// Its number.
    pub id: String,
    /// What was bought.
    pub lines: Vec<Line>,
    /// The currency it was paid in.
    pub currency: &'static Currency,
    /// Value of the goods, minor units.
    pub value: i64,
    /// Tax, minor units.
    pub tax: i64,
    /// Shipping, minor units.
    pub shipping: i64,
    /// Coupon.
    pub coupon: Option<&'static str>,
    /// Payment method.
    pub payment: &'static str,
}

/// A product in a cart, an order or a list.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its place among all products.
    pub product: usize,
    /// How much of it, in thousandths.
    pub thousandths: i64,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its id, as a number.
    pub id: u128,
    /// When it happened, by a clock that is right.
    pub at: i64,
    /// Its browser.
    pub browser: usize,
    /// The visit it belongs to: the tracker's session.
    pub visit: usize,
    /// Its number in the visit.
    pub seq: i64,
    /// What happened.
    pub kind: EventType,
    /// On which page.
    pub page: usize,
    /// Under which account.
    pub account: Option<usize>,
    /// The products concerned.
    pub lines: Vec<Line>,
    /// The currency of all amounts.
    pub currency: Option<&'static Currency>,
    /// What it is worth, minor units.
    pub value: Option<i64>,
    /// The order it concerns.
    pub order: Option<usize>,
    /// What was searched for: a place in [`super::market::TERMS`].
    pub term: Option<usize>,
    /// Attention of a `page_ping`.
    pub engagement_ms: Option<i64>,
    /// How sure the edge is that a program made it.
    pub bot_score: u8,
    /// What becomes of it on its way.
    pub way: Way,
}

/// How an event gets to Kafka.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Never: only its number was used.
    pub is_lost: bool,
    /// When it was sent, by a clock that is right, and received.
    pub sent: Delivery,
    /// When the tracker sent it again, because it saw no answer.
    pub again: Option<Delivery>,
    /// How many days later Kafka has the first record once more, in the same words.
    pub twice_after_days: Option<i64>,
}

/// One delivery of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// When the browser sent it, by a clock that is right.
    pub sent_at: i64,
    /// When the edge received it.
    pub received_at: i64,
}

/// From this score on a program made an event.
const PROGRAM_SCORE: u8 = 50;

impl Step {
    /// Whether a program made it.
    pub fn is_program(&self) -> bool {
        self.bot_score >= PROGRAM_SCORE
    }

    /// What decides the order of a browser's events.
    pub fn place(&self) -> (i64, i64, u128) {
        (self.at, self.seq, self.id)
    }
}

impl Line {
    /// Price times quantity, minor units, halves away from zero.
    pub fn amount(&self, currency: &Currency) -> i64 {
        let price = PRODUCTS[self.product].price(currency);
        (price * self.thousandths + 500) / 1_000
    }
}

impl Household {
    /// The page of a step.
    pub fn page(&self, step: &Step) -> &Page {
        &self.pages[step.page]
    }

    /// The customer number under which a step happened.
    pub fn user(&self, step: &Step) -> Option<&str> {
        step.account.map(|account| self.accounts[account].as_str())
    }
}

impl Page {
    /// The channel that it and its referrer tell.
    pub fn channel(&self) -> &'static str {
        self.source.map_or(DIRECT, |source| source.channel)
    }

    /// Source, medium and name of its campaign.
    pub fn campaign(&self) -> [Option<&'static str>; 3] {
        self.source.map_or([None; 3], |source| source.campaign)
    }

    /// The host of its referrer.
    pub fn referrer_host(&self, shop: &Shop) -> Option<&'static str> {
        match self.source {
            Some(source) => source.referrer_host,
            None => self.before.map(|_| shop.host),
        }
    }
}

/// Value of goods, minor units.
pub fn value(lines: &[Line], currency: &Currency) -> i64 {
    lines.iter().map(|line| line.amount(currency)).sum()
}
