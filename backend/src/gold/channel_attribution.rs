//! `gold_channel_attribution`: which channels led to orders, by five rules.
//!
//! The path to an order is the sessions of its visitor in the 30 days up to it. Direct visits get no credit unless the path
//! has no others, as in Google Analytics (support.google.com/analytics/answer/10596866), which also has the five models:
//! first and last touch; linear, to all alike; position, 40 % each to the first and the last and 20 % to those between;
//! time decay, half as much for every 7 days before the order.
//!
//! Credits are whole minor units and add up to the order in every model, by the largest remainder: each touch gets its share
//! rounded down, and what is left goes to those that lost most by it, to the earlier of equals.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver};
use crate::money;
use crate::silver::{orders, sessions};
use crate::table::ColumnType::{Date, Integer, Text};
use crate::table::{Column, Layer, Table};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
/// How far back a path to an order reaches.
const LOOKBACK_US: i64 = 30 * DAY_US;
/// The days that [`LOOKBACK_US`] may touch: one more than 30 where a clock is put forward in between.
pub(crate) const LOOKBACK_DAYS: i32 = 31;
/// After which time a touch counts half.
const HALF_LIFE_US: i64 = 7 * DAY_US;
/// An order in the unit in which orders are credited.
const ORDER: i64 = 1_000_000;
/// The weight of a touch at the moment of the order in the time-decay model; 30 days before it is still 51 millions.
const FULL_WEIGHT: f64 = 1e9;

/// Orders and their value by the channels that led to them.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_channel_attribution",
        layer: Layer::Gold,
        description: "One row per day of orders, shop, attribution model, channel, campaign and currency: the part of the \
            orders and of their value that the model credits; each model's rows add up to all orders",
        columns: &[
            Column::new("day", Date, "Day of the orders, in the reporting time zone"),
            Column::new("shop_id", Text, "Shop"),
            Column::new(
                "model",
                Text,
                "`first`, `last`, `linear`, `position` (40/20/40) or `time_decay` (half-life 7 days)",
            )
            .one_of(&["first", "last", "linear", "position", "time_decay"]),
            Column::new("channel", Text, "Channel of the credited sessions"),
            Column::new(
                "utm_campaign",
                Text,
                "Campaign of the credited sessions, `(not set)` without one",
            ),
            Column::new("currency", Text, "ISO 4217 code of the orders"),
            Column::new(
                "touched_orders",
                Integer,
                "Orders with credit in this row; rows do not add up",
            ),
            Column::new(
                "credited_orders_millionths",
                Integer,
                "Orders credited, in millionths of an order",
            ),
            Column::new(
                "credited_gross_minor",
                Integer,
                "Value before refunds credited, minor units",
            ),
            Column::new(
                "credited_net_minor",
                Integer,
                "Value less refunds credited, minor units",
            ),
        ],
        partition: Some("day"),
        key: &[
            "day",
            "shop_id",
            "model",
            "channel",
            "utm_campaign",
            "currency",
        ],
    },
    reads: &[
        Input {
            table: &sessions::TABLE,
            columns: &[
                "day",
                "shop_id",
                "session_key",
                "anonymous_id",
                "session_start",
                "channel",
                "utm_campaign",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &[
                "day",
                "shop_id",
                "transaction_id",
                "anonymous_id",
                "ordered_at",
                "currency",
                "gross_minor",
                "net_minor",
                "purchase_event_id",
            ],
        },
    ],
    scope: Scope::PathsToOrders {
        back: LOOKBACK_DAYS,
    },
    build,
};

/// A rule that shares an order out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    First,
    Last,
    Linear,
    Position,
    TimeDecay,
}

/// All rules, each with its name in the table.
const MODELS: [(Model, &str); 5] = [
    (Model::First, "first"),
    (Model::Last, "last"),
    (Model::Linear, "linear"),
    (Model::Position, "position"),
    (Model::TimeDecay, "time_decay"),
];

