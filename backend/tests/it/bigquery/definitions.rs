//! The tables as BigQuery's own REST API shows them.

use serde_json::{Value, json};
use shoptrail_backend::build;
use shoptrail_backend::table::ColumnType;

use super::super::world::{TestBigQuery, TestWarehouse};
use super::server::{DATASET, PROJECT, Server};

async fn resource(server: &Server, table: &str) -> Value {
    let url = format!(
        "{}bigquery/v2/projects/{PROJECT}/datasets/{DATASET}/tables/{table}",
        server.rest
    );
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_as_their_definitions_say() {
    let test = TestBigQuery::new().await;
    for table in build::tables() {
        let found = resource(&test.server, table.name).await;
        assert_eq!(found["description"], table.description);
        let expected: Vec<Value> = table
            .columns
            .iter()
            .map(|column| {
                let kind = match column.kind {
                    ColumnType::Text => "STRING",
                    ColumnType::Integer => "INTEGER",
                    ColumnType::Float => "FLOAT",
                    ColumnType::Boolean => "BOOLEAN",
                    ColumnType::Date => "DATE",
                    ColumnType::Timestamp => "TIMESTAMP",
                };
                let mode = if column.nullable { "NULLABLE" } else { "REQUIRED" };
                json!({"name": column.name, "type": kind, "mode": mode, "description": column.description})
            })
            .collect();
        assert_eq!(found["schema"]["fields"], json!(expected), "{}", table.name);
    }
    let partitioned = async |table: &str| {
        let found = resource(&test.server, table).await;
        (
            found["timePartitioning"]["field"].clone(),
            found["clustering"]["fields"].clone(),
        )
    };
    assert_eq!(
        partitioned("bronze_events").await,
        (
            json!("_landed_at"),
            json!(["_topic", "_partition", "_offset"])
        )
    );
    assert_eq!(
        partitioned("silver_events").await,
        (json!("day"), json!(["shop_id", "event_id"]))
    );
    assert_eq!(
        partitioned("gold_daily_kpis").await,
        (json!("day"), json!(["shop_id", "currency"]))
    );
}
