//! What is counted by product: `gold_product_performance` and `gold_trending_products`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use shoptrail_schemas::EventType;

use super::super::calendar::{DAY, Day, MINUTE};
use super::super::csv::Csv;
use super::super::market::{PRODUCTS, SHOPS};
use super::super::plan::{Line, Step};
use super::story::Story;

const COLUMNS: &str = "day,shop_id,item_id,currency,item_name,item_category,views,carts,purchases,\
    quantity,revenue_minor,refunds,refunded_quantity,refunds_minor,cart_rate,purchase_rate,\
    view_to_purchase_rate";
const TREND_COLUMNS: &str = "window_start,shop_id,item_id,currency,day,window_end,item_name,views,\
    carts,purchases,revenue_minor,trend_score";

/// Windows begin every 5 minutes and last twice as long.
const SLOT: i64 = 5 * MINUTE;
/// Windows in the day that a product is compared with.
const WINDOWS_A_DAY: f64 = 144.0;

/// A product of a shop in a currency.
type Product = (&'static str, usize, &'static str);

/// What is counted by product.
#[derive(Default)]
pub struct Products {
    days: BTreeMap<(Day, Product), Sums>,
    /// Interactions in each slot.
    slots: BTreeMap<Product, BTreeMap<i64, Sums>>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    views: i64,
    carts: i64,
    purchases: i64,
    sold: i64,
    revenue: i64,
    refunds: i64,
    refunded: i64,
    refunded_minor: i64,
}

impl Products {
    /// Adds a household.
    pub fn count(&mut self, story: &Story<'_>) {
        for step in story.visits().flat_map(|session| &session.steps) {
            let counts = match step.kind {
                EventType::ViewItem | EventType::AddToCart => true,
                EventType::Purchase => story.order_of(step).is_some(),
                EventType::Refund => story.is_refund(step),
                _ => false,
            };
            if counts {
                self.count_step(story, step);
            }
        }
    }

    fn count_step(&mut self, story: &Story<'_>, step: &Step) {
        let shop = story.household.shop;
        let Some(currency) = step.currency else {
            return;
        };
        for (place, line) in step.lines.iter().enumerate() {
            let amount = line.amount(currency);
            let is_other_line = |other: &Line| other.product == line.product;
            // A product on two lines of an event is in it once.
            let once = i64::from(!step.lines[..place].iter().any(is_other_line));
            let product = (shop.id, line.product, currency.code);
            let of_day = self.days.entry((shop.day(step.at), product)).or_default();
            of_day.add(step.kind, once, line.thousandths, amount);
            // What comes back is no interest in a product.
            if step.kind == EventType::Refund {
                continue;
            }
            let slots = self.slots.entry(product).or_default();
            let of_slot = slots.entry(step.at.div_euclid(SLOT) * SLOT).or_default();
            of_slot.add(step.kind, once, line.thousandths, amount);
        }
    }

    /// Writes the files; returns how many rows they have.
    pub fn write(&self, folder: &Path) -> Result<u64> {
        Ok(self.write_days(folder)? + self.write_trends(folder)?)
    }

    fn write_days(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_product_performance", COLUMNS)?;
        for ((day, (shop, product, currency)), of) in &self.days {
            let product = &PRODUCTS[*product];
            csv.day(*day);
            for text in [shop, product.id, currency, product.name, product.category] {
                csv.text(text);
            }
            csv.numbers([of.views, of.carts, of.purchases])
                .thousandths(of.sold)
                .numbers([of.revenue, of.refunds])
                .thousandths(of.refunded)
                .number(of.refunded_minor)
                .ratio(of.carts, of.views)
                .ratio(of.purchases, of.carts)
                .ratio(of.purchases, of.views)
                .end()?;
        }
        csv.finish()
    }

    fn write_trends(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_trending_products", TREND_COLUMNS)?;
        for (product, slots) in &self.slots {
            let windows: BTreeSet<i64> =
                slots.keys().flat_map(|slot| [slot - SLOT, *slot]).collect();
            for window in windows {
                write_window(*product, slots, window, &mut csv)?;
            }
        }
        csv.finish()
    }
}

fn write_window(
    (shop_id, product, currency): Product,
    slots: &BTreeMap<i64, Sums>,
    window: i64,
    csv: &mut Csv,
) -> Result<()> {
    let within = |from: i64, to: i64| {
        let mut sums = Sums::default();
        for (_, of) in slots.range(from..to) {
            sums.views += of.views;
            sums.carts += of.carts;
            sums.purchases += of.purchases;
            sums.revenue += of.revenue;
        }
        sums
    };
    let sums = within(window, window + 2 * SLOT);
    let baseline = within(window - DAY, window).interest() as f64 / WINDOWS_A_DAY;
    let score = (sums.interest() as f64 - baseline) / (baseline + 1.0).sqrt();
    let shop = SHOPS.iter().find(|shop| shop.id == shop_id);
    let middle = window + SLOT;
    csv.instant(window)
        .text(shop_id)
        .text(PRODUCTS[product].id)
        .text(currency)
        .day(shop.map_or(Day::of(middle), |shop| shop.day(middle)))
        .instant(window + 2 * SLOT)
        .text(PRODUCTS[product].name)
        .numbers([sums.views, sums.carts, sums.purchases, sums.revenue])
        .float(score)
        .end()
}

impl Sums {
    fn add(&mut self, kind: EventType, once: i64, thousandths: i64, amount: i64) {
        match kind {
            EventType::ViewItem => self.views += once,
            EventType::AddToCart => self.carts += once,
            EventType::Purchase => {
                self.purchases += once;
                self.sold += thousandths;
                self.revenue += amount;
            }
            _ => {
                self.refunds += once;
                self.refunded += thousandths;
                self.refunded_minor += amount;
            }
        }
    }

    /// What interest in a product weighs: a cart says more than a look, a purchase more than a cart.
    fn interest(&self) -> i64 {
        self.views + 3 * self.carts + 5 * self.purchases
    }
}