/// A session on the path to an order.
#[derive(Clone, Copy, Debug)]
struct Touch {
    /// Number of the order.
    order: i64,
    /// Microseconds from the session's start to the order.
    age_us: i64,
    gross_minor: i64,
    net_minor: i64,
}

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let paths = paths(silver)?.collect()?;
    let touches = touches(&paths)?;
    let mut credited = Vec::new();
    for (model, name) in MODELS {
        let credits = credits(&touches, model)?;
        let rows = paths.clone().hstack(credits.columns())?.lazy();
        credited.push(rows.with_column(lit(name).alias("model")));
    }
    let is_credited = col("credited_orders_millionths").neq(lit(0_i64));
    let rows = concat(credited, UnionArgs::default())?
        .filter(is_credited)
        .group_by(GOLD.table.key.iter().copied().map(col).collect::<Vec<_>>())
        .agg([
            col("order_number")
                .n_unique()
                .cast(DataType::Int64)
                .alias("touched_orders"),
            col("credited_orders_millionths").sum(),
            money::total(col("credited_gross_minor")),
            money::total(col("credited_net_minor")),
        ]);
    Ok(GOLD.table.conform(rows))
}

/// One row per order and session that counts on the path to it, in the order of orders and sessions.
fn paths(silver: &Silver) -> PolarsResult<LazyFrame> {
    let visitor = || ["shop_id", "anonymous_id"].map(col);
    let order = || ["shop_id", "transaction_id"].map(col);
    let sessions = silver.sessions.clone().select([
        col("shop_id"),
        col("anonymous_id"),
        col("session_key"),
        col("session_start"),
        col("channel"),
        col("utm_campaign").fill_null(lit("(not set)")),
    ]);
    let age = col("ordered_at").to_physical() - col("session_start").to_physical();
    let is_direct = || col("channel").eq(lit("Direct"));
    let others = is_direct().not().cast(DataType::Int64).sum();
    let in_order = ["shop_id", "transaction_id", "session_start", "session_key"];
    let begins_order = col("transaction_id")
        .neq_missing(col("transaction_id").shift(lit(1)))
        .or(col("shop_id").neq_missing(col("shop_id").shift(lit(1))));
    Ok(silver
        .orders
        .clone()
        .join(
            sessions,
            visitor(),
            visitor(),
            JoinArgs::new(JoinType::Inner),
        )
        .with_column(age.alias("age_us"))
        .filter(
            col("age_us")
                .gt_eq(lit(0_i64))
                .and(col("age_us").lt(lit(LOOKBACK_US))),
        )
        .with_column(others.over(order())?.alias("others"))
        .filter(is_direct().not().or(col("others").eq(lit(0_i64))))
        .sort(in_order, SortMultipleOptions::default())
        .with_column(
            begins_order
                .cast(DataType::Int64)
                .cum_sum(false)
                .alias("order_number"),
        ))
}

fn touches(paths: &DataFrame) -> PolarsResult<Vec<Touch>> {
    let integers = |name: &str| {
        let values = paths
            .column(name)?
            .i64()?
            .iter()
            .map(Option::unwrap_or_default);
        PolarsResult::Ok(values.collect::<Vec<i64>>())
    };
    let amounts = integers("gross_minor")?
        .into_iter()
        .zip(integers("net_minor")?);
    let touches = integers("order_number")?
        .into_iter()
        .zip(integers("age_us")?)
        .zip(amounts)
        .map(|((order, age_us), (gross_minor, net_minor))| Touch {
            order,
            age_us,
            gross_minor,
            net_minor,
        });
    Ok(touches.collect())
}

