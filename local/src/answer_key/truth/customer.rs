//! What is counted by customer: `gold_customer_ltv` and `gold_cohort_retention`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::super::calendar::Day;
use super::super::csv::Csv;
use super::story::{KnownOrder, Story};

const COLUMNS: &str = "customer_id,shop_id,currency,orders,gross_minor,refunds_minor,\
    lifetime_value_minor,average_order_value_minor,first_order_at,last_order_at,recency_days,\
    rfm_segment,first_channel,alive_probability,expected_orders_12m,expected_value_12m_minor";
const COHORT_COLUMNS: &str = "cohort_month,month,shop_id,currency,months_since_first,\
    cohort_customers,customers,retention_rate,orders,revenue_gross_minor,revenue_net_minor";

/// What is counted by customer.
#[derive(Default)]
pub struct Customers {
    customers: Vec<Customer>,
    /// The day of each shop's latest order.
    latest: BTreeMap<&'static str, Day>,
    /// Customers by month of their first order.
    cohorts: BTreeMap<(Day, &'static str), i64>,
    /// By cohort, month, shop and currency: customers, orders, gross, net.
    months: BTreeMap<(Day, Day, &'static str, &'static str), [i64; 4]>,
}

/// What a customer bought in a currency.
struct Customer {
    id: String,
    shop: &'static str,
    currency: &'static str,
    orders: i64,
    gross: i64,
    refunds: i64,
    first_at: i64,
    last_at: i64,
    first_day: Day,
    last_day: Day,
    days: i64,
    first_channel: &'static str,
}

impl Customers {
    /// Adds a household: nobody else's orders are of its customers.
    pub fn count(&mut self, story: &Story<'_>) {
        let mut orders: BTreeMap<&str, Vec<&KnownOrder<'_>>> = BTreeMap::new();
        for known in &story.orders {
            orders.entry(&known.customer).or_default().push(known);
            let latest = self.latest.entry(story.household.shop.id);
            let latest = latest.or_insert(Day(i64::MIN));
            *latest = (*latest).max(known.day(story.household));
        }
        for (customer, orders) in orders {
            self.count_cohort(story, &orders);
            let currencies: BTreeSet<&'static str> = orders
                .iter()
                .map(|known| known.order.currency.code)
                .collect();
            for currency in currencies {
                let of = |known: &&&KnownOrder<'_>| known.order.currency.code == currency;
                let orders: Vec<_> = orders.iter().filter(of).copied().collect();
                self.customers
                    .extend(summed_up(story, customer, currency, &orders));
            }
        }
    }

    fn count_cohort(&mut self, story: &Story<'_>, orders: &[&KnownOrder<'_>]) {
        let shop = story.household.shop.id;
        let month = |known: &&KnownOrder<'_>| known.day(story.household).first_of_month();
        let Some(cohort) = orders.iter().map(month).min() else {
            return;
        };
        *self.cohorts.entry((cohort, shop)).or_default() += 1;
        let mut seen = BTreeSet::new();
        for known in orders {
            let key = (cohort, month(known), shop, known.order.currency.code);
            let sums = self.months.entry(key).or_default();
            sums[0] += i64::from(seen.insert(key));
            sums[1] += 1;
            sums[2] += known.order.value;
            sums[3] += known.net();
        }
    }

    /// Writes the files; returns how many rows they have.
    pub fn write(&self, folder: &Path) -> Result<u64> {
        Ok(self.write_customers(folder)? + self.write_cohorts(folder)?)
    }

    fn write_customers(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_customer_ltv", COLUMNS)?;
        for of in &self.customers {
            let latest = self.latest.get(of.shop).copied().unwrap_or(of.last_day);
            let recency = latest.0 - of.last_day.0;
            let value = of.gross - of.refunds;
            let (alive, expected) = prospects(of, latest);
            csv.text(&of.id)
                .text(of.shop)
                .text(of.currency)
                .numbers([of.orders, of.gross, of.refunds, value])
                .average(of.gross, of.orders)
                .instant(of.first_at)
                .instant(of.last_at)
                .number(recency)
                .text(segment(recency, of.orders))
                .text(of.first_channel)
                .float(to_millionths(alive))
                .float(to_millionths(expected))
                .number((expected * value as f64 / of.orders as f64).round() as i64)
                .end()?;
        }
        csv.finish()
    }

