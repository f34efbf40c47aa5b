//! Decides whether an event is right, repairs what can be understood, and says all that is wrong with it. Edge and backend
//! call the same function.
//!
//! The rules of single fields are data, beside the types; what depends on several fields is here: what an event type
//! requires, and when an event can have happened. The generated JSON Schema says the same, except what it cannot say:
//! [`RejectCode::DuplicateField`], [`RejectCode::TooLarge`], [`RejectCode::AmountTooLarge`], the range of a number that was
//! sent as a text, and the bounds of time.

pub(crate) mod check;

use std::borrow::Cow;

use crate::clock::{self, Clock, Outside};
use crate::consent::ConsentState;
use crate::derive::{Facts, ItemFacts};
use crate::event::{self, Consent, Event};
use crate::event_type::EventType;
use crate::limits::MAX_EVENT_BYTES;
use crate::reject::{RejectCode, Rejection};
use crate::surrogate;
use crate::tree::{self, Members, Tree};
use crate::warning::{Warning, WarningCode};
use check::Check;

/// An event that follows the contract, if need be after repairs. It borrows from the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidEvent<'a> {
    text: Cow<'a, str>,
    event_type: EventType,
    members: Members<'a>,
    warnings: Vec<Warning>,
}

impl ValidEvent<'_> {
    /// Returns the client's text, or the repaired event written again.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether something was changed.
    #[must_use]
    pub const fn is_repaired(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// Returns what was unusual.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns what happened.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        self.event_type
    }

    /// Returns the id the event was born with.
    #[must_use]
    pub fn event_id(&self) -> &str {
        self.members.text("event_id").unwrap_or_default()
    }

    /// Returns the browser's id: the Kafka key.
    #[must_use]
    pub fn anonymous_id(&self) -> &str {
        self.members.text("anonymous_id").unwrap_or_default()
    }

    /// Returns what is derived from.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        let members = &self.members;
        Facts {
            anonymous_id: self.anonymous_id(),
            event_timestamp: members.integer("event_timestamp").unwrap_or_default(),
            page_url: members.text("page_url").unwrap_or_default(),
            referrer_url: members.text("referrer_url"),
            currency: members.text("currency"),
            value: members.number("value"),
            tax: members.number("tax"),
            shipping: members.number("shipping"),
            consent: consent(members),
            items: items(members),
        }
    }

    /// Reads the event typed.
    ///
    /// # Errors
    /// Returns an error if the rules and the types disagree, which a test excludes.
    pub fn to_event(&self) -> serde_json::Result<Event> {
        serde_json::from_str(&self.text)
    }
}

fn consent(event: &Members<'_>) -> Consent {
    let consent = event.object("consent");
    let state = |name| {
        consent
            .and_then(|consent| consent.text(name))
            .and_then(ConsentState::from_name)
            .unwrap_or_default()
    };
    Consent {
        analytics: state("analytics"),
        ads: state("ads"),
    }
}

fn items(event: &Members<'_>) -> Vec<ItemFacts> {
    let Some(Tree::List(items)) = event.get("items") else {
        return Vec::new();
    };
    let facts = |item: &Tree<'_>| match item {
        Tree::Object(item) => ItemFacts {
            price: item.number("price"),
            discount: item.number("discount"),
            quantity: item.number("quantity"),
        },
        _ => ItemFacts::default(),
    };
    items.iter().map(facts).collect()
}

/// Validates one event's JSON. Without a clock, the bounds of time are not judged: every road into bronze
/// has one.
///
/// # Errors
/// Returns everything that is wrong, up to [`crate::limits::MAX_REJECTIONS`], in the order of the fields. The pointers point
/// into the event.
pub fn event<'a>(text: &'a str, clock: Option<&Clock>) -> Result<ValidEvent<'a>, Vec<Rejection>> {
    check_length(text)?;
    let check = Check::new("the event");
    let (tree, surrogates) = match surrogate::replace_lone(text) {
        Cow::Borrowed(text) => (tree::parse(text), false),
        Cow::Owned(text) => (tree::parse(&text).map(Tree::into_owned), true),
    };
    let mut check = check.with_surrogates(surrogates);
    let mut members = match tree.map_err(|rejection| vec![rejection])? {
        Tree::Object(members) => members,
        other => {
            check.wrong_type(&other, "an object");
            return Err(check.into_rejections());
        }
    };
    let event_type = check_event(&mut check, &mut members, clock);
    let findings = check.into_findings();
    match event_type {
        Some(event_type) if findings.rejections.is_empty() => Ok(ValidEvent {
            text: text_of(text, &members, findings.repaired)?,
            event_type,
            members,
            warnings: findings.warnings,
        }),
        _ => Err(findings.rejections),
    }
}