/// What a model credits to each touch.
fn credits(touches: &[Touch], model: Model) -> PolarsResult<DataFrame> {
    let (mut orders, mut gross, mut net) = (Vec::new(), Vec::new(), Vec::new());
    for path in touches.chunk_by(|left, right| left.order == right.order) {
        let weights = weights(path, model);
        orders.extend(share(ORDER, &weights));
        gross.extend(share(
            path.first().map_or(0, |touch| touch.gross_minor),
            &weights,
        ));
        net.extend(share(
            path.first().map_or(0, |touch| touch.net_minor),
            &weights,
        ));
    }
    df!(
        "credited_orders_millionths" => orders,
        "credited_gross_minor" => gross,
        "credited_net_minor" => net,
    )
}

/// What each touch of a path weighs, the earliest first.
fn weights(path: &[Touch], model: Model) -> Vec<u64> {
    let last = path.len().saturating_sub(1);
    let between = path.len().saturating_sub(2) as u64;
    let weight = |(place, touch): (usize, &Touch)| match model {
        Model::First => u64::from(place == 0),
        Model::Last => u64::from(place == last),
        Model::Linear => 1,
        Model::Position if between == 0 => 1,
        // 40 % against 20 % for all between, without fractions.
        Model::Position if place == 0 || place == last => 40 * between,
        Model::Position => 20,
        Model::TimeDecay => {
            let half_lives = touch.age_us as f64 / HALF_LIFE_US as f64;
            (FULL_WEIGHT * (-half_lives).exp2()).round() as u64
        }
    };
    path.iter().enumerate().map(weight).collect()
}

/// Shares an amount out by weights, so that the shares add up to it: by the largest remainder.
fn share(amount: i64, weights: &[u64]) -> Vec<i64> {
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: &u64| i128::from(amount) * i128::from(*weight);
    let mut shares: Vec<i64> = weights
        .iter()
        .map(|weight| i64::try_from(exact(weight).div_euclid(total)).unwrap_or(amount))
        .collect();
    let mut by_remainder: Vec<(usize, i128)> = weights
        .iter()
        .map(|weight| exact(weight).rem_euclid(total))
        .enumerate()
        .collect();
    by_remainder.sort_by_key(|(place, remainder)| (-remainder, *place));
    let left = usize::try_from(amount - shares.iter().sum::<i64>()).unwrap_or(0);
    for (place, _) in by_remainder.into_iter().take(left) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(ages_in_days: &[i64]) -> Vec<Touch> {
        let touch = |age: &i64| Touch {
            order: 1,
            age_us: age * DAY_US,
            gross_minor: 10_000,
            net_minor: 10_000,
        };
        ages_in_days.iter().map(touch).collect()
    }

    fn shares(ages_in_days: &[i64], model: Model) -> Vec<i64> {
        share(10_000, &weights(&path(ages_in_days), model))
    }

    #[test]
    fn models_share_an_order_as_their_definitions_say() {
        let days = [14, 7, 3, 0];
        assert_eq!(shares(&days, Model::First), [10_000, 0, 0, 0]);
        assert_eq!(shares(&days, Model::Last), [0, 0, 0, 10_000]);
        assert_eq!(shares(&days, Model::Linear), [2_500; 4]);
        assert_eq!(shares(&days, Model::Position), [4_000, 1_000, 1_000, 4_000]);
        assert_eq!(shares(&[1, 0], Model::Position), [5_000, 5_000]);
        assert_eq!(shares(&[0], Model::Position), [10_000]);
        // 1/4, 1/2 and 1 of 7/4.
        assert_eq!(shares(&[14, 7, 0], Model::TimeDecay), [1_429, 2_857, 5_714]);
    }

    #[test]
    fn shares_add_up_whatever_the_amount_and_the_weights() {
        assert_eq!(share(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(share(5, &[3, 3, 1]), [2, 2, 1]);
        assert_eq!(share(-100, &[1, 1, 1]), [-33, -33, -34]);
        assert_eq!(share(7, &[0, 0]), [0, 0]);
        let weights = [999_999_999, 1, 51_000_000, 7];
        for amount in [0, 1, 2, 3, 1_000_000_000_000_000, i64::MAX] {
            assert_eq!(share(amount, &weights).iter().sum::<i64>(), amount);
        }
    }
}
