//! `gold_cohort_retention`: who comes back to buy, by the month of the first purchase.
//!
//! The usual retention triangle: customers whose first order lies in one month, and of these those who ordered in each
//! month from then on. Source: P. S. Fader, B. G. S. Hardie, "How to Project Customer Retention", Journal of Interactive
//! Marketing 21 (2007).

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, ratio, rows};
use crate::money;
use crate::silver::orders;
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Orders of customers by the month of their first one.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_cohort_retention",
        layer: Layer::Gold,
        description: "One row per month of customers' first orders (the cohort), month, shop and currency: who of the cohort \
            ordered in the month, and for how much",
        columns: &[
            Column::new(
                "cohort_month",
                Date,
                "First day of the month of the customers' first orders, in the reporting time zone",
            ),
            Column::new("month", Date, "First day of the month of the orders"),
            Column::new(
                "months_since_first",
                Integer,
                "Months from the cohort's month to the month of the orders, from 0",
            ),
            Column::new("shop_id", Text, "Shop"),
            Column::new("currency", Text, "ISO 4217 code of the orders"),
            Column::new(
                "cohort_customers",
                Integer,
                "Customers of the cohort, in all currencies",
            ),
            Column::new(
                "customers",
                Integer,
                "Customers of the cohort who ordered in the month, in this currency",
            ),
            Column::new(
                "retention_rate",
                Float,
                "These customers / customers of the cohort, 0 to 1",
            ),
            Column::new("orders", Integer, "Their orders in the month"),
            Column::new(
                "revenue_gross_minor",
                Integer,
                "Value of these orders before refunds, minor units",
            ),
            Column::new(
                "revenue_net_minor",
                Integer,
                "Gross less refunds, minor units",
            ),
        ],
        partition: None,
        key: &["cohort_month", "month", "shop_id", "currency"],
    },
    reads: &[Input {
        table: &orders::TABLE,
        columns: &[
            "day",
            "shop_id",
            "customer_id",
            "currency",
            "gross_minor",
            "net_minor",
            "purchase_event_id",
        ],
    }],
    scope: Scope::Everything,
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let customer = || ["shop_id", "customer_id"].map(col);
    let orders = silver
        .orders
        .clone()
        .with_column(first_of_month("day").alias("month"))
        .with_column(col("month").min().over(customer())?.alias("cohort_month"));
    let cohort = || ["cohort_month", "shop_id"].map(col);
    let customers = || col("customer_id").n_unique().cast(DataType::Int64);
    let sizes = orders
        .clone()
        .group_by(cohort())
        .agg([customers().alias("cohort_customers")]);
    let months = orders
        .group_by(GOLD.table.key.iter().copied().map(col).collect::<Vec<_>>())
        .agg([
            customers().alias("customers"),
            rows().alias("orders"),
            money::total(col("gross_minor")).alias("revenue_gross_minor"),
            money::total(col("net_minor")).alias("revenue_net_minor"),
        ])
        .join(sizes, cohort(), cohort(), JoinArgs::new(JoinType::Left))
        .with_columns([
            (months_of("month") - months_of("cohort_month")).alias("months_since_first"),
            ratio(col("customers"), col("cohort_customers")).alias("retention_rate"),
        ]);
    Ok(GOLD.table.conform(months))
}

/// The first day of the month that a day lies in.
fn first_of_month(day: &str) -> Expr {
    let days_before = col(day).dt().day().cast(DataType::Int32) - lit(1_i32);
    (col(day).to_physical() - days_before).cast(DataType::Date)
}

/// Months since the year 0.
fn months_of(day: &str) -> Expr {
    let year = col(day).dt().year().cast(DataType::Int64);
    year * lit(12_i64) + col(day).dt().month().cast(DataType::Int64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_over_the_turn_of_a_year() {
        // 2024-02-29 and 2026-01-31.
        let days = Series::new("day".into(), [19_782_i32, 20_484])
            .cast(&DataType::Date)
            .unwrap();
        let months = DataFrame::new(2, vec![days.into_column()])
            .unwrap()
            .lazy()
            .with_column(first_of_month("day").alias("month"))
            .select([
                col("month").to_physical(),
                (months_of("month") - months_of("month").first()).alias("since"),
            ])
            .collect()
            .unwrap();
        let expected = df!("month" => [19_754_i32, 20_454], "since" => [0_i64, 23]).unwrap();
        assert_eq!(months, expected);
    }
}
