//! What every warehouse must do, each of these on every warehouse.

use polars::prelude::*;
use shoptrail_backend::build::{self, Mode};
use shoptrail_backend::silver::{orders, sessions};
use shoptrail_backend::table::{Column as ColumnDefinition, ColumnType, Layer, Table};
use shoptrail_backend::warehouse::{Change, Filter, Publication, Query, Replaces, WarehouseError};

use self::columns::{
    altered_table_is_refused_by_name_and_column, column_added_later_is_empty_in_old_rows,
    whole_number_becomes_a_float_without_a_gap_for_readers,
};
use self::landing::{
    lander_that_is_behind_lands_nothing, landing_moves_rows_and_offsets_together,
    quarantine_lands_with_its_offsets,
};
use self::small::{SMALL, change, gone, read, small, with_small};
use super::world::{
    TestBigQuery, TestLake, TestWarehouse, basis, build, land, reporting, shuffled_world,
};

mod columns;
pub mod landing;
pub mod small;

/// Makes a test of each function for each warehouse.
macro_rules! on_every_warehouse {
    ($($name:ident),* $(,)?) => {
        mod lake {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name::<super::TestLake>().await;
            })*
        }
        mod bigquery {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name::<super::TestBigQuery>().await;
            })*
        }
    };
}

on_every_warehouse!(
    query_reads_only_what_it_asks_for,
    published_rows_are_replaced_and_others_see_them,
    rows_are_replaced_by_key_and_others_stay,
    values_of_every_type_come_back_as_they_were,
    reader_sees_all_of_a_publication_or_nothing,
    build_that_is_behind_is_refused,
    column_added_later_is_empty_in_old_rows,
    whole_number_becomes_a_float_without_a_gap_for_readers,
    altered_table_is_refused_by_name_and_column,
    landing_moves_rows_and_offsets_together,
    lander_that_is_behind_lands_nothing,
    quarantine_lands_with_its_offsets,
    tables_before_the_first_build_are_empty,
    second_run_publishes_nothing_and_moves_no_rows,
);

/// A table of the second kind: not partitioned, of every type.
static EVERY_TYPE: Table = Table {
    name: "silver_every_type",
    layer: Layer::Silver,
    description: "For tests",
    columns: &[
        ColumnDefinition::new("number", ColumnType::Integer, "Number"),
        ColumnDefinition::new("text", ColumnType::Text, "Text").optional(),
        ColumnDefinition::new("ratio", ColumnType::Float, "Ratio").optional(),
        ColumnDefinition::new("yes", ColumnType::Boolean, "Yes").optional(),
        ColumnDefinition::new("date", ColumnType::Date, "Date").optional(),
        ColumnDefinition::new("instant", ColumnType::Timestamp, "Instant").optional(),
    ],
    partition: None,
    key: &["number"],
};

async fn query_reads_only_what_it_asks_for<W: TestWarehouse>() {
    let (test, publication) = with_small::<W>().await;
    let query = Query::all().columns(&["day", "name"]).days(&[1].into());
    let query = query.filter(Filter::TextIn("name", vec!["b".to_owned()]));
    let found = read(test.warehouse(), &publication, query).await;
    assert!(
        found.equals(&small(&[(1, "b", 2)]).drop("amount").unwrap()),
        "{found}"
    );
    let between = Query::all().filter(Filter::TextBetween("name", "a".to_owned(), "a~".to_owned()));
    assert!(
        read(test.warehouse(), &publication, between)
            .await
            .equals(&small(&[(1, "a", 1), (2, "a", 3)]))
    );
    let other = Query::all()
        .columns(&["amount"])
        .filter(Filter::TextIn("name", vec!["b".to_owned()]));
    let rows = test
        .warehouse()
        .read(&publication, &SMALL, &other)
        .await
        .unwrap();
    assert_eq!(
        (rows.height(), rows.width()),
        (1, 1),
        "a filter's column is read only when asked for"
    );
    for nothing in [
        Query::all().days(&[].into()),
        Query::all().filter(Filter::TextIn("name", Vec::new())),
    ] {
        assert_eq!(
            read(test.warehouse(), &publication, nothing).await.height(),
            0
        );
    }
}

