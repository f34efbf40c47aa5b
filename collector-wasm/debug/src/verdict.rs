//! What the contract says of each event of a request, in lines for a person.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shoptrail_schemas::{Clock, validate};

/// One event and what the contract says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The event's own id: an event that is sent again has the same.
    pub event_id: String,
    /// The event's type, and its number in the session.
    pub title: String,
    /// Whether the contract takes it.
    pub is_accepted: bool,
    /// What is wrong with it, or was unusual: code, place and sentence.
    pub remarks: Vec<String>,
    /// The event as it is sent, indented.
    pub text: String,
}

/// What of a request's body is needed here.
#[derive(Deserialize)]
struct Body<'a> {
    sent_at: i64,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// Judges the events of a request's body by the browser's clock.
///
/// # Errors
/// Returns an error if the body is no batch.
pub fn of_body(body: &str) -> serde_json::Result<Vec<Verdict>> {
    let Body { sent_at, events } = serde_json::from_str(body)?;
    let clock = Clock::new(sent_at, sent_at);
    Ok(events
        .iter()
        .map(|event| of_event(event.get(), &clock))
        .collect())
}

fn of_event(event: &str, clock: &Clock) -> Verdict {
    let (is_accepted, remarks) = match validate::event(event, Some(clock)) {
        Ok(valid) => {
            let warnings = valid.warnings().iter();
            let remark = |warning: &shoptrail_schemas::Warning| {
                remark(&warning.code, &warning.pointer, &warning.message)
            };
            (true, warnings.map(remark).collect())
        }
        Err(rejections) => {
            let remark = |rejection: &shoptrail_schemas::Rejection| {
                remark(&rejection.code, &rejection.pointer, &rejection.message)
            };
            (false, rejections.iter().map(remark).collect())
        }
    };
    let value: Value = serde_json::from_str(event).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let seq = value.get("seq").cloned().unwrap_or_default();
    Verdict {
        event_id: text("event_id").unwrap_or_default().to_owned(),
        title: format!("{seq} {}", text("event_type").unwrap_or("?")),
        is_accepted,
        remarks,
        text: format!("{value:#}"),
    }
}

fn remark(code: &impl Display, pointer: &str, message: &str) -> String {
    if pointer.is_empty() {
        format!("{code}: {message}")
    } else {
        format!("{code} at {pointer}: {message}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_392_011_000;

    fn verdict(fields: Value) -> Verdict {
        let mut event = json!({
            "event_id": "01a205b3-d0f8-700b-8a00-000000015445",
            "event_type": "add_to_cart",
            "event_timestamp": NOW,
            "seq": 3,
            "anonymous_id": "visitor-1",
            "session_id": "session-1",
            "page_url": "https://shop.example/",
            "consent": {"analytics": "granted", "ads": "denied"},
            "currency": "EUR",
            "value": 12.5,
            "items": [{"item_id": "sku-1"}],
        });
        let all = event.as_object_mut().expect("an object");
        for (name, value) in fields.as_object().expect("an object") {
            all.insert(name.clone(), value.clone());
        }
        let body = json!({"sent_at": NOW, "events": [event]}).to_string();
        of_body(&body).expect("a batch").remove(0)
    }

    #[test]
    fn right_event_has_no_remarks() {
        let verdict = verdict(json!({}));
        assert_eq!(verdict.remarks, [] as [&str; 0]);
        assert!(verdict.is_accepted);
        assert_eq!(verdict.title, "3 add_to_cart");
        assert_eq!(verdict.event_id, "01a205b3-d0f8-700b-8a00-000000015445");
    }

    #[test]
    fn warnings_are_told_of_an_accepted_event() {
        let verdict = verdict(json!({"value": "12.50"}));
        assert!(verdict.is_accepted);
        assert_eq!(verdict.remarks.len(), 1);
        assert!(verdict.remarks[0].starts_with("number_from_text at /value: "));
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let verdict = verdict(json!({"items": null, "currency": "EURO"}));
        assert!(!verdict.is_accepted);
        let codes: Vec<&str> = verdict
            .remarks
            .iter()
            .filter_map(|remark| remark.split(':').next())
            .collect();
        assert_eq!(
            codes,
            ["unknown_currency at /currency", "missing at /items"]
        );
    }
}