fn check_length(text: &str) -> Result<(), Vec<Rejection>> {
    if text.len() <= MAX_EVENT_BYTES {
        return Ok(());
    }
    Err(vec![Rejection {
        code: RejectCode::TooLarge,
        pointer: String::new(),
        message: format!(
            "the event has {} bytes: at most {MAX_EVENT_BYTES} fit",
            text.len()
        ),
    }])
}

/// The client's own text, unless something was repaired.
fn text_of<'a>(
    text: &'a str,
    members: &Members<'_>,
    repaired: bool,
) -> Result<Cow<'a, str>, Vec<Rejection>> {
    if !repaired {
        return Ok(Cow::Borrowed(text));
    }
    let written = serde_json::to_string(members);
    if let Ok(written) = &written {
        // Numbers may be written with more digits than they came with, and names stand for ids.
        check_length(written)?;
    }
    written.map(Cow::Owned).map_err(|error| {
        // Names are texts and numbers are finite: nothing that was read can fail to be written.
        vec![Rejection {
            code: RejectCode::MalformedJson,
            pointer: String::new(),
            message: format!("the repaired event cannot be written: {error}"),
        }]
    })
}

fn check_event(
    check: &mut Check,
    members: &mut Members<'_>,
    clock: Option<&Clock>,
) -> Option<EventType> {
    check.set_currency(members.get("currency"));
    let event_type = members.text("event_type").and_then(EventType::from_name);
    if let Some(event_type) = event_type {
        check.set_type(event_type);
    }
    check.object(event::FIELDS, members);
    if let Some(event_type) = event_type {
        if event_type == EventType::Purchase {
            name_order(check, members);
        }
        for field in event_type.spec().required {
            check_required(check, event_type, field, members.get(field));
        }
    }
    if let Some(clock) = clock {
        check_time(check, members, clock);
    }
    event_type
}

/// A purchase without an id of the shop is an order of its own: two strangers' orders never become one.
fn name_order(check: &mut Check, members: &mut Members<'_>) {
    if members.get("transaction_id").is_some() {
        return;
    }
    let Some(id) = members.text("event_id").map(str::to_owned) else {
        return;
    };
    check.at("transaction_id", |check| {
        let message = "`transaction_id` is missing: the `event_id` takes its place".to_owned();
        check.repair(WarningCode::IdReplaced, message);
    });
    members.set("transaction_id", Tree::Text(Cow::Owned(id)));
}

/// Checks that a field is there that an event type requires, and that it is not an empty list.
fn check_required(check: &mut Check, event_type: EventType, field: &str, value: Option<&Tree<'_>>) {
    check.at(field, |check| match value {
        None => check.missing(event_type.as_str()),
        Some(Tree::List(entries)) if entries.is_empty() => {
            let message = format!("`{field}` is empty: `{event_type}` needs at least one entry");
            check.reject(RejectCode::Empty, message);
        }
        Some(_) => {}
    });
}

/// Judges by the edge's clock when the event can have happened, and whether its id was made then.
fn check_time(check: &mut Check, members: &Members<'_>, clock: &Clock) {
    let Some(timestamp) = members.integer("event_timestamp") else {
        return;
    };
    let id = members.text("event_id").unwrap_or_default();
    for fault in time_faults(id, timestamp, clock) {
        check.at(fault.field, |check| check.reject(fault.code, fault.message));
    }
}

/// What is wrong with the time of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFault {
    /// The field that is wrong.
    pub field: &'static str,
    /// The code that a rejection for it has.
    pub code: RejectCode,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
}

/// Returns what is wrong with the time of an event and of its id, by the edge's clock. [`event()`] finds the same.
pub fn time_faults(
    event_id: &str,
    event_timestamp: i64,
    clock: &Clock,
) -> impl Iterator<Item = TimeFault> + use<> {
    let outside = clock
        .judge(clock.moment(event_timestamp).ms)
        .map(|outside| {
            let (code, message) = match outside {
                Outside::TooOld => {
                    let days = clock.max_age_ms / 86_400_000;
                    let message = format!(
                        "`event_timestamp` is more than {days} days ago: send events sooner"
                    );
                    (RejectCode::TooOld, message)
                }
                Outside::InFuture => {
                    let message =
                        "`event_timestamp` is in the future: send milliseconds since 1970, UTC";
                    (RejectCode::InFuture, message.to_owned())
                }
            };
            TimeFault {
                field: "event_timestamp",
                code,
                message,
            }
        });
    let is_of_another_time =
        event::is_event_id(event_id) && !clock::id_fits(event_id, event_timestamp);
    let id = is_of_another_time.then(|| TimeFault {
        field: "event_id",
        code: RejectCode::IdTime,
        message: "`event_id` was not made when the event happened: make a UUIDv7 for each event"
            .to_owned(),
    });
    outside.into_iter().chain(id)
}