async fn published_rows_are_replaced_and_others_see_them<W: TestWarehouse>() {
    let (test, first) = with_small::<W>().await;
    let changes = vec![change(
        gone(&[(1, "a", 1), (1, "b", 2)]),
        &[(1, "c", 9), (3, "a", 5)],
    )];
    let second = test
        .warehouse()
        .publish(&first, changes, basis("2"))
        .await
        .unwrap();
    let now = small(&[(1, "c", 9), (2, "a", 3), (3, "a", 5)]);
    assert!(
        read(test.warehouse(), &second, Query::all())
            .await
            .equals(&now)
    );
    let restarted = test.restarted().await;
    let seen = restarted.publication().await.unwrap();
    assert_eq!(
        (seen.version, &seen.cursor),
        (second.version, &second.cursor)
    );
    assert!(
        read(restarted.as_ref(), &seen, Query::all())
            .await
            .equals(&now)
    );
}

async fn rows_are_replaced_by_key_and_others_stay<W: TestWarehouse>() {
    let (test, mut publication) = with_small::<W>().await;
    let address = SMALL.address();
    let steps = [
        // Replaces one row, on its day, and adds one on another.
        (vec![(1, "a", 1)], vec![(1, "a", 7), (3, "c", 4)]),
        // Only adds.
        (vec![], vec![(1, "d", 5)]),
        // Only takes away; `a` of the other day stays.
        (vec![(1, "a", 7)], vec![]),
    ];
    for (gone, rows) in steps {
        let keys = small(&gone).select(address.iter().copied()).unwrap();
        let changes = vec![change(Replaces::Keys(keys), &rows)];
        publication = test
            .warehouse()
            .publish(&publication, changes, basis("2"))
            .await
            .unwrap();
    }
    let now = read(test.restarted().await.as_ref(), &publication, Query::all()).await;
    let expected = small(&[(1, "b", 2), (1, "d", 5), (2, "a", 3), (3, "c", 4)]);
    assert!(now.equals(&expected), "{now}");
}

async fn values_of_every_type_come_back_as_they_were<W: TestWarehouse>() {
    let test = W::with(&[&EVERY_TYPE]).await;
    let texts = [
        Some("it's \\ \"quoted\" `so` -- /* */ ;"),
        Some("line\nbreak\ttab\u{7f}\u{1}"),
        Some(""),
        Some("日本語 🛒 \u{2028}"),
        Some("') OR TRUE --"),
        None,
    ];
    let end_of_time = 253_402_300_799_999_999_i64;
    let rows = df!(
        "number" => [0, 1, -1, i64::MAX, i64::MIN, 5],
        "text" => texts,
        "ratio" => [Some(0.1), Some(-0.0), Some(1e308), Some(5e-324), Some(1.0 / 3.0), None],
        "yes" => [Some(true), Some(false), Some(true), Some(false), Some(true), None],
        "date" => [Some(0), Some(20_000), Some(-1), Some(-719_162), Some(2_932_896), None],
        "instant" => [Some(0), Some(1_795_215_600_123_456), Some(-1), Some(-62_135_596_800_000_000), Some(end_of_time), None],
    );
    let rows = EVERY_TYPE.conform(rows.unwrap().lazy()).collect().unwrap();
    let changes = vec![Change {
        table: &EVERY_TYPE,
        replaces: Replaces::All,
        rows: rows.clone().into(),
    }];
    let publication = test
        .warehouse()
        .publish(&Publication::default(), changes, basis(""))
        .await
        .unwrap();
    let sorted = |rows: DataFrame| {
        rows.sort(["number"], SortMultipleOptions::default())
            .unwrap()
    };
    let found = test
        .warehouse()
        .read(&publication, &EVERY_TYPE, &Query::all())
        .await
        .unwrap();
    let (found, expected) = (sorted(found), sorted(rows));
    assert!(found.equals_missing(&expected), "{found}\n{expected}");
    for text in texts.into_iter().flatten() {
        let query = Query::all()
            .columns(&["number"])
            .filter(Filter::TextIn("text", vec![text.to_owned()]));
        let found = test
            .warehouse()
            .read(&publication, &EVERY_TYPE, &query)
            .await
            .unwrap();
        assert_eq!(found.height(), 1, "{text:?}");
    }
    let query = Query::all()
        .columns(&["number"])
        .filter(Filter::TimestampBetween("instant", -1, i64::MAX));
    assert_eq!(
        test.warehouse()
            .read(&publication, &EVERY_TYPE, &query)
            .await
            .unwrap()
            .height(),
        4
    );
}

