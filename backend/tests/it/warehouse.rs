//! What every warehouse must do, shown on the lake.

use polars::prelude::*;
use shoptrail_backend::bronze;
use shoptrail_backend::silver::{orders, sessions};
use shoptrail_backend::table::{Column as ColumnDefinition, ColumnType, Table};
use shoptrail_backend::warehouse::{
    Change, Cursor, Filter, Offsets, Publication, Query, Replaces, Warehouse, WarehouseError,
};

use super::world::{TOPIC, TestLake, land, landing};

const COLUMNS: [ColumnDefinition; 3] = [
    ColumnDefinition::new("day", ColumnType::Date, "Day"),
    ColumnDefinition::new("name", ColumnType::Text, "Name"),
    ColumnDefinition::new("amount", ColumnType::Integer, "Amount"),
];
static SMALL: Table = Table {
    name: "silver_small",
    description: "For tests",
    columns: &COLUMNS,
    partition: Some("day"),
    key: &["day", "name"],
};
static SMALL_GROWN: Table = Table {
    name: "silver_small",
    description: "For tests",
    columns: &[COLUMNS[0], COLUMNS[1], COLUMNS[2], ColumnDefinition::new("note", ColumnType::Text, "Note").optional()],
    partition: Some("day"),
    key: &["day", "name"],
};
static SMALL_ALTERED: Table = Table {
    name: "silver_small",
    description: "For tests",
    columns: &[COLUMNS[0], COLUMNS[1], ColumnDefinition::new("amount", ColumnType::Float, "Amount")],
    partition: Some("day"),
    key: &["day", "name"],
};

fn small(rows: &[(i32, &str, i64)]) -> DataFrame {
    let days: Vec<i32> = rows.iter().map(|row| row.0).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.1).collect();
    let amounts: Vec<i64> = rows.iter().map(|row| row.2).collect();
    SMALL.conform(df!("day" => days, "name" => names, "amount" => amounts).unwrap().lazy()).collect().unwrap()
}

fn change(replaces: Replaces, rows: &[(i32, &str, i64)]) -> Change {
    Change { table: &SMALL, replaces, rows: small(rows) }
}

async fn read(lake: &dyn Warehouse, publication: &Publication, query: Query) -> DataFrame {
    lake.read(publication, &SMALL, &query).await.unwrap().sort(["day", "name"], SortMultipleOptions::default()).unwrap()
}

async fn with_small() -> (TestLake, Publication) {
    let test = TestLake::new().await;
    test.lake.prepare(&[&SMALL]).await.unwrap();
    let rows = [(1, "a", 1), (1, "b", 2), (2, "a", 3)];
    let changes = vec![change(Replaces::All, &rows)];
    let publication = test.lake.publish(&Publication::default(), changes, Cursor("1".to_owned())).await.unwrap();
    (test, publication)
}

