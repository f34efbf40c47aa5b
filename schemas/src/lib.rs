#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod address;
pub mod batch;
pub mod calendar;
mod clock;
mod consent;
pub mod derive;
pub mod event;
mod event_type;
#[cfg(feature = "json-schema")]
#[cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        reason = "reads our own types while developing, never what comes from outside"
    )
)]
pub mod generate;
mod integer;
mod item;
pub mod limits;
pub mod money;
mod number;
mod placeholder;
mod record;
mod reject;
mod rule;
mod surrogate;
mod tree;
pub mod validate;
mod warning;
pub mod wire;

pub use address::decode as decode_parameter;
pub use batch::{Batch, BatchHead, BatchInfo, Context, Tracker};
pub use clock::Clock;
pub use consent::ConsentState;
pub use derive::Derived;
pub use event::{Consent, Demographics, Event, Property};
pub use event_type::{EventSpec, EventType};
pub use item::Item;
pub use placeholder::{is_placeholder, trimmed};
pub use record::{Device, Edge, Record, SCHEMA_VERSION};
pub use reject::{RejectCode, Rejection};
pub use surrogate::replace_lone as replace_lone_surrogates;
pub use validate::ValidEvent;
pub use warning::{Warning, WarningCode};
