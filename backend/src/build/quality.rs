//! Checks before publishing: a run whose tables break a promise publishes nothing but what it found.
//!
//! This file holds the list of checks with their severities and thresholds, and the outcome of a run; the modules below it
//! look. Rows are checked as a run makes them, so that checks cost what the run costs; totals on the days it changes.

pub(super) mod by_sql;
mod pace;
mod references;
mod results;
mod rows;
mod totals;

use std::collections::BTreeSet;

use polars::prelude::*;

use self::references::REFERENCES;
pub(super) use self::results::change;
pub use self::results::{TABLE, drop_samples};
use super::increment::MANY_IDS;
use super::rows::texts;
use super::staged::Staged;
use crate::config::Reporting;
use crate::gold::{daily_kpis, product_performance};
use crate::show;
use crate::silver::{events, sessions};
use crate::warehouse::{Day, Filter, Query};

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// A promise is broken: nothing is published.
    Error,
    /// Something to look at: the run goes on.
    Warning,
}

/// Rows and totals: no figure can be right where one of these is wrong.
const ROWS: Severity = Severity::Error;
const TOTAL: Severity = Severity::Error;
/// What visitors do and how old events are is no fault of the tables.
const PACE: Severity = Severity::Warning;

/// Events that came in a run are late when the newest of them is older than this: landing, or everything before it, stands
/// still.
const LATE_AFTER_HOURS: i64 = 6;
/// A day is unusual with less than this part of the sessions that its weekday had on average in the four weeks before, or
/// more than [`MANY`] times as many.
const FEW: f64 = 0.5;
const MANY: f64 = 2.0;
/// Weekdays before that must have sessions, and how many they must have on average, before a day is compared with them.
const WEEKS_KNOWN: usize = 2;
const SESSIONS_KNOWN: f64 = 50.0;
/// Rows kept of each finding.
const SAMPLES: u32 = 5;

/// A promise that a run's tables break.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "check `{check}` failed: {rows} rows of `{table}`{more}\nhint: nothing is published; `shoptrail show gold_quality_checks` has samples of the rows"
)]
pub struct Broken {
    /// The check.
    pub check: String,
    /// The table.
    pub table: &'static str,
    /// How many rows break it.
    pub rows: usize,
    /// How many other checks failed, in words; empty if none did.
    pub more: String,
}

/// The rows that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    failing: usize,
    /// A few of the failing rows, their keys and the values in question, as JSON.
    samples: String,
}

impl Found {
    fn of(failing: LazyFrame, columns: &[&str]) -> PolarsResult<Self> {
        let columns: Vec<Expr> = columns.iter().copied().map(col).collect();
        let failing = failing.select(columns).collect()?;
        Ok(Self {
            failing: failing.height(),
            samples: samples(failing)?,
        })
    }
}

impl Found {
    /// What was found elsewhere comes to it.
    fn add(&mut self, other: Self) {
        self.failing += other.failing;
        if self.samples.is_empty() {
            self.samples = other.samples;
        }
    }
}

fn samples(failing: DataFrame) -> PolarsResult<String> {
    if failing.height() == 0 {
        return Ok(String::new());
    }
    let names = failing.get_column_names_owned();
    let few = failing
        .sort(names, SortMultipleOptions::default())?
        .head(Some(SAMPLES as usize));
    let mut json = Vec::new();
    show::write_json(few, &mut json)
        .map_err(|error| polars_err!(ComputeError: "samples: {error}"))?;
    Ok(String::from_utf8_lossy(&json).trim_end().to_owned())
}

/// Reads only rows whose key occurs in a column; all of them where that would be too many keys to name.
fn keyed(query: Query, key: &'static str, rows: &DataFrame, column: &str) -> PolarsResult<Query> {
    let keys = texts(rows, column)?;
    Ok(if keys.len() > MANY_IDS {
        query
    } else {
        query.filter(Filter::TextIn(key, keys))
    })
}

/// What one check found in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    check: String,
    table: &'static str,
    severity: Severity,
    found: Found,
}

impl Outcome {
    fn is_broken(&self) -> bool {
        self.severity == Severity::Error && self.found.failing > 0
    }
}

/// Checks what a run has made.
///
/// # Errors
/// Returns an error if a table cannot be read; a broken promise is an outcome.
pub(super) async fn check(
    staged: &Staged<'_>,
    reporting: &Reporting,
    now_us: i64,
) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = check_tables(staged).await?;
    if staged.touches(&events::TABLE) {
        outcomes.extend(check_pace(staged, reporting, now_us).await?);
    }
    Ok(outcomes)
}

