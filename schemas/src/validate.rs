//! Decides whether an event is right, and says all that is wrong with it. Edge and backend call the same function.
//!
//! The rules of single fields are data, beside the types; what depends on several fields
//! is here: what an event type requires, and that money has a currency. The generated JSON Schema says the same, except what it
//! cannot say: [`RejectCode::MoneyDecimals`], [`RejectCode::DuplicateField`] and [`RejectCode::TooLarge`].

pub(crate) mod check;

use serde_json::{Map, Value};

use crate::event::{self, Event};
use crate::event_type::EventType;
use crate::limits::MAX_EVENT_BYTES;
use crate::reject::{RejectCode, Rejection};
use crate::strict;
use check::Check;

/// Validates one event's JSON and returns it typed.
///
/// # Errors
/// Everything that is wrong, up to [`crate::limits::MAX_REJECTIONS`], in the order of the fields. The pointers point into
/// the event.
pub fn event(text: &str) -> Result<Event, Vec<Rejection>> {
    let mut check = Check::new("the event");
    if text.len() > MAX_EVENT_BYTES {
        let message = format!(
            "the event has {} bytes: at most {MAX_EVENT_BYTES} fit",
            text.len()
        );
        check.reject(RejectCode::TooLarge, message);
        return Err(check.into_rejections());
    }
    let value = strict::parse(text).map_err(|rejection| vec![rejection])?;
    match &value {
        Value::Object(object) => check_event(&mut check, object),
        other => check.wrong_type(other, "an object"),
    }
    let rejections = check.into_rejections();
    if !rejections.is_empty() {
        return Err(rejections);
    }
    serde_json::from_value(value).map_err(|error| {
        // The differential test holds the rules against the types: this says that it has missed something.
        vec![Rejection {
            code: RejectCode::WrongType,
            pointer: String::new(),
            message: format!("the event passes the rules but cannot be read: {error}"),
        }]
    })
}

fn check_event(check: &mut Check, object: &Map<String, Value>) {
    check.set_currency(object.get("currency"));
    check.object(event::FIELDS, object);
    let name = object.get("event_type").and_then(Value::as_str);
    if let Some(event_type) = name.and_then(EventType::from_name) {
        for field in event_type.spec().required {
            check_required(check, event_type, field, object.get(*field));
        }
    }
}

/// Checks that a field is there that an event type requires, and that it is not an empty list.
fn check_required(check: &mut Check, event_type: EventType, field: &str, value: Option<&Value>) {
    check.at(field, |check| match value {
        None | Some(Value::Null) => check.missing(event_type.as_str()),
        Some(Value::Array(entries)) if entries.is_empty() => {
            let message = format!("`{field}` is empty: `{event_type}` needs at least one entry");
            check.reject(RejectCode::Empty, message);
        }
        Some(_) => {}
    });
}
