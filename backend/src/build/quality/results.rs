//! `gold_quality_checks`: what the checks found last, published with the tables, and alone when a promise is broken.

use polars::prelude::*;

use super::super::publish_results;
use super::super::rows::{anti, both};
use super::{Outcome, Severity};
use crate::table::ColumnType::{Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};
use crate::warehouse::{Change, Publication, Query, Replaces, Warehouse};

/// The status of a finding that keeps nothing from being published.
const WARNED: &str = "warned";

/// One row per check and table.
pub static TABLE: Table = Table {
    name: "gold_quality_checks",
    layer: Layer::Gold,
    description: "One row per check and table: what the check found when it last looked. A row changes only with what is found",
    columns: &[
        Column::new("check_name", Text, "The check"),
        Column::new("table_name", Text, "The table whose rows it looked at"),
        Column::new(
            "severity",
            Text,
            "`error`: a finding keeps the run from publishing; `warning`: it does not",
        )
        .one_of(&["error", "warning"]),
        Column::new("status", Text, "`passed`, `warned` or `failed`")
            .one_of(&["passed", WARNED, "failed"]),
        Column::new(
            "failing_rows",
            Integer,
            "Rows of the last run that broke the promise",
        ),
        Column::new(
            "samples",
            Text,
            "Up to five of these rows, keys and the values in question, as JSON",
        )
        .optional(),
        Column::new("since", Timestamp, "When a run first found just this"),
    ],
    partition: None,
    key: &["check_name", "table_name"],
};

/// What the outcomes of a run change in the table, nothing if they are those of the run before; and how many of its rows warn
/// then.
///
/// # Errors
/// Returns an error if the stored results cannot be read.
pub(in crate::build) async fn change(
    warehouse: &dyn Warehouse,
    published: &Publication,
    outcomes: &[Outcome],
    now_us: i64,
) -> anyhow::Result<(Option<Change>, usize)> {
    let stored = warehouse.read(published, &TABLE, &Query::all()).await?;
    let (gone, rows) = changed(stored.clone(), rows(outcomes, now_us)?)?;
    let kept = anti(stored.lazy(), gone.clone().lazy(), TABLE.key);
    let warned = both(kept, rows.clone().lazy())?.filter(col("status").eq(lit(WARNED)));
    let warned = warned.collect()?.height();
    let change = (rows.height() > 0).then_some(Change {
        table: &TABLE,
        replaces: Replaces::Keys(gone),
        rows: rows.into(),
    });
    Ok((change, warned))
}

/// Takes away the samples that `is_theirs` picks, and publishes the results without them.
///
/// # Errors
/// Returns an error if the warehouse fails, or another build was faster.
pub async fn drop_samples(
    warehouse: &dyn Warehouse,
    is_theirs: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    let published = warehouse.publication().await?;
    let stored = warehouse.read(&published, &TABLE, &Query::all()).await?;
    let samples = stored.column("samples")?.str()?;
    let picked: BooleanChunked = samples
        .iter()
        .map(|samples| Some(samples.is_some_and(&is_theirs)))
        .collect();
    let picked = stored.filter(&picked)?;
    if picked.height() == 0 {
        return Ok(());
    }
    let change = Change {
        table: &TABLE,
        replaces: Replaces::Keys(picked.select(TABLE.address())?),
        rows: TABLE
            .conform(picked.lazy().with_column(lit(NULL).alias("samples")))
            .collect()?
            .into(),
    };
    publish_results(warehouse, published, vec![change]).await
}

/// The stored results that others replace, and these.
fn changed(stored: DataFrame, found: DataFrame) -> PolarsResult<(DataFrame, DataFrame)> {
    let same = [
        col("check_name"),
        col("table_name"),
        col("severity"),
        col("status"),
        col("failing_rows"),
        col("samples").fill_null(lit("")),
    ];
    let news = found
        .lazy()
        .join(
            stored.clone().lazy(),
            same.clone(),
            same,
            JoinArgs::new(JoinType::Anti),
        )
        .collect()?;
    let gone = super::super::rows::semi(stored.lazy(), news.clone().lazy(), TABLE.key);
    let address: Vec<Expr> = TABLE.address().into_iter().map(col).collect();
    Ok((gone.select(address).collect()?, news))
}

fn rows(outcomes: &[Outcome], now_us: i64) -> PolarsResult<DataFrame> {
    let texts = |text: fn(&Outcome) -> &str| outcomes.iter().map(text).collect::<Vec<_>>();
    let failing = outcomes.iter().map(|outcome| outcome.found.failing as i64);
    let samples = outcomes.iter().map(|outcome| {
        let samples = outcome.found.samples.as_str();
        (!samples.is_empty()).then_some(samples)
    });
    let rows = df!(
        "check_name" => texts(|outcome| &outcome.check),
        "table_name" => texts(|outcome| outcome.table),
        "severity" => texts(severity),
        "status" => texts(status),
        "failing_rows" => failing.collect::<Vec<_>>(),
        "samples" => samples.collect::<Vec<_>>(),
    )?;
    let since = lit(now_us).cast(Timestamp.polars()).alias("since");
    TABLE.conform(rows.lazy().with_column(since)).collect()
}

fn severity(outcome: &Outcome) -> &str {
    match outcome.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn status(outcome: &Outcome) -> &str {
    match (outcome.severity, outcome.found.failing) {
        (_, 0) => "passed",
        (Severity::Error, _) => "failed",
        (Severity::Warning, _) => WARNED,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Found;
    use super::*;

    fn outcome(failing: usize) -> Outcome {
        Outcome {
            check: "unique".to_owned(),
            table: "silver_events",
            severity: Severity::Error,
            found: Found {
                failing,
                samples: if failing > 0 { "[{}]" } else { "" }.to_owned(),
            },
        }
    }

    #[test]
    fn result_is_written_when_it_changes_and_only_then() {
        let first = rows(&[outcome(0)], 1).unwrap();
        let (gone, new) = changed(TABLE.empty(), first.clone()).unwrap();
        assert_eq!((gone.height(), new.height()), (0, 1));
        let (gone, new) = changed(first.clone(), rows(&[outcome(0)], 2).unwrap()).unwrap();
        assert_eq!((gone.height(), new.height()), (0, 0));
        let (gone, new) = changed(first, rows(&[outcome(3)], 3).unwrap()).unwrap();
        assert_eq!((gone.height(), new.height()), (1, 1));
        let status = new.column("status").unwrap().str().unwrap().get(0);
        assert_eq!(status, Some("failed"));
    }
}
