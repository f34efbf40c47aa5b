//! One batch: what the tracker posts. Its events share the write key, the sending time and the context.
//!
//! The edge reads it in three steps, each only as far as it must: [`write_key`] to know the shop, [`read_head`] for the
//! envelope with the events left as bytes, and [`crate::validate::event`] for each event on its own.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::Event;
use crate::integer;
use crate::limits::{MAX_EVENTS, MAX_ID, MAX_LABEL, MAX_NAME, MAX_PIXELS, MAX_TIMESTAMP_MS};
use crate::reject::{RejectCode, Rejection};
use crate::rule::{self, Field, Rule, prose, text};
use crate::surrogate;
use crate::tree::{self, Members, Name};
use crate::validate::check::Check;

/// What the tracker posts: events, and what they share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Batch {
    /// Everything but the events.
    #[serde(flatten)]
    pub head: BatchHead,
    /// The events, in the order they happened.
    pub events: Vec<Event>,
}

/// A batch without its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct BatchHead {
    /// The shop's public key. Not a secret: it stands in the page.
    pub write_key: String,
    /// What travels on with each event.
    #[serde(flatten)]
    pub info: BatchInfo,
}

/// What a batch says about all of its events; it travels on with each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct BatchInfo {
    /// When the batch was sent by the browser's clock, in milliseconds since the epoch: tells how far that clock is off.
    #[serde(deserialize_with = "integer::required")]
    pub sent_at: i64,
    /// Which program made the batch.
    pub tracker: Tracker,
    /// What the browser says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
}

/// The program that made a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Tracker {
    /// Its name: `shoptrail-wasm`, `shoptrail-js`, `shoptrail-simulate`, or another's own.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What the browser says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Context {
    /// The preferred language (BCP 47), such as `de-DE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The time zone (IANA), such as `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The screen's width in CSS pixels.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub screen_width: Option<i64>,
    /// The screen's height in CSS pixels.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub screen_height: Option<i64>,
    /// The window's width in CSS pixels.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub viewport_width: Option<i64>,
    /// The window's height in CSS pixels.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub viewport_height: Option<i64>,
}

/// The rules of [`BatchHead`]'s fields.
pub(crate) const FIELDS: &[Field] = &[
    Field::required("write_key", text(1, MAX_NAME)),
    Field::required("sent_at", rule::instant(0, MAX_TIMESTAMP_MS)),
    Field::required("tracker", Rule::Object(TRACKER)),
    Field::describing("context", Rule::Object(CONTEXT)),
];

/// The rules of [`Tracker`]'s fields.
pub(crate) const TRACKER: &[Field] = &[
    Field::required("name", prose(1, MAX_ID)),
    Field::required("version", prose(1, MAX_LABEL)),
];

/// The rules of [`Context`]'s fields.
pub(crate) const CONTEXT: &[Field] = &[
    Field::describing("language", prose(0, MAX_ID)),
    Field::describing("time_zone", prose(0, MAX_ID)),
    Field::describing("screen_width", PIXELS),
    Field::describing("screen_height", PIXELS),
    Field::describing("viewport_width", PIXELS),
    Field::describing("viewport_height", PIXELS),
];

const PIXELS: Rule = rule::integer(0, MAX_PIXELS);

/// Looks for the write key alone, so that strangers are turned away before anything else is read. `None` if it is not
/// found; [`read_head`] says why.
#[must_use]
pub fn write_key(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct WriteKey<'a> {
        #[serde(borrow)]
        write_key: Cow<'a, str>,
    }
    let found: WriteKey<'_> = serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?;
    Some(found.write_key.into_owned())
}

/// Reads a batch's envelope and leaves its events as the bytes they came in, each to be given to
/// [`crate::validate::event`].
///
/// # Errors
/// Returns an error if the body is not a JSON object, a field of the envelope is wrong, or there are not 1 to
/// [`MAX_EVENTS`] events. The pointers point into the batch.
pub fn read_head(body: &[u8]) -> Result<(BatchHead, Vec<&RawValue>), Vec<Rejection>> {
    let mut check = Check::new("the batch");
    let text = std::str::from_utf8(body).map_err(|error| vec![tree::malformed(&error)])?;
    let frame: Frame<'_> =
        serde_json::from_str(text).map_err(|error| vec![tree::rejection(&error)])?;
    let Frame::Object { members, events } = frame else {
        let message = "the batch is not an object".to_owned();
        check.reject(RejectCode::WrongType, message);
        return Err(check.into_rejections());
    };
    let events = check.at("events", |check| read_events(check, events));
    let head = read_members(&mut check, &members);
    match (check.into_rejections(), head) {
        (rejections, Some(head)) if rejections.is_empty() => Ok((head, events)),
        (rejections, _) => Err(rejections),
    }
}

