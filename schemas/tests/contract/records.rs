//! Records: written around the client's bytes, read typed.

use serde_json::Value;
use serde_json::value::RawValue;
use shoptrail_schemas::generate::json_schema;
use shoptrail_schemas::{BatchInfo, Device, Edge, Record, SCHEMA_VERSION, Tracker, validate, wire};

use super::oracle::{Oracle, json_files};

fn edge() -> Edge {
    Edge {
        received_at: 1_795_392_060_200,
        shop_id: "demo".to_owned(),
        schema_version: SCHEMA_VERSION,
        country: Some("DE".to_owned()),
        region: None,
        city: None,
        device: Device::Desktop,
        browser: "Chrome".to_owned(),
        os: "Windows".to_owned(),
        bot_score: 0,
        bot_reasons: Vec::new(),
    }
}

fn batch_info() -> BatchInfo {
    BatchInfo {
        sent_at: 1_795_392_060_123,
        tracker: Tracker {
            name: "shoptrail-wasm".to_owned(),
            version: "0.1.0".to_owned(),
        },
        context: None,
    }
}

/// Writes a record as the edge does.
fn write(event: &str) -> Vec<u8> {
    let event: &RawValue = serde_json::from_str(event).unwrap();
    let record = Record {
        event,
        batch: batch_info(),
        edge: edge(),
    };
    wire::encode(7, &serde_json::to_vec(&record).unwrap())
}

#[test]
fn clients_bytes_are_untouched() {
    let event = r#"{ "seq" : 1.0,  "mine":[ 1e2 ] }"#;
    let value = write(event);
    let (schema_id, json) = wire::decode(&value).unwrap();
    assert_eq!(schema_id, 7);
    let record: Record<&RawValue> = serde_json::from_slice(json).unwrap();
    assert_eq!(record.event.get(), event);
    assert_eq!(record.edge, edge());
}

/// The backend reads with the derived types what the edge let through: both see the same event.
#[test]
fn typed_reading_is_what_validation_returned() {
    for (name, text) in json_files("valid") {
        let value = write(&text);
        let (_, json) = wire::decode(&value).unwrap();
        let record: Record = serde_json::from_slice(json).unwrap();
        assert_eq!(record.event, validate::event(&text).unwrap(), "{name}");
        assert_eq!(record.batch, batch_info());
    }
}

#[test]
fn record_satisfies_the_registered_schema() {
    let oracle = Oracle::new(&json_schema::record());
    for (name, text) in json_files("valid") {
        let value = write(&text);
        let record: Value = serde_json::from_slice(wire::decode(&value).unwrap().1).unwrap();
        assert!(
            oracle.accepts(&record),
            "{name}: {:?}",
            oracle.reasons(&record)
        );
    }
}

#[test]
fn what_the_client_claims_cannot_reach_what_the_edge_says() {
    let text = json_files("valid")
        .into_iter()
        .find(|(name, _)| name == "page_view")
        .unwrap()
        .1;
    let claim = text.replacen(
        '{',
        r#"{"edge":{"shop_id":"another"},"shop_id":"another","#,
        1,
    );
    let value = write(&claim);
    let record: Record = serde_json::from_slice(wire::decode(&value).unwrap().1).unwrap();
    assert_eq!(record.edge.shop_id, "demo");
}
