//! Records: written around the client's bytes, read typed.

use serde_json::Value;
use serde_json::value::RawValue;
use shoptrail_schemas::derive::{self, Request, Rules};
use shoptrail_schemas::generate::json_schema;
use shoptrail_schemas::{
    BatchInfo, Clock, Derived, Device, Edge, Record, SCHEMA_VERSION, Tracker, ValidEvent, validate,
    wire,
};

use super::oracle::{Oracle, json_files};

const RECEIVED_AT: i64 = 1_795_392_060_200;

fn edge() -> Edge {
    Edge {
        received_at: RECEIVED_AT,
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
        gpc: false,
        warnings: Vec::new(),
        derived: None,
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

fn derived(event: &ValidEvent<'_>) -> Derived {
    let request = Request {
        shop_id: "demo",
        gpc: false,
        clock: Clock::new(RECEIVED_AT, batch_info().sent_at),
    };
    derive::event(&event.facts(), &request, &Rules::default())
}

/// Writes a record as the edge does.
fn write(valid: &ValidEvent<'_>) -> Vec<u8> {
    let event: &RawValue = serde_json::from_str(valid.text()).unwrap();
    let record = Record {
        event,
        batch: batch_info(),
        edge: Edge {
            warnings: valid.warnings().to_vec(),
            derived: Some(derived(valid)),
            ..edge()
        },
    };
    wire::encode(7, &serde_json::to_vec(&record).unwrap())
}

/// Texts of events that are accepted, repaired ones among them.
fn accepted() -> Vec<(String, String)> {
    let repaired = json_files("repaired")
        .into_iter()
        .filter_map(|(name, text)| {
            let example: Value = serde_json::from_str(&text).unwrap();
            Some((name, example.get("event")?.to_string()))
        });
    let valid = json_files("valid").into_iter();
    let valid = valid.map(|(name, text)| (name, text.trim_end().to_owned()));
    valid.chain(repaired).collect()
}

const GOOD: &str = r#"{ "seq" : 1.0,  "mine":[ 1e2 ], "event_id":"01a205b3-d000-7000-8000-000000000001","event_type":"page_view","event_timestamp":1795392000000,"anonymous_id":"v","session_id":"s","page_url":"https://shop.example/","consent":{"analytics":"granted","ads":"denied"}}"#;

#[test]
fn clients_bytes_are_untouched_where_nothing_is_repaired() {
    let value = write(&validate::event(GOOD, None).unwrap());
    let (schema_id, json) = wire::decode(&value).unwrap();
    assert_eq!(schema_id, 7);
    let record: Record<&RawValue> = serde_json::from_slice(json).unwrap();
    assert_eq!(record.event.get(), GOOD);
    assert_eq!(record.batch, batch_info());
    assert_eq!(record.edge.warnings, []);
}

#[test]
fn repaired_event_is_written_again_and_says_so() {
    let text = GOOD.replace("1.0", "\"1\"");
    let valid = validate::event(&text, None).unwrap();
    let value = write(&valid);
    let json = wire::decode(&value).unwrap().1;
    let record: Record<&RawValue> = serde_json::from_slice(json).unwrap();
    assert!(
        record
            .event
            .get()
            .starts_with(r#"{"seq":1,"mine":[100.0],"#)
    );
    assert_eq!(record.edge.warnings, valid.warnings());
}

/// The backend reads with the derived types what the edge let through: both see the same event.
#[test]
fn typed_reading_is_what_validation_returned() {
    for (name, text) in accepted() {
        let valid = validate::event(&text, None).unwrap();
        let value = write(&valid);
        let (_, json) = wire::decode(&value).unwrap();
        let record: Record = serde_json::from_slice(json).unwrap();
        assert_eq!(record.event, valid.to_event().unwrap(), "{name}");
        assert_eq!(record.edge.derived, Some(derived(&valid)), "{name}");
        assert_eq!(record.batch, batch_info());
    }
}

#[test]
fn record_of_the_first_version_is_read_without_what_it_lacks() {
    let record = r#"{"event":{"event_id":"01a205b3-d000-7000-8000-000000000001","event_type":"page_view","event_timestamp":1795392000000,"seq":1,"anonymous_id":"v","session_id":"s","page_url":"https://shop.example/","consent":{"analytics":true,"ads":false}},"batch":{"sent_at":1795392000100,"tracker":{"name":"t","version":"1"}},"edge":{"received_at":1795392000200,"shop_id":"demo","schema_version":1,"device":"desktop","browser":"Chrome","os":"Linux","bot_score":0,"bot_reasons":[]}}"#;
    let record: Record = serde_json::from_str(record).unwrap();
    assert_eq!(record.edge.derived, None);
    assert_eq!((record.edge.gpc, record.edge.warnings.len()), (false, 0));
    assert_eq!(record.event.consent.analytics.as_str(), "granted");
    assert_eq!(record.event.consent.ads.as_str(), "denied");
}

#[test]
fn record_satisfies_the_registered_schema() {
    let oracle = Oracle::new(&json_schema::record());
    for (name, text) in accepted() {
        let value = write(&validate::event(&text, None).unwrap());
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
    let claim = GOOD.replacen(
        '{',
        r#"{"edge":{"shop_id":"another"},"shop_id":"another","channel":"Email","#,
        1,
    );
    let value = write(&validate::event(&claim, None).unwrap());
    let record: Record = serde_json::from_slice(wire::decode(&value).unwrap().1).unwrap();
    assert_eq!(record.edge.shop_id, "demo");
    assert_eq!(record.edge.derived.unwrap().channel.as_str(), "Direct");
}