/// Checks the envelope's fields and reads them, if they are right.
fn read_members(check: &mut Check, members: &[(&str, &RawValue)]) -> Option<BatchHead> {
    let texts: Vec<_> = members
        .iter()
        .map(|(name, raw)| (*name, surrogate::replace_lone(raw.get())))
        .collect();
    let mut head = Members::default();
    for (name, text) in &texts {
        match tree::parse(text) {
            Ok(value) => head.0.push((Cow::Borrowed(*name), value)),
            Err(_) if is_describing(name) => {}
            Err(rejection) => check.at(name, |check| {
                check.reject(rejection.code, rejection.message)
            }),
        }
    }
    check.object(FIELDS, &mut head);
    typed(&head)
}

fn is_describing(name: &str) -> bool {
    let mut fields = FIELDS.iter().filter(|field| field.describes);
    fields.any(|field| field.name == name)
}

/// Takes the members typed. `None` if one is not as its rule says.
fn typed(head: &Members<'_>) -> Option<BatchHead> {
    let owned = |members: &Members<'_>, name| members.text(name).map(str::to_owned);
    let tracker = head.object("tracker")?;
    let context = head.object("context").map(|context| Context {
        language: owned(context, "language"),
        time_zone: owned(context, "time_zone"),
        screen_width: context.integer("screen_width"),
        screen_height: context.integer("screen_height"),
        viewport_width: context.integer("viewport_width"),
        viewport_height: context.integer("viewport_height"),
    });
    Some(BatchHead {
        write_key: owned(head, "write_key")?,
        info: BatchInfo {
            sent_at: head.integer("sent_at")?,
            tracker: Tracker {
                name: owned(tracker, "name")?,
                version: owned(tracker, "version")?,
            },
            context,
        },
    })
}

fn read_events<'a>(check: &mut Check, events: Option<Events<'a>>) -> Vec<&'a RawValue> {
    let events = match events {
        Some(Events(Some(events))) => events,
        Some(Events(None)) => {
            check.reject(
                RejectCode::WrongType,
                "`events` is not a list of events".to_owned(),
            );
            return Vec::new();
        }
        None => {
            check.missing("every batch");
            return Vec::new();
        }
    };
    if events.is_empty() {
        check.reject(
            RejectCode::Empty,
            "`events` is empty: send at least one event".to_owned(),
        );
    } else if events.len() > MAX_EVENTS {
        let message = format!(
            "`events` has {} entries: send at most {MAX_EVENTS} in one batch",
            events.len()
        );
        check.reject(RejectCode::TooMany, message);
    }
    events
}

/// A batch with its values as they came.
enum Frame<'a> {
    Object {
        /// Those that have a rule. Others go no further than here: they are not looked at.
        members: Vec<(&'static str, &'a RawValue)>,
        events: Option<Events<'a>>,
    },
    Other,
}

/// The value of `events`, if it is a list.
struct Events<'a>(Option<Vec<&'a RawValue>>);

impl<'de: 'a, 'a> Deserialize<'de> for Frame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FrameVisitor)
    }
}

struct FrameVisitor;

impl<'de> Visitor<'de> for FrameVisitor {
    type Value = Frame<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut names = BTreeSet::new();
        let mut members = Vec::new();
        let mut events = None;
        while let Some(Name(name)) = access.next_key()? {
            if name == "events" {
                events = Some(access.next_value()?);
            } else if let Some(field) = FIELDS.iter().find(|field| field.name == name) {
                members.push((field.name, access.next_value()?));
            } else {
                access.next_value::<IgnoredAny>()?;
            }
            if let Some(name) = names.replace(name) {
                return Err(tree::named_twice(&name));
            }
        }
        Ok(Frame::Object { members, events })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Frame::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(access)?;
        Ok(Frame::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}