/// Checks the tables that a run has made, and nothing of what came in it.
///
/// # Errors
/// Returns an error if a table cannot be read; a broken promise is an outcome.
pub(super) async fn check_tables(staged: &Staged<'_>) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = check_rows(staged).await?;
    outcomes.extend(check_totals(staged, &totals::days(staged)?).await?);
    Ok(outcomes)
}

/// Outcomes of several steps of a run, each check and table once.
pub(super) fn together(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut together: Vec<Outcome> = Vec::new();
    for outcome in outcomes {
        let same =
            |other: &&mut Outcome| (&other.check, other.table) == (&outcome.check, outcome.table);
        match together.iter_mut().find(same) {
            Some(other) => other.found.add(outcome.found),
            None => together.push(outcome),
        }
    }
    together
}

/// Checks the rows that a run has made, and what they refer to.
///
/// # Errors
/// Returns an error if a table cannot be read; a broken promise is an outcome.
pub(super) async fn check_rows(staged: &Staged<'_>) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut add = |check: String, table: &'static str, severity: Severity, found: Found| {
        outcomes.push(Outcome {
            check,
            table,
            severity,
            found,
        });
    };
    for (table, made) in staged.made() {
        let name = table.name;
        add(
            "not null".to_owned(),
            name,
            ROWS,
            rows::not_null(table, made)?,
        );
        add("unique".to_owned(), name, ROWS, rows::unique(table, made)?);
        if table
            .columns
            .iter()
            .any(|column| !column.accepts.is_empty())
        {
            let found = rows::accepted_values(table, made)?;
            add("accepted values".to_owned(), name, ROWS, found);
        }
    }
    for reference in &REFERENCES {
        if staged.touches(reference.from) {
            let found = reference.check(staged).await?;
            add(reference.name(), reference.from.name, ROWS, found);
        }
    }
    if staged.touches(&sessions::TABLE) {
        let found = totals::sessions(staged).await?;
        add(
            "total session revenue".to_owned(),
            sessions::TABLE.name,
            TOTAL,
            found,
        );
    }
    let products = &product_performance::GOLD.table;
    if staged.touches(products) {
        let found = totals::products(staged).await?;
        add(
            "total product revenue".to_owned(),
            products.name,
            TOTAL,
            found,
        );
    }
    Ok(outcomes)
}

/// Checks that tables tell the same on these days.
///
/// # Errors
/// Returns an error if a table cannot be read; a broken promise is an outcome.
pub(super) async fn check_totals(
    staged: &Staged<'_>,
    days: &BTreeSet<Day>,
) -> anyhow::Result<Vec<Outcome>> {
    let found = totals::check(staged, days).await?;
    let outcomes = found.into_iter().map(|(name, table, found)| Outcome {
        check: name.to_owned(),
        table: table.name,
        severity: TOTAL,
        found,
    });
    Ok(outcomes.collect())
}

/// Checks that events keep coming, and as many as usual.
async fn check_pace(
    staged: &Staged<'_>,
    reporting: &Reporting,
    now_us: i64,
) -> anyhow::Result<Vec<Outcome>> {
    let pace = |check: &str, table: &'static str, found: Found| Outcome {
        check: check.to_owned(),
        table,
        severity: PACE,
        found,
    };
    let found = pace::freshness(staged, now_us)?;
    let mut outcomes = vec![pace("freshness", events::TABLE.name, found)];
    if let Some(found) = pace::volume(staged, reporting).await? {
        outcomes.push(pace("volume", daily_kpis::GOLD.table.name, found));
    }
    Ok(outcomes)
}

/// How many checks have something to look at, and how many a broken promise.
pub(super) fn counts(outcomes: &[Outcome]) -> (usize, usize) {
    let found = outcomes.iter().filter(|outcome| outcome.found.failing > 0);
    let (failed, warned): (Vec<_>, Vec<_>) = found.partition(|outcome| outcome.is_broken());
    (warned.len(), failed.len())
}

/// The first broken promise, if there is one. Warnings are logged.
pub(super) fn verdict(outcomes: &[Outcome]) -> Option<Broken> {
    for outcome in outcomes.iter().filter(|outcome| outcome.found.failing > 0) {
        tracing::warn!(
            check = outcome.check,
            table = outcome.table,
            rows = outcome.found.failing,
            "check found something"
        );
    }
    let mut broken = outcomes.iter().filter(|outcome| outcome.is_broken());
    let first = broken.next()?;
    let more = match broken.count() {
        0 => String::new(),
        more => format!(", and {more} more checks"),
    };
    Some(Broken {
        check: first.check.clone(),
        table: first.table,
        rows: first.found.failing,
        more,
    })
}
