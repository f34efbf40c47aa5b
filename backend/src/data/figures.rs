//! Sums of rows, and rows as JSON: what every answer is put together from.

use std::collections::BTreeMap;

use anyhow::Context;
use polars::prelude::*;
use serde_json::value::RawValue;

use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::daily_kpis;
use crate::money;
use crate::show;

/// Rows as a JSON array of objects.
pub(super) type JsonRows = Box<RawValue>;

/// Sums by the name of what was added up.
pub(super) type Sums = BTreeMap<&'static str, i64>;

/// What of `gold_daily_kpis` adds up over currencies: a visit has none.
const VISITS: [&str; 7] = [
    "sessions",
    "converted_sessions",
    "bounced_sessions",
    "session_duration_ms",
    "cart_sessions",
    "abandoned_cart_sessions",
    "page_views",
];
/// What is of one currency.
const MONEY: [&str; 4] = [
    "revenue_gross_minor",
    "refunds_minor",
    "revenue_net_minor",
    "orders",
];

/// The key figures of some days.
pub(super) async fn totals(rows: &SelectedRows, days: DayRange) -> anyhow::Result<Sums> {
    let daily = rows.gold(&daily_kpis::GOLD, days).await?;
    let sums = daily.select(daily_sums(&rows.currency)).collect()?;
    one_row(&sums)
}

/// Sums of `gold_daily_kpis`: visits in all currencies, money in one.
pub(super) fn daily_sums(currency: &str) -> Vec<Expr> {
    let visits = VISITS.map(|column| col(column).sum());
    let money = MONEY.map(|column| in_currency(column, currency));
    visits.into_iter().chain(money).collect()
}

/// The sum of a column over the rows in one currency.
pub(super) fn in_currency(column: &str, currency: &str) -> Expr {
    let is_shown = col("currency").eq(lit(currency.to_owned()));
    money::total(col(column).filter(is_shown))
}

/// How many rows satisfy a condition.
pub(super) fn count(condition: Expr) -> Expr {
    condition.cast(DataType::Int64).sum()
}

/// The name of a product in its rows, the newest by `time`. What came without a name has the product's id in its place, which
/// no reader knows: any name wins over that. Of names of one time it is always the same.
pub(super) fn product_name(time: &str) -> Expr {
    let is_named = col("item_name").neq(col("item_id"));
    let newest = SortMultipleOptions::default();
    col("item_name")
        .sort_by([is_named, col(time), col("item_name")], newest)
        .last()
}

/// The whole numbers of a frame's one row, by column.
pub(super) fn one_row(frame: &DataFrame) -> anyhow::Result<Sums> {
    let names = VISITS.iter().chain(&MONEY);
    let of = |name: &&'static str| {
        let values = frame.column(name)?.cast(&DataType::Int64)?;
        let value = values.i64()?.iter().flatten().next();
        Ok((*name, value.unwrap_or(0)))
    };
    names.map(of).collect()
}

/// Collects rows, the largest `by` first and of equals the first by `name`, as JSON.
pub(super) fn largest(
    rows: LazyFrame,
    by: &str,
    name: &str,
    most: IdxSize,
) -> anyhow::Result<JsonRows> {
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    json(rows.sort([by, name], order).limit(most))
}

/// Collects rows in the order of a column, as JSON.
pub(super) fn in_order(rows: LazyFrame, by: &str) -> anyhow::Result<JsonRows> {
    json(rows.sort([by], SortMultipleOptions::default()))
}

/// Collects rows as JSON.
pub(super) fn json(rows: LazyFrame) -> anyhow::Result<JsonRows> {
    let rows = rows.collect()?;
    if rows.height() == 0 {
        return Ok(RawValue::from_string("[]".to_owned())?);
    }
    let mut text = Vec::new();
    show::write_json(rows, &mut text)?;
    let text = String::from_utf8(text).context("rows are no text")?;
    Ok(RawValue::from_string(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_has_its_newest_name_and_its_id_where_none_is_known() {
        let rows = df!(
            "item_id" => ["a", "a", "a", "a", "a", "b"],
            "item_name" => [Some("Mug"), Some("Cup"), Some("Old mug"), Some("a"), None, Some("b")],
            "day" => [2, 2, 1, 3, 3, 1],
        );
        let products = rows
            .expect("columns of one length")
            .lazy()
            .group_by([col("item_id")])
            .agg([product_name("day")])
            .sort(["item_id"], SortMultipleOptions::default())
            .collect()
            .expect("the names");
        let names = products.column("item_name").expect("a column");
        let names: Vec<Option<&str>> = names.str().expect("texts").iter().collect();
        assert_eq!(names, [Some("Mug"), Some("b")]);
    }
}
