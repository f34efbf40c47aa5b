//! Landing, by every warehouse.

use polars::prelude::*;
use shoptrail_backend::bronze;
use shoptrail_backend::warehouse::{Offsets, Publication, Query, WarehouseError};

use super::small::BRONZE;
use crate::world::{TOPIC, TestWarehouse, bronze_since, land, landing};

pub async fn landing_moves_rows_and_offsets_together<W: TestWarehouse>() {
    let test = W::with(&BRONZE).await;
    assert_eq!(
        test.warehouse().offsets(TOPIC).await.unwrap(),
        Offsets::new()
    );
    land(test.warehouse(), &["one".to_owned(), "two".to_owned()]).await;
    assert_eq!(
        test.restarted().await.offsets(TOPIC).await.unwrap(),
        Offsets::from([(0, 1)])
    );
    let (rows, cursor) = bronze_since(test.warehouse(), None).await.unwrap();
    assert_eq!(rows.height(), 2);
    land(test.warehouse(), &["three".to_owned()]).await;
    let (rows, next) = bronze_since(test.warehouse(), Some(&cursor)).await.unwrap();
    assert_eq!(
        rows.column("record").unwrap().str().unwrap().get(0),
        Some("three")
    );
    assert_eq!(rows.height(), 1);
    let (rows, after) = bronze_since(test.warehouse(), Some(&next)).await.unwrap();
    assert_eq!((rows.height(), after), (0, next));
}

pub async fn lander_that_is_behind_lands_nothing<W: TestWarehouse>() {
    let test = W::with(&BRONZE).await;
    land(test.warehouse(), &["one".to_owned()]).await;
    let zombie = test.restarted().await;
    zombie
        .land(landing(Offsets::from([(0, 0)]), 1, &["two".to_owned()]))
        .await
        .unwrap();
    let late = test
        .warehouse()
        .land(landing(Offsets::from([(0, 0)]), 1, &["two".to_owned()]))
        .await;
    assert!(
        matches!(late, Err(WarehouseError::Behind { .. })),
        "{late:?}"
    );
    let rows = bronze_since(test.restarted().await.as_ref(), None)
        .await
        .unwrap()
        .0;
    assert_eq!(rows.height(), 2);
}

pub async fn quarantine_lands_with_its_offsets<W: TestWarehouse>() {
    let test = W::with(&BRONZE).await;
    let mut landing = landing(Offsets::new(), 0, &[]);
    landing.quarantine = quarantined(0);
    landing.up_to = Offsets::from([(0, 0)]);
    test.warehouse().land(landing).await.unwrap();
    let restarted = test.restarted().await;
    assert_eq!(
        restarted.offsets(TOPIC).await.unwrap(),
        Offsets::from([(0, 0)])
    );
    let rows = restarted
        .read(&Publication::default(), &bronze::QUARANTINE, &Query::all())
        .await
        .unwrap();
    assert_eq!(
        (rows.height(), rows.width()),
        (1, bronze::QUARANTINE.columns.len())
    );
    assert_eq!(
        bronze_since(restarted.as_ref(), None)
            .await
            .unwrap()
            .0
            .height(),
        0
    );
}

pub fn quarantined(offset: i64) -> DataFrame {
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
    bronze::QUARANTINE
        .conform(DataFrame::new(1, columns).unwrap().lazy())
        .collect()
        .unwrap()
}
