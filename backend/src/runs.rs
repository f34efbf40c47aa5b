//! `shoptrail runs`: what the builds did, the newest first.

use std::io::Write;

use clap::Args;
use polars::prelude::*;

use crate::build::RUNS;
use crate::show::{self, Format};
use crate::warehouse::{Query, Warehouse};

/// Flags of `shoptrail runs`.
#[derive(Args, Clone, Debug)]
pub struct RunsArgs {
    /// How to print them; without it as a table on a terminal and as CSV elsewhere
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How many
    #[arg(long, value_name = "RUNS", default_value_t = 20)]
    limit: usize,
}

/// Prints the newest rows of `gold_runs`; for people without what a terminal has no room for.
///
/// # Errors
/// Returns an error if the table cannot be read or `out` does not take it.
pub async fn run(
    args: &RunsArgs,
    warehouse: &dyn Warehouse,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let format = args.format.unwrap_or_else(Format::usual);
    let mut query = Query::all();
    if format == Format::Table {
        query = query.columns(&[
            "publication",
            "started_at",
            "duration_ms",
            "reason",
            "status",
            "bronze_rows",
            "left_out_rows",
            "changes",
        ]);
    }
    let published = warehouse.publication().await?;
    let rows = warehouse.read(&published, &RUNS, &query).await?;
    let newest_first = SortMultipleOptions::default().with_order_descending(true);
    let rows = rows.sort(["publication"], newest_first)?;
    show::print(rows.head(Some(args.limit)), Some(args.limit), format, out)
}
