//! A build inside the warehouse: every table by its SELECT, from all of bronze, and published like any other build. Rows stay
//! there, but for those that landing has not understood: what they tell, or what is wrong with them, Rust alone can tell.

use anyhow::Context;
use polars::prelude::*;
use shoptrail_local::progress::now;

use super::{Plan, ROWS_AT_ONCE, Reason, built_tables, quality};
use crate::bronze;
use crate::config::Reporting;
use crate::silver::{self, left_out, quarantine};
use crate::sql::{SELECTS, with_inputs};
use crate::table::ColumnType::Text;
use crate::table::{Layer, Table};
use crate::warehouse::{
    Basis, BronzeNow, Change, Inputs, MadeTable, Publication, Recipe, Replaces, Rows, SqlEngine,
    Warehouse,
};

/// Why a build inside the warehouse cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The warehouse only keeps files.
    #[error(
        "a lake runs no SQL\nhint: `--engine bigquery` needs `--warehouse bigquery://PROJECT/DATASET`"
    )]
    NoEngine,
    /// Only whole builds are made there.
    #[error(
        "`--engine bigquery` makes every table, and tells nothing beforehand\nhint: leave out `--dry-run`, `--tables`, `--since` and `--until`, or build with `--engine polars`"
    )]
    NotAsked,
    /// Too many rows lack the columns that the SELECTs read.
    #[error(
        "{0} rows of `bronze_events` landed before it had columns, too many to complete\nhint: build with `--engine polars`"
    )]
    NotUnderstood(usize),
}

/// How shops report, as the SELECTs read it.
static SETTINGS: Table = Table {
    name: "settings",
    layer: Layer::Silver,
    description: "One row per shop that reports otherwise than the others, and one without a shop for these",
    columns: &[
        crate::table::Column::new("shop_id", Text, "Shop").optional(),
        crate::table::Column::new("time_zone", Text, "Its reporting time zone"),
        crate::table::Column::new("currency", Text, "Its reporting currency"),
    ],
    partition: None,
    key: &["shop_id"],
};

/// Plans to publish every table, made of all that is in bronze now; nothing where all of it is published and `is_asked`
/// does not hold.
///
/// # Errors
/// Returns an error if the warehouse runs no SQL or fails.
pub(super) async fn plan(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    published: Publication,
    is_asked: bool,
) -> anyhow::Result<Plan> {
    let engine = warehouse.sql_engine().ok_or(EngineError::NoEngine)?;
    let bronze = engine.bronze_now().await?;
    let basis = Basis {
        cursor: bronze.cursor.clone(),
        recipe: silver::recipe(reporting),
    };
    let reason = match &published {
        one if one.recipe == Recipe::default() => Reason::FirstBuild,
        _ if is_asked => Reason::Asked,
        one if one.recipe != basis.recipe => Reason::OtherRecipe,
        _ => Reason::NewRows,
    };
    let is_new = reason != Reason::NewRows || published.cursor.as_ref() != Some(&basis.cursor);
    let publishes = is_new && (bronze.rows > 0 || published.version > 0);
    let mut plan = Plan {
        bronze_rows: if publishes { bronze.rows } else { 0 },
        publishes,
        ..Plan::begun(published, reason, basis)
    };
    if publishes {
        make(engine, warehouse, reporting, bronze, &mut plan).await?;
    }
    Ok(plan)
}

async fn make(
    engine: &dyn SqlEngine,
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    bronze: BronzeNow,
    plan: &mut Plan,
) -> anyhow::Result<()> {
    let late = bronze.not_understood.height();
    if late > ROWS_AT_ONCE {
        return Err(EngineError::NotUnderstood(late).into());
    }
    let sorted = bronze::completed(&bronze.not_understood, &reporting.judging)?;
    let refused = left_out::refused(&sorted.unreadable, reporting)?;
    let completed = engine.put(&bronze::EVENTS, sorted.events).await?;
    let mut inputs = Inputs::from([(bronze::EVENTS.name, together(&bronze.input, &completed))]);
    let mut helpers = vec![completed];
    for (name, table, rows) in [
        ("settings", &SETTINGS, settings(reporting)?),
        ("refused_records", &left_out::TABLE, refused),
    ] {
        let put = engine.put(table, rows).await?;
        inputs.insert(name, put.input.clone());
        helpers.push(put);
    }
    let mut made: Vec<(&'static Table, MadeTable)> = Vec::new();
    for (name, select) in SELECTS {
        now(*name);
        let select = with_inputs(select, &inputs);
        let one = engine
            .make(name, &select)
            .await
            .with_context(|| format!("building `{name}`"))?;
        inputs.insert(name, one.input.clone());
        match built_tables().find(|table| table.name == *name) {
            Some(table) => made.push((table, one)),
            None => helpers.push(one),
        }
    }
    now("checks");
    let tables: Vec<&Table> = made.iter().map(|(table, _)| *table).collect();
    let (outcomes, heights) = quality::by_sql::check(engine, &inputs, &tables).await?;
    let day = with_inputs("SELECT COUNT(DISTINCT day) FROM silver_events", &inputs);
    plan.days = engine.numbers("counting days", &day).await?.iter().sum();
    let now_us = chrono::Utc::now().timestamp_micros();
    (plan.results, plan.warned) =
        quality::change(warehouse, &plan.published, &outcomes, now_us).await?;
    plan.checks = quality::counts(&outcomes);
    plan.broken = quality::verdict(&outcomes);
    if plan.broken.is_some() {
        helpers.extend(made.iter().map(|(_, one)| one.clone()));
    }
    engine.drop_made(helpers).await;
    let all = |table, rows| Change {
        table,
        replaces: Replaces::All,
        rows,
    };
    let quarantined = quarantine::rows(&sorted.unreadable)?;
    plan.changes = vec![all(&quarantine::TABLE, Rows::Here(quarantined))];
    plan.changes.extend(made.into_iter().map(|(table, made)| {
        let height = heights.get(table.name).copied().unwrap_or_default();
        let rows = Rows::Made {
            table: made,
            height,
        };
        all(table, rows)
    }));
    Ok(())
}

/// What landing has understood, and what was completed here, as one input.
fn together(understood: &str, completed: &MadeTable) -> String {
    let columns = bronze::EVENTS
        .column_names()
        .filter(|name| *name != "record");
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!(
        "(SELECT {columns} FROM {understood} WHERE event_id IS NOT NULL UNION ALL SELECT {columns} FROM {})",
        completed.input
    )
}

fn settings(reporting: &Reporting) -> PolarsResult<DataFrame> {
    let common = (
        None,
        reporting.time_zone.to_string(),
        reporting.currency.clone(),
    );
    let own = reporting.other_shops().map(|shop| {
        let time_zone = reporting.time_zone_of(shop).to_string();
        (
            Some(shop),
            time_zone,
            reporting.currency_of(shop).to_owned(),
        )
    });
    let (mut ids, mut time_zones, mut currencies) = (Vec::new(), Vec::new(), Vec::new());
    for (id, time_zone, currency) in std::iter::once(common).chain(own) {
        ids.push(id);
        time_zones.push(time_zone);
        currencies.push(currency);
    }
    df!("shop_id" => ids, "time_zone" => time_zones, "currency" => currencies)
}