/// Publishes the same number in two tables again and again, and reads both meanwhile.
async fn reader_sees_all_of_a_publication_or_nothing<W: TestWarehouse>() {
    static TWIN: Table = Table {
        name: "silver_twin",
        layer: Layer::Silver,
        ..SMALL
    };
    let test = W::with(&[&SMALL, &TWIN]).await;
    let writer = test.restarted().await;
    let write = async {
        let mut publication = Publication::default();
        for amount in 1..=4 {
            let of = |table| Change {
                table,
                replaces: Replaces::All,
                rows: small(&[(1, "a", amount)]).into(),
            };
            publication = writer
                .publish(&publication, vec![of(&SMALL), of(&TWIN)], basis(""))
                .await
                .unwrap();
        }
    };
    let read = async {
        let amount = async |publication: &Publication, table| {
            let rows = test
                .warehouse()
                .read(publication, table, &Query::all())
                .await
                .unwrap();
            rows.column("amount")
                .unwrap()
                .i64()
                .unwrap()
                .iter()
                .next()
                .flatten()
        };
        let mut compared = 0;
        let mut version = 0;
        while version < 4 {
            let before = test.warehouse().publication().await.unwrap();
            let (left, right) = (amount(&before, &SMALL).await, amount(&before, &TWIN).await);
            version = test.warehouse().publication().await.unwrap().version;
            if version == before.version {
                let expected = (version > 0).then(|| i64::try_from(version).unwrap());
                assert_eq!((left, right), (expected, expected));
                compared += 1;
            }
        }
        compared
    };
    let ((), compared) = tokio::join!(write, read);
    assert!(compared > 0);
}

async fn build_that_is_behind_is_refused<W: TestWarehouse>() {
    let (test, first) = with_small::<W>().await;
    let publish = |rows| {
        test.warehouse()
            .publish(&first, vec![change(Replaces::All, rows)], basis(""))
    };
    publish(&[(1, "x", 1)]).await.unwrap();
    assert!(matches!(
        publish(&[(1, "y", 2)]).await,
        Err(WarehouseError::Behind { .. })
    ));
    let now = test.warehouse().publication().await.unwrap();
    assert!(
        read(test.warehouse(), &now, Query::all())
            .await
            .equals(&small(&[(1, "x", 1)]))
    );
}

async fn tables_before_the_first_build_are_empty<W: TestWarehouse>() {
    let test = W::with(&[&sessions::TABLE, &orders::TABLE]).await;
    for table in [&sessions::TABLE, &orders::TABLE] {
        let rows = test
            .warehouse()
            .read(&Publication::default(), table, &Query::all())
            .await
            .unwrap();
        assert_eq!((rows.height(), rows.width()), (0, table.columns.len()));
    }
}

async fn second_run_publishes_nothing_and_moves_no_rows<W: TestWarehouse>() {
    let test = W::new().await;
    land(test.warehouse(), &shuffled_world(1, 5)).await;
    let forecast = build::forecast(test.warehouse(), &reporting(), Mode::Increment)
        .await
        .unwrap();
    assert_eq!(
        test.warehouse().publication().await.unwrap().version,
        0,
        "a forecast writes nothing"
    );
    let first = build(test.warehouse(), Mode::Increment).await;
    assert_eq!(
        (first.publication, first.tables),
        (1, forecast.changes.len())
    );
    assert_eq!(forecast.bronze_rows, first.bronze_rows);
    assert!(forecast.bytes_read > 0 && forecast.bytes_to_write > 0);
    assert!(first.traffic.bytes_read > 0 && first.traffic.bytes_written > 0);
    let second = build(test.restarted().await.as_ref(), Mode::Increment).await;
    assert_eq!(
        (second.publication, second.bronze_rows, second.tables),
        (1, 0, 0)
    );
    assert_eq!(
        (second.traffic.bytes_read, second.traffic.bytes_written),
        (0, 0)
    );
}
