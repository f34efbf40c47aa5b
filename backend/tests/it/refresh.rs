//! Tables that are built again: whatever is asked for, all of them equal a rebuild.

use chrono::NaiveDate;
use polars::prelude::*;
use shoptrail_backend::build::{self, Mode, Refresh, RefreshError, Summary};
use shoptrail_backend::config::Reporting;
use shoptrail_backend::exit;
use shoptrail_backend::gold::{self, daily_kpis};
use shoptrail_backend::silver::orders;
use shoptrail_backend::table::{ColumnType, Table};
use shoptrail_backend::warehouse::{Basis, Change, Query, Replaces, Warehouse};

use super::world::{
    TestLake, TestWarehouse, assert_same_tables, build, built_tables, land, reporting,
    shuffled_world,
};

fn asked(tables: &[&str], since: Option<&str>, until: Option<&str>) -> Mode {
    let names: Vec<String> = tables.iter().map(|name| (*name).to_owned()).collect();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    Mode::Refresh(Refresh::of(&names, since.map(day), until.map(day)).unwrap())
}

async fn again(lake: &dyn Warehouse, mode: Mode) -> Summary {
    // Few rows at once: days are built in groups.
    let run = build::run_within(lake, &reporting(), mode, 150).await;
    run.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_built_again_equal_a_rebuild_whatever_is_asked() {
    let records = shuffled_world(11, 30);
    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Rebuild).await;
    let test = TestLake::new().await;
    let lake = &test.lake;
    land(lake, &records).await;
    build(lake, Mode::Increment).await;

    // Nothing is wrong, and nothing changes.
    let (first, last) = (Some("2026-11-20"), Some("2026-11-22"));
    for (tables, since, until) in [
        (&[][..], None, last),
        (&["gold_customer_ltv", "gold_daily_kpis"][..], first, None),
    ] {
        let run = again(lake, asked(tables, since, until)).await;
        assert_eq!((run.rows, run.days), (0, 0), "{tables:?} {run:?}");
    }
    let every_gold: Vec<&str> = gold::TABLES.iter().map(|gold| gold.table.name).collect();
    for (since, until) in [(None, None), (first, Some("2026-11-21"))] {
        let run = again(lake, asked(&every_gold, since, until)).await;
        assert_eq!((run.rows, run.bronze_rows), (0, 0), "{since:?} {run:?}");
    }
    assert_same_tables(lake, &whole.lake, "nothing was wrong").await;

    // Somebody changes a row of each table by hand, takes one away, and adds one twice.
    for gold in gold::TABLES {
        spoil(lake, &gold.table).await;
    }
    again(lake, asked(&every_gold, None, None)).await;
    assert_same_tables(lake, &whole.lake, "gold was spoilt").await;
    for table in built_tables() {
        spoil(lake, table).await;
    }
    again(lake, asked(&[], None, None)).await;
    assert_same_tables(lake, &whole.lake, "everything was spoilt").await;

    // What was made from a wrong row follows.
    spoil(lake, &orders::TABLE).await;
    again(lake, asked(&["silver_orders"], None, None)).await;
    assert_same_tables(lake, &whole.lake, "orders were spoilt").await;
    let (first, last) = spoil(lake, &daily_kpis::GOLD.table).await;
    let days = (Some(first.as_str()), Some(last.as_str()));
    let run = again(lake, asked(&["gold_daily_kpis"], days.0, days.1)).await;
    assert!(run.rows > 0 && run.bronze_rows == 0, "{run:?}");
    assert_same_tables(lake, &whole.lake, "days were spoilt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_again_is_never_half_old() {
    let records = shuffled_world(12, 20);
    let (first, rest) = records.split_at(records.len() / 2);
    let test = TestLake::new().await;
    let lake = &test.lake;
    land(lake, first).await;
    let mode = || asked(&["gold_daily_kpis"], None, None);
    let nothing = build::run(lake, &reporting(), mode()).await.unwrap_err();
    assert_eq!(
        nothing.downcast_ref::<RefreshError>(),
        Some(&RefreshError::NothingPublished)
    );
    assert_eq!(exit::code(&nothing), 1);
    assert_eq!(lake.publication().await.unwrap().version, 0);
    build(lake, Mode::Increment).await;
    land(lake, rest).await;

    // Gold is that of what is published; what is new stays new.
    spoil(lake, &daily_kpis::GOLD.table).await;
    let forecast = build::forecast(lake, &reporting(), mode()).await.unwrap();
    let [change] = forecast.changes.as_slice() else {
        panic!("{forecast:?}");
    };
    assert_eq!(change.table, "gold_daily_kpis");
    assert!(change.rows > 0 && forecast.bytes_read > 0, "{forecast:?}");
    again(lake, mode()).await;
    let half = TestLake::new().await;
    land(&half.lake, first).await;
    build(&half.lake, Mode::Increment).await;
    assert_same_tables(lake, &half.lake, "before what is new").await;

    // Silver comes from bronze, where something is new.
    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;
    again(lake, asked(&["silver_refunds"], None, None)).await;
    assert_same_tables(lake, &whole.lake, "with what is new").await;
    assert_eq!(build(lake, Mode::Increment).await.bronze_rows, 0);

    // Under other settings one table would not fit the others.
    let utc = Reporting::default();
    build::run(lake, &utc, mode()).await.unwrap();
    build::run(&whole.lake, &utc, Mode::Rebuild).await.unwrap();
    assert_same_tables(lake, &whole.lake, "in another time zone").await;
}

/// Changes the first row of a table, takes the second away and adds the third once more, as far as there are so many. Returns
/// the first day and the last of these rows.
async fn spoil(lake: &dyn Warehouse, table: &'static Table) -> (String, String) {
    let published = lake.publication().await.unwrap();
    let rows = lake.read(&published, table, &Query::all()).await.unwrap();
    let rows = rows.sort(table.key.iter().copied(), SortMultipleOptions::default());
    let rows = rows.unwrap();
    let gone = rows.head(Some(2)).select(table.address()).unwrap();
    let wrong = rows.head(Some(1)).lazy().with_columns(wrong(table));
    let wrong = table.conform(wrong).collect().unwrap();
    let change = Change {
        table,
        replaces: Replaces::Keys(gone),
        rows: wrong.vstack(&rows.slice(2, 1)).unwrap().into(),
    };
    let basis = Basis {
        cursor: published.cursor.clone().unwrap(),
        recipe: published.recipe.clone(),
    };
    lake.publish(&published, vec![change], basis).await.unwrap();
    days_of(&rows.head(Some(3)))
}

fn days_of(rows: &DataFrame) -> (String, String) {
    let Ok(days) = rows.column("day") else {
        return Default::default();
    };
    let days = days.date().unwrap().physical();
    let text = |day: Option<i32>| {
        let days = chrono::Duration::days(day.unwrap_or_default().into());
        (NaiveDate::default() + days).to_string()
    };
    (text(days.min()), text(days.max()))
}

/// Another value for the last column of a table that is neither of its key nor its day.
fn wrong(table: &Table) -> Vec<Expr> {
    let is_free = |name: &str| !table.address().contains(&name);
    let column = table.columns.iter().rfind(|column| is_free(column.name));
    let column = column.unwrap();
    let value = match column.kind {
        ColumnType::Text => col(column.name) + lit(" by hand"),
        ColumnType::Boolean => col(column.name).not(),
        _ => col(column.name) + lit(1),
    };
    vec![value.alias(column.name)]
}
