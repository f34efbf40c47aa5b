//! `gold_channel_attribution`: each order shared out over the sessions that led to it, by five rules.

use std::collections::BTreeMap;

use anyhow::Result;

use super::super::calendar::{DAY, Day};
use super::super::csv::Csv;
use super::super::market::{DIRECT, Shop};
use super::story::{KnownOrder, Story};

/// The columns of the file.
const COLUMNS: &str = "day,shop_id,model,channel,utm_campaign,currency,touched_orders,\
    credited_orders_millionths,credited_gross_minor,credited_net_minor";

/// How far back a path reaches.
const LOOKBACK: i64 = 30 * DAY;
/// After which time a touch counts half.
const HALF_LIFE: i64 = 7 * DAY;
/// An order in the unit in which orders are credited.
const ORDER: i64 = 1_000_000;
/// The weight of a touch at the moment of the order.
const FULL_WEIGHT: f64 = 1e9;

const MODELS: [&str; 5] = ["first", "last", "linear", "position", "time_decay"];

/// Day, shop, model, channel, campaign and currency.
type Key = (
    Day,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Credits by what they are counted under.
#[derive(Default)]
pub struct Attribution(BTreeMap<Key, [i64; 4]>);

/// A session on the path to an order: its channel, its campaign, and how long before the order it began.
type Touch = (&'static str, &'static str, i64);

impl Attribution {
    /// Adds the orders of a household.
    pub fn count(&mut self, story: &Story<'_>) {
        for known in &story.orders {
            let path = path(story, known);
            for model in MODELS {
                self.credit(story.household.shop, known, model, &path);
            }
        }
    }

    fn credit(
        &mut self,
        shop: &'static Shop,
        known: &KnownOrder<'_>,
        model: &'static str,
        path: &[Touch],
    ) {
        let weights = weights(path, model);
        let orders = share(ORDER, &weights);
        let gross = share(known.order.value, &weights);
        let net = share(known.net(), &weights);
        let mut touched: Vec<Key> = Vec::new();
        for (place, (channel, campaign, _)) in path.iter().enumerate() {
            if orders[place] == 0 {
                continue;
            }
            let day = shop.day(known.step.at);
            let key = (
                day,
                shop.id,
                model,
                *channel,
                *campaign,
                known.order.currency.code,
            );
            let sums = self.0.entry(key).or_default();
            sums[0] += i64::from(!touched.contains(&key));
            sums[1] += orders[place];
            sums[2] += gross[place];
            sums[3] += net[place];
            touched.push(key);
        }
    }

    /// Writes the file.
    pub fn write(&self, folder: &std::path::Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_channel_attribution", COLUMNS)?;
        for ((day, shop, model, channel, campaign, currency), sums) in &self.0 {
            csv.day(*day);
            for text in [shop, model, channel, campaign, currency] {
                csv.text(text);
            }
            csv.numbers(*sums).end()?;
        }
        csv.finish()
    }
}

/// The sessions of the browser in the 30 days before the order, the earliest first; direct ones only if there are no others.
fn path(story: &Story<'_>, known: &KnownOrder<'_>) -> Vec<Touch> {
    let of_browser = story
        .visits()
        .filter(|session| session.browser == known.step.browser);
    let all: Vec<Touch> = of_browser
        .map(|session| {
            let campaign = session.entry(story).campaign()[2].unwrap_or("(not set)");
            let age = known.step.at - session.start();
            (session.channel(story), campaign, age)
        })
        .filter(|(_, _, age)| (0..LOOKBACK).contains(age))
        .collect();
    let others: Vec<Touch> = all
        .iter()
        .copied()
        .filter(|(channel, _, _)| *channel != DIRECT)
        .collect();
    if others.is_empty() { all } else { others }
}

fn weights(path: &[Touch], model: &str) -> Vec<i128> {
    let last = path.len().saturating_sub(1);
    let between = path.len().saturating_sub(2) as i128;
    let weight = |(place, (_, _, age)): (usize, &Touch)| match model {
        "first" => i128::from(place == 0),
        "last" => i128::from(place == last),
        "linear" => 1,
        // 40 % each to the first and the last, 20 % to all between.
        "position" if between == 0 => 1,
        "position" if place == 0 || place == last => 2 * between,
        "position" => 1,
        _ => (FULL_WEIGHT * (-(*age as f64 / HALF_LIFE as f64)).exp2()).round() as i128,
    };
    path.iter().enumerate().map(weight).collect()
}

/// Shares an amount out: everybody's share rounded down, and one each of the rest to who lost most by that, the earlier of
/// equals.
fn share(amount: i64, weights: &[i128]) -> Vec<i64> {
    let total: i128 = weights.iter().sum::<i128>().max(1);
    let exact = |weight: &i128| i128::from(amount) * weight;
    let mut shares: Vec<i128> = weights.iter().map(|weight| exact(weight) / total).collect();
    let mut losses: Vec<(i128, usize)> = (0..)
        .zip(weights)
        .map(|(place, weight)| (-(exact(weight) % total), place))
        .collect();
    losses.sort_unstable();
    let rest = i128::from(amount) - shares.iter().sum::<i128>();
    for (_, place) in losses
        .iter()
        .take(usize::try_from(rest).unwrap_or_default())
    {
        shares[*place] += 1;
    }
    shares
        .into_iter()
        .map(|share| i64::try_from(share).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_every_model_add_up_to_the_order() {
        let path: Vec<Touch> = [20, 9, 3, 0]
            .map(|days| ("Email", "november", days * DAY))
            .to_vec();
        for model in MODELS {
            let weights = weights(&path, model);
            assert_eq!(share(1_001, &weights).iter().sum::<i64>(), 1_001, "{model}");
        }
        assert_eq!(share(100, &weights(&path, "position")), [40, 10, 10, 40]);
        assert_eq!(share(2, &weights(&path[..3], "linear")), [1, 1, 0]);
    }
}
