//! `gold_runs`: what each publication came from and what it changed, published with it. A run that finds nothing new
//! publishes nothing and is not in it.

use std::fmt::Write;

use polars::prelude::*;

use super::Reason;
use crate::config::Reporting;
use crate::gold;
use crate::silver::{self, left_out, quarantine};
use crate::table::ColumnType::{Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};
use crate::warehouse::{Change, Replaces, Traffic};

/// One row per publication.
pub static TABLE: Table = Table {
    name: "gold_runs",
    layer: Layer::Gold,
    description: "One row per publication of a build: what was new, what it changed and what it took",
    columns: &[
        Column::new("publication", Integer, "Number of the publication"),
        Column::new("day", Date, "Day it began, in the reporting time zone"),
        Column::new("started_at", Timestamp, "When it began"),
        Column::new(
            "duration_ms",
            Integer,
            "Milliseconds from then until it was ready to be published",
        ),
        Column::new(
            "reason",
            Text,
            "`new rows`; `asked`, where tables were to be built again; or why every table was: `first build`, or `settings or logic` where these changed",
        )
        .one_of(&["new rows", "first build", "asked", "settings or logic"]),
        Column::new(
            "status",
            Text,
            "`published`, or `failed` where a check kept the tables as they were",
        )
        .one_of(&["published", "failed"]),
        Column::new("bronze_rows", Integer, "Rows of bronze it read as new"),
        Column::new(
            "left_out_rows",
            Integer,
            "Rows that came to `silver_left_out`: records that repeat an event or cannot be counted",
        ),
        Column::new(
            "quarantined_rows",
            Integer,
            "Rows that came to `silver_quarantine`: records that cannot be counted",
        ),
        Column::new(
            "changes",
            Text,
            "Of each changed table the rows that came and went (`=`: all of it was replaced), and of gold the changed tables it is made from",
        ),
        Column::new("checks_warned", Integer, "Checks that found something to look at"),
        Column::new("checks_failed", Integer, "Checks that found a broken promise"),
        Column::new("bytes_read", Integer, "Bytes of rows read"),
        Column::new(
            "bytes_billed",
            Integer,
            "Bytes that the warehouse billed for queries; 0 for a lake",
        ),
    ],
    partition: Some("day"),
    key: &["publication"],
};

/// What there is to say of a run before it is published.
pub(super) struct Run<'a> {
    /// The publication it makes.
    pub(super) publication: u64,
    /// When it began, in microseconds since the epoch.
    pub(super) started_us: i64,
    /// When it was ready, in microseconds since the epoch.
    pub(super) ready_us: i64,
    pub(super) reason: Reason,
    pub(super) bronze_rows: usize,
    /// What it publishes; of a run that failed, what it would have.
    pub(super) changes: &'a [Change],
    /// How many checks warned and failed.
    pub(super) checks: (usize, usize),
    /// What it moved so far.
    pub(super) traffic: Traffic,
}

impl Run<'_> {
    /// The row of this run.
    ///
    /// # Errors
    /// Returns an error if the time zone is not known to the library.
    pub(super) fn change(&self, reporting: &Reporting) -> PolarsResult<Change> {
        let integer = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let bytes = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (warned, failed) = self.checks;
        let row = df!(
            "publication" => [bytes(self.publication)],
            "started_at" => [self.started_us],
            "duration_ms" => [(self.ready_us - self.started_us).max(0) / 1_000],
            "reason" => [self.reason.name()],
            "status" => [if failed > 0 { "failed" } else { "published" }],
            "bronze_rows" => [integer(self.bronze_rows)],
            "left_out_rows" => [integer(came_to(&left_out::TABLE, self.changes))],
            "quarantined_rows" => [integer(came_to(&quarantine::TABLE, self.changes))],
            "changes" => [self.told()],
            "checks_warned" => [integer(warned)],
            "checks_failed" => [integer(failed)],
            "bytes_read" => [bytes(self.traffic.bytes_read)],
            "bytes_billed" => [bytes(self.traffic.bytes_billed)],
        )?;
        let row = row
            .lazy()
            .with_column(col("started_at").cast(Timestamp.polars()))
            .with_column(silver::day_in("started_at", &reporting.time_zone).alias("day"));
        Ok(Change {
            table: &TABLE,
            replaces: Replaces::Keys(TABLE.empty().select(TABLE.address())?),
            rows: TABLE.conform(row).collect()?.into(),
        })
    }

    /// For example `silver_orders +1; gold_daily_kpis +1 -1 from silver_orders`.
    fn told(&self) -> String {
        let mut told = String::new();
        for change in self.changes {
            let separator = if told.is_empty() { "" } else { "; " };
            let (name, came) = (change.table.name, change.rows.height());
            // Writing to a text does not fail.
            let _ = match &change.replaces {
                Replaces::All => write!(told, "{separator}{name} ={came}"),
                Replaces::Keys(gone) if gone.height() == 0 => {
                    write!(told, "{separator}{name} +{came}")
                }
                Replaces::Keys(gone) => {
                    write!(told, "{separator}{name} +{came} -{}", gone.height())
                }
            };
            let from = self.inputs(change.table);
            if !from.is_empty() && matches!(change.replaces, Replaces::Keys(_)) {
                let _ = write!(told, " from {}", from.join(", "));
            }
        }
        told
    }

    /// The changed tables that a gold table is made from.
    fn inputs(&self, table: &Table) -> Vec<&'static str> {
        let is_changed = |name: &str| (self.changes.iter()).any(|change| change.table.name == name);
        let gold = gold::TABLES
            .iter()
            .find(|gold| gold.table.name == table.name);
        let reads = gold.map_or(&[][..], |gold| gold.reads).iter();
        let names = reads.map(|input| input.table.name);
        names.filter(|name| is_changed(name)).collect()
    }
}

/// How many rows come to a table.
pub(super) fn came_to(table: &Table, changes: &[Change]) -> usize {
    let of_table = changes
        .iter()
        .filter(|change| change.table.name == table.name);
    of_table.map(|change| change.rows.height()).sum()
}
