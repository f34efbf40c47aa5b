//! What a run is about to publish, and upon what.

use std::collections::BTreeSet;

use anyhow::Context;
use polars::prelude::*;
use shoptrail_local::progress::now;

use super::parts::Parts;
use super::rebuild::{self, Rebuilt};
use super::scopes::build_gold;
use super::staged::Staged;
use super::{Mode, ROWS_AT_ONCE, RefreshError, by_sql, increment, quality, refresh};
use crate::bronze;
use crate::config::Reporting;
use crate::silver;
use crate::warehouse::{Basis, Change, Portion, Publication, Recipe, Warehouse};

/// Why a run does what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    NewRows,
    FirstBuild,
    Asked,
    OtherRecipe,
}

impl Reason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NewRows => "new rows",
            Self::FirstBuild => "first build",
            Self::Asked => "asked",
            Self::OtherRecipe => "settings or logic",
        }
    }
}

/// What a run publishes, and upon what.
pub(super) struct Plan {
    pub(super) published: Publication,
    pub(super) reason: Reason,
    pub(super) bronze_rows: usize,
    /// Whether there is anything to publish.
    pub(super) publishes: bool,
    pub(super) changes: Vec<Change>,
    pub(super) days: usize,
    pub(super) basis: Basis,
    /// Whether nothing is left to read.
    pub(super) is_all: bool,
    /// The files of the changes go with it.
    pub(super) _parts: Option<Parts>,
    /// What checks found, where it is not what they found before.
    pub(super) results: Option<Change>,
    /// How many checks have warned when they last looked.
    pub(super) warned: usize,
    /// How many checks warned and failed.
    pub(super) checks: (usize, usize),
    pub(super) broken: Option<quality::Broken>,
}

impl Plan {
    /// One that has nothing to publish yet.
    pub(super) fn begun(published: Publication, reason: Reason, basis: Basis) -> Self {
        Self {
            published,
            reason,
            bronze_rows: 0,
            publishes: false,
            changes: Vec::new(),
            days: 0,
            basis,
            is_all: true,
            _parts: None,
            results: None,
            warned: 0,
            checks: (0, 0),
            broken: None,
        }
    }
}

/// Plans the next publication: of a rebuild, of what is asked for again, or of no more new rows than are `enough`.
pub(super) async fn plan(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: &Mode,
    enough: Option<usize>,
) -> anyhow::Result<Plan> {
    let published = warehouse.publication().await?;
    if let Mode::Sql { rebuild } = mode {
        return by_sql::plan(warehouse, reporting, published, *rebuild).await;
    }
    let is_same_recipe = published.recipe == silver::recipe(reporting);
    // A first build that failed has published what its checks found.
    let is_first = published.recipe == Recipe::default();
    let rows_at_once = enough.unwrap_or(ROWS_AT_ONCE);
    let reason = match mode {
        Mode::Increment if is_same_recipe => {
            return plan_increment(warehouse, reporting, published, enough).await;
        }
        Mode::Refresh(_) if is_first => return Err(RefreshError::NothingPublished.into()),
        Mode::Refresh(refresh) if is_same_recipe => {
            return refresh::plan(warehouse, reporting, published, refresh, rows_at_once).await;
        }
        Mode::Rebuild => Reason::Asked,
        Mode::Increment if is_first => Reason::FirstBuild,
        Mode::Increment | Mode::Refresh(_) | Mode::Sql { .. } => Reason::OtherRecipe,
    };
    if reason == Reason::OtherRecipe {
        tracing::info!(
            "settings or logic changed since the last build: every table is built again"
        );
    }
    let rebuilt = rebuild::rebuild(warehouse, reporting, rows_at_once).await?;
    rebuilt_plan(warehouse, reporting, published, reason, rebuilt).await
}

/// Plans to publish all of a rebuild.
pub(super) async fn rebuilt_plan(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    published: Publication,
    reason: Reason,
    rebuilt: Rebuilt,
) -> anyhow::Result<Plan> {
    let now_us = chrono::Utc::now().timestamp_micros();
    let (results, warned) =
        quality::change(warehouse, &published, &rebuilt.outcomes, now_us).await?;
    Ok(Plan {
        reason,
        bronze_rows: rebuilt.bronze_rows,
        // After an erasure there may be nothing left in bronze, and tables that still have rows.
        publishes: rebuilt.bronze_rows > 0 || published.version > 0,
        changes: rebuilt.changes,
        days: rebuilt.days,
        basis: Basis {
            cursor: rebuilt.cursor,
            recipe: silver::recipe(reporting),
        },
        is_all: true,
        results,
        warned,
        checks: quality::counts(&rebuilt.outcomes),
        broken: quality::verdict(&rebuilt.outcomes),
        published,
        _parts: Some(rebuilt.parts),
    })
}

async fn plan_increment(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    published: Publication,
    enough: Option<usize>,
) -> anyhow::Result<Plan> {
    let unread = warehouse.unread(published.cursor.as_ref(), enough).await?;
    let bronze = read_all(warehouse, unread.portions).await?;
    let basis = Basis {
        cursor: unread.cursor,
        recipe: published.recipe.clone(),
    };
    let mut plan = Plan {
        bronze_rows: bronze.height(),
        publishes: bronze.height() > 0,
        is_all: unread.is_all,
        ..Plan::begun(published, Reason::NewRows, basis)
    };
    if plan.bronze_rows > 0 {
        tracing::debug!(bronze.rows = plan.bronze_rows, "building");
        now(format!("{} new rows", plan.bronze_rows));
        let new = silver::read(&bronze, reporting)?;
        drop(bronze);
        let mut staged = Staged::over(warehouse, plan.published.clone());
        increment::silver(&mut staged, new, reporting)
            .await
            .context("building silver")?;
        build_gold(&mut staged, reporting).await?;
        let now_us = chrono::Utc::now().timestamp_micros();
        let outcomes = quality::check(&staged, reporting, now_us).await?;
        plan.checks = quality::counts(&outcomes);
        plan.broken = quality::verdict(&outcomes);
        (plan.results, plan.warned) =
            quality::change(warehouse, &plan.published, &outcomes, now_us).await?;
        plan.days = days(&staged)?;
        plan.changes = staged.into_changes()?;
    }
    Ok(plan)
}

pub(super) async fn read_all(
    warehouse: &dyn Warehouse,
    portions: Vec<Portion>,
) -> anyhow::Result<DataFrame> {
    let mut all = bronze::EVENTS.empty();
    for (number, portion) in portions.into_iter().enumerate() {
        let rows = warehouse.bronze(portion).await?;
        all = if number == 0 {
            rows
        } else {
            all.vstack(&rows)?
        };
    }
    Ok(all)
}

/// How many days rows change on, in any table.
pub(super) fn days(staged: &Staged<'_>) -> PolarsResult<usize> {
    let mut days = BTreeSet::new();
    for (table, _) in staged.made() {
        days.extend(staged.days(table)?);
    }
    Ok(days.len())
}
