//! The tables a business reads, one file each.
//!
//! A gold table says what it reads, how far back, and how its rows follow. To add one: a file in `gold/` and a line in
//! [`TABLES`].

pub mod cart_recovery;
pub mod channel_attribution;
pub mod cohort_retention;
pub mod conversion_funnel;
pub mod customer_ltv;
pub mod daily_kpis;
pub mod device_trends;
pub mod landing_pages;
pub mod pipeline_completeness;
pub mod product_performance;
pub mod search_terms;
pub mod trending_products;

use polars::prelude::*;

use crate::config::Reporting;
use crate::table::Table;

/// All gold tables.
pub static TABLES: [&Gold; 12] = [
    &daily_kpis::GOLD,
    &product_performance::GOLD,
    &trending_products::GOLD,
    &conversion_funnel::GOLD,
    &customer_ltv::GOLD,
    &device_trends::GOLD,
    &landing_pages::GOLD,
    &search_terms::GOLD,
    &cohort_retention::GOLD,
    &channel_attribution::GOLD,
    &cart_recovery::GOLD,
    &pipeline_completeness::GOLD,
];

/// A gold table: its definition and how it follows from silver.
#[derive(Debug)]
pub struct Gold {
    /// Name, columns, partition.
    pub table: Table,
    /// What of silver it reads.
    pub reads: &'static [Input],
    /// Which rows of them decide a row.
    pub scope: Scope,
    /// The plan; its input holds what `scope` asks for, its output may hold other days, which the run leaves out.
    pub build: fn(&Silver) -> PolarsResult<LazyFrame>,
}

/// Columns of a silver table that a gold table is built from.
#[derive(Debug)]
pub struct Input {
    /// The table.
    pub table: &'static Table,
    /// Its columns that the plan names, and the one that says whether a row counts.
    pub columns: &'static [&'static str],
}

/// Which silver rows a gold row depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A row of a day depends on that day and so many days before it.
    Days {
        /// Days before.
        back: i32,
    },
    /// A row is of a product and a time, and depends on the lines of the product around it.
    Products(Around),
    /// A row of a day depends on that day and on how its sessions went on, on the next days too.
    RestOfSessions {
        /// The events that rows are made of, beside orders.
        event_types: &'static [&'static str],
    },
    /// A row of a day depends on the orders of that day, and on the sessions of those who ordered on it and so many days
    /// before it.
    PathsToOrders {
        /// Days before.
        back: i32,
    },
    /// A row belongs to a visitor and a span of time, and depends on what the visitor did around it.
    Visitors(Spans),
    /// A row adds up records, programs' too, each of which counts with those of its tracker's session so many days around it.
    SumsOverVisits {
        /// Days before and after.
        around: i32,
    },
    /// A row is of a customer, and depends on the customer's orders and on the day of the shop's latest order.
    Customers,
    /// Every row may depend on every silver row.
    Everything,
}

/// How far a product's line of `silver_items` reaches: it changes rows of the product with a time from `before_us` before it
/// until `after_us` after it, which themselves depend on lines as far as that the other way. In microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The column with a row's time.
    pub time: &'static str,
    /// Before the line.
    pub before_us: i64,
    /// After the line.
    pub after_us: i64,
}

impl Around {
    /// Days that a row depends on before its own.
    pub fn days(&self) -> i32 {
        let reach_us = self.before_us.max(self.after_us);
        i32::try_from(reach_us / (24 * 60 * 60 * 1_000_000)).unwrap_or(i32::MAX - 1) + 1
    }
}

/// Rows that span some time of a visitor's, each further from the next than a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// The column in which a row's span begins.
    pub from: &'static str,
    /// The column in which it ends.
    pub to: &'static str,
    /// Longest pause within a row, in microseconds: nothing further from a row than this can change it.
    pub gap_us: i64,
    /// The events that rows are made of, beside orders.
    pub event_types: &'static [&'static str],
}

/// The silver rows a gold table is built from: what people did, and orders whose purchase is known. Tables it does not read
/// are empty.
#[derive(Clone)]
pub struct Silver {
    /// `silver_events`.
    pub events: LazyFrame,
    /// `silver_items`.
    pub items: LazyFrame,
    /// `silver_sessions`.
    pub sessions: LazyFrame,
    /// `silver_orders`.
    pub orders: LazyFrame,
    /// `silver_refunds`.
    pub refunds: LazyFrame,
    /// `silver_left_out`.
    pub left_out: LazyFrame,
    /// How shops report.
    pub reporting: Reporting,
}

/// `part / whole` as a float; 0 where there is no whole.
fn ratio(part: Expr, whole: Expr) -> Expr {
    let whole = whole.cast(DataType::Float64);
    when(whole.clone().eq(lit(0.0)))
        .then(lit(0.0))
        .otherwise(part.cast(DataType::Float64) / whole)
}

/// `part / whole` in whole minor units, half away from zero; 0 where there is no whole.
fn average_minor(part: Expr, whole: Expr) -> Expr {
    let is_negative = part.clone().lt(lit(0_i64));
    let size = when(is_negative.clone())
        .then(lit(0_i64) - part.clone())
        .otherwise(part);
    // Twice a sum may not fit into 64 bits; twice what is left of it does.
    let below = size.clone().floor_div(whole.clone());
    let left = size - below.clone() * whole.clone();
    let is_half = (left * lit(2_i64)).gt_eq(whole.clone());
    let average = below + is_half.cast(DataType::Int64);
    when(whole.eq(lit(0_i64)))
        .then(lit(0_i64))
        .when(is_negative)
        .then(lit(0_i64) - average.clone())
        .otherwise(average)
}

/// How many rows satisfy a condition.
fn count(condition: Expr) -> Expr {
    condition.cast(DataType::Int64).sum()
}

/// How many rows there are.
fn rows() -> Expr {
    len().cast(DataType::Int64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_holds_every_file_of_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gold");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                format!(
                    "gold_{}",
                    entry.unwrap().path().file_stem().unwrap().to_str().unwrap()
                )
            })
            .collect();
        files.sort();
        let mut listed: Vec<&str> = TABLES.iter().map(|gold| gold.table.name).collect();
        listed.sort_unstable();
        assert_eq!(listed, files);
    }

    #[test]
    fn averages_round_half_away_from_zero_and_survive_zero() {
        let frame = df!(
            "part" => [10_i64, -10, 11, -11, -9, 5, i64::MAX, -i64::MAX],
            "whole" => [4_i64, 4, 2, 2, 4, 0, 1, 2],
        );
        let frame = frame.unwrap().lazy();
        let out = frame
            .select([average_minor(col("part"), col("whole")).alias("average")])
            .collect()
            .unwrap();
        let expected = [
            3_i64,
            -3,
            6,
            -6,
            -2,
            0,
            i64::MAX,
            -4_611_686_018_427_387_904,
        ];
        assert_eq!(out, df!("average" => expected).unwrap());
    }
}
