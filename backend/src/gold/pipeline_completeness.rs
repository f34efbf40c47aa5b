//! `gold_pipeline_completeness`: what became of the events that trackers made.
//!
//! A tracker numbers the events of a session from 1 without holes, so that a number nobody has seen is an event that was lost,
//! refused at the edge, or is still on its way. Such an event is missing in the hour of the next one that came. What a
//! session lost at its end, no number tells.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, rows};
use crate::silver::{events, left_out};
use crate::table::ColumnType::{Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const HOUR_US: i64 = 60 * 60 * 1_000_000;

/// No tracker loses more events in a row than this: its store keeps fewer. Longer jumps are numbers that somebody made up.
const LONGEST_HOLE: i64 = 10_000;

/// Days around an event in which other events of its session are looked for: a session has no pause over 30 minutes.
const AROUND: i32 = 1;

/// What became of a record that is an event and counts, and of one that a program made.
const USED: &str = "used";
const PROGRAM: &str = "program";

/// The records and events of an hour.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_pipeline_completeness",
        layer: Layer::Gold,
        description: "One row per hour, shop and browser: what became of the events that trackers made. \
            `made` = `received` + `missing`, `received` = `used` + `by_programs` + `refused`, `landed` = `received` + `duplicates`",
        columns: &[
            Column::new("day", Date, "Day in the reporting time zone"),
            Column::new(
                "hour",
                Timestamp,
                "Start of the hour in which the events happened",
            ),
            Column::new("shop_id", Text, "Shop; `unknown` of records that tell none"),
            Column::new(
                "browser",
                Text,
                "Browser family; `unknown` of records that tell none",
            ),
            Column::new(
                "made",
                Integer,
                "Events that trackers made, by their numbers: those received and those missing",
            ),
            Column::new(
                "missing",
                Integer,
                "Numbers that no record has, counted in the hour of the next event of the session",
            ),
            Column::new("received", Integer, "Events of which a record landed"),
            Column::new(
                "landed",
                Integer,
                "Records in bronze; the same record in the same words counts once, however often it landed",
            ),
            Column::new("duplicates", Integer, "Of them those that repeat an event"),
            Column::new("refused", Integer, "Of them those that cannot be counted"),
            Column::new(
                "refused_malformed_record",
                Integer,
                "Of these no record of the contract",
            ),
            Column::new(
                "refused_time_out_of_range",
                Integer,
                "Of these with a time that cannot be",
            ),
            Column::new(
                "refused_unknown_currency",
                Integer,
                "Of these with a currency that is not in ISO 4217",
            ),
            Column::new(
                "refused_amount_too_large",
                Integer,
                "Of these with an amount beyond money",
            ),
            Column::new(
                "by_programs",
                Integer,
                "Events made by programs, left out of gold",
            ),
            Column::new(
                "used",
                Integer,
                "Events that the other tables are made from",
            ),
        ],
        partition: Some("day"),
        key: &["day", "hour", "shop_id", "browser"],
    },
    reads: &[
        Input {
            table: &events::TABLE,
            columns: &[
                "event_id",
                "day",
                "event_time",
                "shop_id",
                "browser",
                "anonymous_id",
                "session_id",
                "seq",
                "is_bot",
            ],
        },
        Input {
            table: &left_out::TABLE,
            columns: &[
                "record_id",
                "day",
                "event_time",
                "shop_id",
                "browser",
                "anonymous_id",
                "session_id",
                "seq",
                "reason",
            ],
        },
    ],
    scope: Scope::SumsOverVisits { around: AROUND },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let fates = fates(silver)?;
    let is_repeated = || col("fate").eq(lit(left_out::DUPLICATE));
    let repeated = fates.clone().filter(is_repeated());
    let repeated = repeated.with_column(lit(0_i64).cast(DataType::Int64).alias("missing"));
    let first = with_missing(fates.filter(is_repeated().not()))?;
    let hour = col("event_time").to_physical().floor_div(lit(HOUR_US)) * lit(HOUR_US);
    let of = |fate: &str| count(col("fate").eq(lit(fate)));
    let sums = concat([first, repeated], UnionArgs::default())?
        .with_column(hour.cast(Timestamp.polars()).alias("hour"))
        .group_by(["day", "hour", "shop_id", "browser"].map(col))
        .agg([
            rows().alias("landed"),
            col("missing").sum(),
            of(left_out::DUPLICATE).alias("duplicates"),
            of("malformed_record").alias("refused_malformed_record"),
            of("time_out_of_range").alias("refused_time_out_of_range"),
            of("unknown_currency").alias("refused_unknown_currency"),
            of("amount_too_large").alias("refused_amount_too_large"),
            of(PROGRAM).alias("by_programs"),
            of(USED).alias("used"),
        ])
        .with_column((col("landed") - col("duplicates")).alias("received"))
        .with_columns([
            (col("received") + col("missing")).alias("made"),
            (col("received") - col("used") - col("by_programs")).alias("refused"),
        ]);
    Ok(GOLD.table.conform(sums))
}

/// Every record with what became of it.
fn fates(silver: &Silver) -> PolarsResult<LazyFrame> {
    let record = |fate: Expr| {
        [
            col("day"),
            col("event_time"),
            col("shop_id"),
            col("browser"),
            col("anonymous_id").fill_null(lit("")),
            col("session_id").fill_null(lit("")),
            col("seq"),
            fate.alias("fate"),
        ]
    };
    let counted = when(col("is_bot")).then(lit(PROGRAM)).otherwise(lit(USED));
    concat(
        [
            silver.events.clone().select(record(counted)),
            silver.left_out.clone().select(record(col("reason"))),
        ],
        UnionArgs::default(),
    )
}

/// Adds `missing`: how many numbers lie between that of a record and the one before it in its session, of those on the days
/// around.
fn with_missing(records: LazyFrame) -> PolarsResult<LazyFrame> {
    let day = || col("day").to_physical();
    let session = ["session_id", "anonymous_id", "shop_id"];
    let spans_days = day()
        .min()
        .over(session.map(col))?
        .neq(day().max().over(session.map(col))?);
    let records = records.with_column(spans_days.alias("spans_days"));
    // Each record stands on all days from which it is seen, which are others in a session of several days alone; where it
    // stands on its own, it is counted.
    let seen_from = (-AROUND..=AROUND)
        .map(|step| {
            let seen = records.clone().filter(lit(step == 0).or(col("spans_days")));
            seen.with_column((day() + lit(step)).alias("on"))
        })
        .collect::<Vec<_>>();
    let seen = session.into_iter().chain(["on"]);
    let order = seen.clone().chain(["seq", "event_time", "browser", "fate"]);
    let before = col("seq")
        .shift(lit(1))
        .over(seen.map(col).collect::<Vec<_>>())?;
    let hole = col("seq") - before.fill_null(lit(0_i64)) - lit(1_i64);
    let is_hole = col("missing")
        .gt(lit(0_i64))
        .and(col("missing").lt_eq(lit(LONGEST_HOLE)));
    Ok(concat(seen_from, UnionArgs::default())?
        .sort(order.collect::<Vec<_>>(), SortMultipleOptions::default())
        .with_column(hole.alias("missing"))
        .filter(col("on").eq(day()))
        .with_column(
            when(is_hole)
                .then(col("missing"))
                .otherwise(lit(0_i64))
                .cast(DataType::Int64)
                .alias("missing"),
        )
        .drop(by_name(["on", "spans_days"], true, false)))
}