#[tokio::test(flavor = "multi_thread")]
async fn query_reads_only_what_it_asks_for() {
    let (test, publication) = with_small().await;
    let query = Query::all().columns(&["day", "name"]).days(&[1].into());
    let found = read(&test.lake, &publication, query.filter(Filter::TextIn("name", vec!["b".to_owned()]))).await;
    assert!(found.equals(&small(&[(1, "b", 2)]).drop("amount").unwrap()), "{found}");
    let between = Query::all().filter(Filter::TextBetween("name", "a".to_owned(), "a~".to_owned()));
    assert!(read(&test.lake, &publication, between).await.equals(&small(&[(1, "a", 1), (2, "a", 3)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn published_days_are_replaced_and_others_stay() {
    let (test, first) = with_small().await;
    let changes = vec![change(Replaces::Days([1, 3].into()), &[(1, "c", 9), (3, "a", 5)])];
    let second = test.lake.publish(&first, changes, Cursor("2".to_owned())).await.unwrap();
    let now = small(&[(1, "c", 9), (2, "a", 3), (3, "a", 5)]);
    assert!(read(&test.lake, &second, Query::all()).await.equals(&now));
    assert!(read(&test.restarted(), &second, Query::all()).await.equals(&now));
    let then = small(&[(1, "a", 1), (1, "b", 2), (2, "a", 3)]);
    assert!(read(&test.lake, &first, Query::all()).await.equals(&then), "a reader of the first publication");
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_publications_leave_the_last_one_readable() {
    // Past the versions at which a lake writes checkpoints and deletes old files.
    let (test, mut publication) = with_small().await;
    for amount in 0..205 {
        let changes = vec![change(Replaces::Days([2].into()), &[(2, "a", amount)])];
        publication = test.lake.publish(&publication, changes, Cursor("1".to_owned())).await.unwrap();
    }
    let now = small(&[(1, "a", 1), (1, "b", 2), (2, "a", 204)]);
    assert!(read(&test.restarted(), &publication, Query::all()).await.equals(&now));
}

#[tokio::test(flavor = "multi_thread")]
async fn build_that_is_behind_is_refused() {
    let (test, first) = with_small().await;
    let publish = |rows| test.lake.publish(&first, vec![change(Replaces::All, rows)], Cursor::default());
    publish(&[(1, "x", 1)]).await.unwrap();
    assert!(matches!(publish(&[(1, "y", 2)]).await, Err(WarehouseError::Behind { .. })));
    let now = test.lake.publication().await.unwrap();
    assert!(read(&test.lake, &now, Query::all()).await.equals(&small(&[(1, "x", 1)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_a_build_that_died_are_taken_back() {
    let (test, first) = with_small().await;
    let changes = vec![change(Replaces::Days([1].into()), &[(1, "lost", 7)])];
    let second = test.lake.publish(&first, changes, Cursor("2".to_owned())).await.unwrap();
    // Killed after its tables were committed and before its publication stood.
    std::fs::remove_file(test.folder.path().join("_published").join(format!("{:012}.json", second.version))).unwrap();

    let lake = test.restarted();
    let now = lake.publication().await.unwrap();
    assert_eq!(now, first);
    assert!(read(&lake, &now, Query::all()).await.equals(&small(&[(1, "a", 1), (1, "b", 2), (2, "a", 3)])));
    let changes = vec![change(Replaces::Days([2].into()), &[(2, "z", 4)])];
    let third = lake.publish(&now, changes, Cursor("2".to_owned())).await.unwrap();
    assert!(read(&lake, &third, Query::all()).await.equals(&small(&[(1, "a", 1), (1, "b", 2), (2, "z", 4)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn column_added_later_is_empty_in_old_rows() {
    let (test, publication) = with_small().await;
    test.lake.prepare(&[&SMALL_GROWN]).await.unwrap();
    let rows = test.restarted().read(&publication, &SMALL_GROWN, &Query::all()).await.unwrap();
    assert_eq!((rows.height(), rows.column("note").unwrap().null_count()), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_table_is_refused_by_name_and_column() {
    let (test, _) = with_small().await;
    let refused = test.lake.prepare(&[&SMALL_ALTERED]).await.unwrap_err().to_string();
    assert!(refused.starts_with("table `silver_small`: column `amount` is long, expected double"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn landing_moves_rows_and_offsets_together() {
    let test = TestLake::new().await;
    assert_eq!(test.lake.offsets(TOPIC).await.unwrap(), Offsets::new());
    land(&test.lake, &["one".to_owned(), "two".to_owned()]).await;
    assert_eq!(test.restarted().offsets(TOPIC).await.unwrap(), Offsets::from([(0, 1)]));
    let (rows, cursor) = test.lake.bronze_since(None).await.unwrap();
    assert_eq!(rows.height(), 2);
    land(&test.lake, &["three".to_owned()]).await;
    let (rows, _) = test.lake.bronze_since(Some(&cursor)).await.unwrap();
    assert_eq!(rows.column("record").unwrap().str().unwrap().get(0), Some("three"));
    assert_eq!(rows.height(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lander_that_is_behind_lands_nothing() {
    let test = TestLake::new().await;
    land(&test.lake, &["one".to_owned()]).await;
    let zombie = test.restarted();
    zombie.land(landing(Offsets::from([(0, 0)]), 1, &["two".to_owned()])).await.unwrap();
    let late = test.lake.land(landing(Offsets::from([(0, 0)]), 1, &["two".to_owned()])).await;
    assert!(matches!(late, Err(WarehouseError::Behind { .. })), "{late:?}");
    let rows = test.restarted().bronze_since(None).await.unwrap().0;
    assert_eq!(rows.height(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_brought_again_after_a_kill_enter_quarantine_once() {
    let test = TestLake::new().await;
    let mut first = landing(Offsets::new(), 0, &["good".to_owned()]);
    first.quarantine = quarantined(1);
    first.up_to = Offsets::from([(0, 1)]);
    test.lake.land(first).await.unwrap();
    // A lander killed between quarantine and bronze left bronze behind: play it by a second, empty bronze.
    std::fs::remove_dir_all(test.folder.path().join(bronze::EVENTS.name)).unwrap();
    let lake = test.restarted();
    lake.prepare(&[&bronze::EVENTS]).await.unwrap();
    let mut again = landing(Offsets::new(), 0, &["good".to_owned()]);
    again.quarantine = quarantined(1);
    again.up_to = Offsets::from([(0, 1)]);
    lake.land(again).await.unwrap();
    let publication = Publication::default();
    let quarantine = lake.read(&publication, &bronze::QUARANTINE, &Query::all()).await.unwrap();
    assert_eq!(quarantine.height(), 1);
    assert_eq!(lake.bronze_since(None).await.unwrap().0.height(), 1);
}

fn quarantined(offset: i64) -> DataFrame {
    let text = |name: &str| Column::new(name.into(), ["x"]);
    let columns = vec![
        text("_topic"),
        Column::new("_partition".into(), [0_i64]),
        Column::new("_offset".into(), [offset]),
        Column::new("_kafka_timestamp".into(), [1_i64]),
        Column::new("_landed_at".into(), [1_i64]),
        text("code"),
        text("pointer"),
        text("reason"),
        text("value_base64"),
    ];
    bronze::QUARANTINE.conform(DataFrame::new(1, columns).unwrap().lazy()).collect().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_before_the_first_build_are_empty() {
    let test = TestLake::new().await;
    for table in [&sessions::TABLE, &orders::TABLE] {
        let rows = test.lake.read(&Publication::default(), table, &Query::all()).await.unwrap();
        assert_eq!((rows.height(), rows.width()), (0, table.columns.len()));
    }
}
