//! Events as a shop with mistakes in its tagging sends them, so that a demo shows what becomes of them: most are refused with a
//! reason, some repaired with a warning.

use rand::Rng;
use serde_json::{Value, json};

/// One mistake each, in turn: the fields that make it.
fn mistake(number: usize) -> Value {
    match number % 6 {
        0 => {
            json!({"event_type": "purchase", "transaction_id": "M-1", "value": 24.9, "items": [ITEM_ID]})
        }
        1 => json!({"event_type": "add_to_basket"}),
        2 => json!({"event_type": "view_item", "currency": "EUR"}),
        3 => json!({"event_type": "search"}),
        4 => json!({"event_type": "page_view", "seq": 0}),
        // The edge understands this one: a price as shops of many countries write it.
        _ => json!({"event_type": "add_to_cart", "currency": "EUR", "value": "24,90",
            "items": [{"item_id": ITEM_ID, "item_name": "Pour-over dripper", "price": "24,90"}]}),
    }
}

const ITEM_ID: &str = "pour-over-dripper";

/// So many events with mistakes that happen at `now` on pages of `origin`.
pub(super) fn events(count: usize, now: i64, origin: &str, rng: &mut impl Rng) -> Vec<Value> {
    let visitor = id(now, rng);
    let session = id(now, rng);
    let events = (0..count).map(|number| {
        let mut event = json!({
            "event_id": id(now, rng),
            "event_timestamp": now,
            "seq": number + 1,
            "anonymous_id": visitor,
            "session_id": session,
            "page_url": format!("{origin}/product/{ITEM_ID}"),
            "consent": {"analytics": "granted", "ads": "denied"},
        });
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), mistake(number)) {
            event.extend(fields);
        }
        event
    });
    events.collect()
}

fn id(now: i64, rng: &mut impl Rng) -> String {
    let random: [u8; 10] = rng.random();
    let id = uuid::Builder::from_unix_timestamp_millis(now.unsigned_abs(), &random);
    id.into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use shoptrail_schemas::validate;

    use super::*;

    #[test]
    fn most_are_refused_with_a_reason_and_one_in_six_is_repaired() {
        let events = events(
            6,
            1_795_392_000_000,
            "http://127.0.0.1:8080",
            &mut StdRng::seed_from_u64(1),
        );
        let verdicts: Vec<bool> = events
            .iter()
            .map(|event| validate::event(&event.to_string(), None).is_ok())
            .collect();
        assert_eq!(verdicts, [false, false, false, false, false, true]);
    }
}