    fn write_cohorts(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_cohort_retention", COHORT_COLUMNS)?;
        for ((cohort, month, shop, currency), [customers, orders, gross, net]) in &self.months {
            let size = self.cohorts.get(&(*cohort, *shop)).copied();
            let size = size.unwrap_or_default();
            csv.day(*cohort)
                .day(*month)
                .text(shop)
                .text(currency)
                .number(month.months() - cohort.months())
                .numbers([size, *customers])
                .ratio(*customers, size)
                .numbers([*orders, *gross, *net])
                .end()?;
        }
        csv.finish()
    }
}

/// The orders of a customer in a currency, which are in order.
fn summed_up(
    story: &Story<'_>,
    customer: &str,
    currency: &'static str,
    orders: &[&KnownOrder<'_>],
) -> Option<Customer> {
    let (first, last) = (orders.first()?, orders.last()?);
    let days: BTreeSet<Day> = orders
        .iter()
        .map(|known| known.day(story.household))
        .collect();
    Some(Customer {
        id: customer.to_owned(),
        shop: story.household.shop.id,
        currency,
        orders: i64::try_from(orders.len()).ok()?,
        gross: orders.iter().map(|known| known.order.value).sum(),
        refunds: orders.iter().map(|known| known.refunded()).sum(),
        first_at: first.step.at,
        last_at: last.step.at,
        first_day: first.day(story.household),
        last_day: last.day(story.household),
        days: i64::try_from(days.len()).ok()?,
        first_channel: story.sessions[first.session].channel(story),
    })
}

/// What the tables have of the model's figures: six decimals.
fn to_millionths(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn segment(recency_days: i64, orders: i64) -> &'static str {
    match (recency_days, orders) {
        (..=30, 4..) => "Champion",
        (..=90, 2..) => "Loyal",
        (..=30, _) => "New",
        (366.., _) => "Lost",
        (_, 2..) => "At risk",
        _ => "Occasional",
    }
}

/// The parameters of the BG/NBD model that its paper found for CDNOW: Fader, Hardie, Lee, Marketing Science 24 (2005).
const R: f64 = 0.243;
const ALPHA: f64 = 4.414;
const A: f64 = 0.793;
const B: f64 = 2.426;

/// The probability that a customer is not lost, and the orders to expect in 365 days: equation 10 of the paper as it is
/// printed, term by term.
fn prospects(of: &Customer, latest: Day) -> (f64, f64) {
    let weeks = |from: Day, to: Day| (to.0 - from.0) as f64 / 7.0;
    let repeats = (of.days - 1) as f64;
    let last = weeks(of.first_day, of.last_day);
    let age = weeks(of.first_day, latest);
    let ahead = 365.0 / 7.0;
    let odds = match of.days {
        1 => 0.0,
        _ => A / (B + repeats - 1.0) * ((ALPHA + age) / (ALPHA + last)).powf(R + repeats),
    };
    let c = A + B + repeats - 1.0;
    let z = ahead / (ALPHA + age + ahead);
    let growth = ((ALPHA + age) / (ALPHA + age + ahead)).powf(R + repeats);
    let series = gauss(R + repeats, B + repeats, c, z);
    let expected = c / (A - 1.0) * (1.0 - growth * series) / (1.0 + odds);
    (1.0 / (1.0 + odds), expected)
}

/// Gauss's series 2F1(a, b; c; z), to the last digit that counts.
fn gauss(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, 0.0);
    while term > sum * 1e-17 {
        term *= (a + n) * (b + n) / (c + n) * z / (n + 1.0);
        sum += term;
        n += 1.0;
    }
    sum
}
