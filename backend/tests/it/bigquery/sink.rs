//! Bronze as Confluent's sink writes it gives the same silver as our own landing.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use shoptrail_backend::build::Mode;
use shoptrail_backend::silver::quarantine;
use shoptrail_backend::warehouse::{Person, Query, Warehouse};

use super::super::world::{
    TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land, shuffled_world,
};
use super::proxy::Proxy;
use super::server::{DATASET, PROJECT, connect};

const TABLE: &str = "clickstream_event_v3";

#[tokio::test(flavor = "multi_thread")]
async fn bronze_of_confluents_sink_gives_the_same_silver() {
    let records = without_unreadable(shuffled_world(3, 30)).await;
    let lake = TestLake::new().await;
    land(lake.warehouse(), &records).await;
    build(lake.warehouse(), Mode::Increment).await;

    let mut test = TestBigQuery::new().await;
    let proxy = Proxy::start(&test.server).await;
    test.settings = test.server.settings(&proxy.rest);
    test.settings.sink_table = Some(TABLE.to_owned());
    test.bigquery = connect(test.settings.clone()).await;
    let (first, second) = records.split_at(records.len() / 2);
    // The table is there when the connector starts, some of its rows twice: it delivers at least once.
    make_table(&test).await;
    append(&test, &[first, &first[..10]].concat()).await;
    assert_eq!(
        build(&test.bigquery, Mode::Increment).await.bronze_rows,
        first.len()
    );
    append(&test, &[&first[5..20], second, second].concat()).await;
    let summary = build(test.restarted().await.as_ref(), Mode::Increment).await;
    assert_eq!(
        summary.bronze_rows,
        15 + second.len(),
        "rows that came since are read, once each"
    );
    assert_same_tables(&test.bigquery, lake.warehouse(), "sink against own landing").await;

    build(&test.bigquery, Mode::Rebuild).await;
    assert_same_tables(&test.bigquery, lake.warehouse(), "sink, rebuilt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_that_reads_two_points_in_time_is_refused_as_google_refuses_it() {
    let test = TestBigQuery::with(&[]).await;
    let proxy = Proxy::start(&test.server).await;
    let statement = include_str!("../../../../tests/bigquery/two_points_in_time.sql");
    let body = json!({"query": statement, "useLegacySql": false});
    let url = format!("{}bigquery/v2/projects/{PROJECT}/queries", proxy.rest);
    let answer = reqwest::Client::new().post(url).json(&body).send().await;
    assert_eq!(answer.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn person_goes_from_the_sinks_table_too() {
    let mut test = TestBigQuery::new().await;
    test.settings.sink_table = Some(TABLE.to_owned());
    test.bigquery = connect(test.settings.clone()).await;
    make_table(&test).await;
    append(&test, &without_unreadable(shuffled_world(3, 30)).await).await;
    let person = |visitor: &str| Person {
        visitors: vec![visitor.to_owned()],
        ..Person::default()
    };
    let theirs = test
        .bigquery
        .sink_rows(&person("visitor-1"), false)
        .await
        .unwrap();
    assert!(theirs > 0);
    let others = test
        .bigquery
        .sink_rows(&person("visitor-0"), false)
        .await
        .unwrap();
    let deleted = test.bigquery.sink_rows(&person("visitor-1"), true).await;
    assert_eq!(deleted.unwrap(), theirs);
    let left = test.bigquery.sink_rows(&person("visitor-1"), false).await;
    assert_eq!(left.unwrap(), 0);
    let kept = test.bigquery.sink_rows(&person("visitor-0"), false).await;
    assert_eq!(kept.unwrap(), others);
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_bronze_asks_for_a_rebuild() {
    let mut test = TestBigQuery::new().await;
    land(&test.bigquery, &shuffled_world(3, 2)).await;
    build(&test.bigquery, Mode::Increment).await;
    test.settings.sink_table = Some(TABLE.to_owned());
    let cursor = test.bigquery.publication().await.unwrap().cursor;
    let refused = connect(test.settings.clone())
        .await
        .unread(cursor.as_ref(), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("hint: `shoptrail build --rebuild`"),
        "{refused}"
    );
}

/// Unreadable records are kept as text, and the sink's columns do not give back the text that they were made of.
async fn without_unreadable(mut records: Vec<String>) -> Vec<String> {
    let lake = TestLake::new().await;
    land(lake.warehouse(), &records).await;
    build(lake.warehouse(), Mode::Increment).await;
    let published = lake.warehouse().publication().await.unwrap();
    let rows = lake
        .warehouse()
        .read(&published, &quarantine::TABLE, &Query::all())
        .await
        .unwrap();
    let texts: HashSet<&str> = rows
        .column("record")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert!(!texts.is_empty(), "the world has some");
    records.retain(|record| !texts.contains(record.as_str()));
    records
}

/// Makes the table as Confluent's converter does from our JSON Schema.
async fn make_table(test: &TestBigQuery) {
    let url = format!(
        "{}bigquery/v2/projects/{PROJECT}/datasets/{DATASET}/tables",
        test.server.rest
    );
    let body = json!({
        "tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": TABLE},
        "schema": {"fields": fields(&schema(), &schema())},
    });
    let answer = reqwest::Client::new()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(
        answer.status().is_success(),
        "{}",
        answer.text().await.unwrap()
    );
}

/// Appends records as rows, in a load job.
async fn append(test: &TestBigQuery, records: &[String]) {
    let lines: Vec<String> = records
        .iter()
        .map(|record| row(&schema(), &schema(), serde_json::from_str(record).unwrap()).to_string())
        .collect();
    let job = json!({"configuration": {"load": {
        "destinationTable": {"projectId": PROJECT, "datasetId": DATASET, "tableId": TABLE},
        "sourceFormat": "NEWLINE_DELIMITED_JSON",
        "schema": {"fields": fields(&schema(), &schema())},
        "writeDisposition": "WRITE_APPEND",
    }}});
    let rest = &test.server.rest;
    let client = reqwest::Client::new();
    let url = format!("{rest}upload/bigquery/v2/projects/{PROJECT}/jobs?uploadType=resumable");
    let session = client.post(url).json(&job).send().await.unwrap().headers()["location"]
        .to_str()
        .unwrap()
        .to_owned();
    let made: Value = client
        .put(session)
        .body(lines.join("\n"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = made["jobReference"]["jobId"].as_str().unwrap();
    loop {
        let url = format!("{rest}bigquery/v2/projects/{PROJECT}/jobs/{id}");
        let job: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        if job["status"]["state"] == "DONE" {
            assert!(job["status"]["errorResult"].is_null(), "{job}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn schema() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../schemas/json/record.schema.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Follows `$ref`, `allOf` of one, and "this or null".
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return resolve(
            root,
            root.pointer(reference.trim_start_matches('#')).unwrap(),
        );
    }
    let choices = ["allOf", "anyOf"]
        .iter()
        .filter_map(|of| schema[of].as_array())
        .flatten();
    match choices.into_iter().find(|choice| choice["type"] != "null") {
        Some(only) if schema["properties"].is_null() => resolve(root, only),
        _ => schema,
    }
}

/// The type that is not null.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        _ => None,
    }
}

/// Columns of an object: nested objects are records, lists repeated; an object without named fields has no column, and a
/// `oneOf` is a record with a field per choice.
fn fields(root: &Value, schema: &Value) -> Vec<Value> {
    let properties = schema["properties"].as_object().unwrap();
    properties
        .iter()
        .filter_map(|(name, property)| field(root, name, resolve(root, property)))
        .collect()
}

fn field(root: &Value, name: &str, schema: &Value) -> Option<Value> {
    if let Some(choices) = schema["oneOf"].as_array() {
        let fields: Vec<Value> = (0..choices.len())
            .map(|index| json!({"name": choice(index), "type": "STRING"}))
            .collect();
        return Some(json!({"name": name, "type": "RECORD", "fields": fields}));
    }
    Some(match kind(schema)? {
        "object" if schema["properties"].is_null() => return None,
        "object" => json!({"name": name, "type": "RECORD", "fields": fields(root, schema)}),
        "array" => {
            let mut item = field(root, name, resolve(root, &schema["items"]))?;
            item["mode"] = "REPEATED".into();
            item
        }
        "integer" => json!({"name": name, "type": "INTEGER"}),
        "number" => json!({"name": name, "type": "FLOAT"}),
        "boolean" => json!({"name": name, "type": "BOOLEAN"}),
        _ => json!({"name": name, "type": "STRING"}),
    })
}

fn choice(index: usize) -> String {
    format!("io_confluent_connect_json_OneOf_field_{index}")
}

/// A record's values in those columns; what has none is dropped.
fn row(root: &Value, schema: &Value, record: Value) -> Value {
    let Value::Object(values) = record else {
        return record;
    };
    let mut row = Map::new();
    for (name, value) in values {
        let property = resolve(root, &schema["properties"][&name]);
        let is_choice = !property["oneOf"].is_null();
        if property.is_null() || field(root, &name, property).is_none() {
            continue;
        }
        let value = match value {
            value if is_choice => json!({choice(0): value}),
            Value::Array(items) => {
                let item = resolve(root, &property["items"]);
                items
                    .into_iter()
                    .map(|value| row_of(root, item, value))
                    .collect()
            }
            value => row_of(root, property, value),
        };
        row.insert(name, value);
    }
    Value::Object(row)
}

fn row_of(root: &Value, schema: &Value, value: Value) -> Value {
    if value.is_object() {
        row(root, schema, value)
    } else {
        value
    }
}
