//! What the core makes of any valid event's fields is valid by the contract.

use std::path::Path;

use serde_json::Value;
use shoptrail_collector::Core;
use shoptrail_schemas::{batch, validate};

/// What the core says about an event, whatever the page says.
const CORES_OWN: [&str; 4] = ["event_id", "event_timestamp", "seq", "consent"];

const HEAD: &str = r#"{"write_key":"pk_demo","tracker":{"name":"shoptrail-wasm","version":"0.1.0"},"context":{"language":"de-DE"}}"#;

#[test]
fn every_valid_events_fields_make_a_valid_batch() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/corpus/valid");
    let mut events = 0;
    for entry in std::fs::read_dir(corpus).expect("the contract's corpus") {
        let file = entry.expect("a file of the corpus").path();
        let text = std::fs::read_to_string(&file).expect("readable");
        let body = body_of(&text);
        let (head, found) =
            batch::read_head(body.as_bytes()).unwrap_or_else(|error| panic!("{file:?}: {error:?}"));
        assert_eq!(head.write_key, "pk_demo");
        assert_eq!(found.len(), 1, "{file:?}");
        for event in found {
            validate::event(event.get(), None)
                .unwrap_or_else(|error| panic!("{file:?}: {error:?}"));
        }
        events += 1;
    }
    assert!(events > 0);
}

/// The batch that the core makes of an event's other fields.
fn body_of(event: &str) -> String {
    let mut fields: Value = serde_json::from_str(event).expect("the corpus is JSON");
    let members = fields.as_object_mut().expect("an event is an object");
    members.retain(|name, _| !CORES_OWN.contains(&name.as_str()));

    let now = 1_795_392_000_123.0;
    let mut core = Core::new();
    core.consent(2, false, -1);
    core.session(0.0, 0.0, now);
    let batch = core.event(&fields.to_string(), now, 0.0, u32::MAX, u32::MAX, u32::MAX);
    core.body(batch, now, HEAD)
}
