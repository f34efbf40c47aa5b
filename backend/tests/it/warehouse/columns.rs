//! Tables whose columns another version of the program has changed.

use polars::prelude::*;
use shoptrail_backend::table::{Column as ColumnDefinition, ColumnType, Table};
use shoptrail_backend::warehouse::{Change, Publication, Query, Replaces};

use super::small::{COLUMNS, small, with_columns, with_small};
use crate::world::{TestWarehouse, basis};

static GROWN: Table = with_columns(&[
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    ColumnDefinition::new("note", ColumnType::Text, "Note").optional(),
]);
static ALTERED: Table = with_columns(&[
    COLUMNS[0],
    COLUMNS[1],
    ColumnDefinition::new("amount", ColumnType::Text, "Amount"),
]);
static WIDENED: Table = with_columns(&[
    COLUMNS[0],
    COLUMNS[1],
    ColumnDefinition::new("amount", ColumnType::Float, "Amount"),
]);
static SHORTENED: Table = with_columns(&[
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    ColumnDefinition::new("wanted", ColumnType::Text, "Wanted"),
]);

pub async fn column_added_later_is_empty_in_old_rows<W: TestWarehouse>() {
    let (test, _) = with_small::<W>().await;
    test.warehouse().prepare(&[&GROWN]).await.unwrap();
    let restarted = test.restarted().await;
    let publication = restarted.publication().await.unwrap();
    let rows = restarted
        .read(&publication, &GROWN, &Query::all())
        .await
        .unwrap();
    assert_eq!(
        (rows.height(), rows.column("note").unwrap().null_count()),
        (3, 3)
    );
    let grown = rows
        .lazy()
        .with_column(lit("new").alias("note"))
        .collect()
        .unwrap();
    let change = Change {
        table: &GROWN,
        replaces: Replaces::All,
        rows: grown.into(),
    };
    let publication = restarted
        .publish(&publication, vec![change], basis(""))
        .await
        .unwrap();
    let rows = restarted
        .read(&publication, &GROWN, &Query::all())
        .await
        .unwrap();
    assert_eq!(
        (rows.height(), rows.column("note").unwrap().null_count()),
        (3, 0)
    );
}

pub async fn whole_number_becomes_a_float_without_a_gap_for_readers<W: TestWarehouse>() {
    let (test, publication) = with_small::<W>().await;
    let amounts = async |publication: &Publication| {
        let restarted = test.restarted().await;
        let rows = restarted
            .read(publication, &WIDENED, &Query::all())
            .await
            .unwrap();
        let amounts = rows.column("amount").unwrap().f64().unwrap().sum();
        (rows.height(), amounts.unwrap())
    };
    // Twice: a second start finds it done.
    for _ in 0..2 {
        let restarted = test.restarted().await;
        restarted.prepare(&[&WIDENED]).await.unwrap();
        assert_eq!(amounts(&publication).await, (3, 6.0));
    }
    let rows = small(&[(1, "a", 1)]).lazy();
    let rows = rows.with_column(lit(1.85).alias("amount"));
    let change = Change {
        table: &WIDENED,
        replaces: Replaces::All,
        rows: WIDENED.conform(rows).collect().unwrap().into(),
    };
    let next = test
        .restarted()
        .await
        .publish(&publication, vec![change], basis(""))
        .await
        .unwrap();
    assert_eq!(amounts(&next).await, (1, 1.85));
}

pub async fn altered_table_is_refused_by_name_and_column<W: TestWarehouse>() {
    let (test, _) = with_small::<W>().await;
    let refused = test
        .warehouse()
        .prepare(&[&ALTERED])
        .await
        .unwrap_err()
        .to_string()
        .to_lowercase();
    assert!(
        refused.starts_with("table `silver_small`: column `amount` is "),
        "{refused}"
    );
    let refused = test
        .warehouse()
        .prepare(&[&SHORTENED])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("table `silver_small`: column `wanted` is missing, expected "),
        "{refused}"
    );
}
