//! What stands in Kafka: one event with where it came from. What the client says and what the edge says are kept apart, so
//! that the one can never overwrite the other.
//!
//! The edge writes `Record<&RawValue>`: the client's text goes in as it came, unless the contract repaired something.
//! Readers choose: `Record` has the event typed, `Record<&RawValue>` or `Record<Box<RawValue>>` as it came.
//!
//! How the record evolves: `event` is open, because clients may send what the contract does not know, and so it is frozen:
//! no field is ever added to it in the registered schema. `edge` and `batch` are closed, and an optional field may be added
//! to them at any time under the registry's BACKWARD rules. What a later contract reads from an event stands in `edge`.

use serde::{Deserialize, Serialize};

use crate::batch::BatchInfo;
use crate::derive::Derived;
use crate::event::Event;
use crate::warning::Warning;

/// The version of this contract, in every record.
pub const SCHEMA_VERSION: u32 = 2;

/// One event on its way through Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Record<E = Event> {
    /// The event as the client sent it, or as it was repaired.
    pub event: E,
    /// What the client said about the batch it came in.
    pub batch: BatchInfo,
    /// What the edge knows about it.
    pub edge: Edge,
}

/// What the edge adds to an event. Never the address it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Edge {
    /// When the edge received the batch, in milliseconds since the epoch.
    #[cfg_attr(
        feature = "json-schema",
        schemars(range(min = 0, max = 253_402_300_799_999i64))
    )]
    pub received_at: i64,
    /// The shop that the write key belongs to.
    pub shop_id: String,
    /// The version of the contract that the edge followed.
    #[cfg_attr(feature = "json-schema", schemars(range(max = 1_000_000)))]
    pub schema_version: u32,
    /// The country the request came from (ISO 3166-1 alpha-2), where the platform says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The region, where the platform says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The city, where the platform says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The kind of device, from the user agent.
    pub device: Device,
    /// The browser's family, from the user agent: `Chrome`, `Firefox`, … or `other`.
    pub browser: String,
    /// The operating system, from the user agent: `Windows`, `Android`, … or `other`.
    pub os: String,
    /// How sure the edge is that no person made the request: 0 to 100.
    #[cfg_attr(feature = "json-schema", schemars(range(max = 100)))]
    pub bot_score: u8,
    /// What the score rests on.
    pub bot_reasons: Vec<String>,
    /// Whether the browser sent `Sec-GPC: 1` (Global Privacy Control).
    #[serde(default)]
    pub gpc: bool,
    /// What was unusual with the event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What the event tells by itself; absent in records of the contract's first version.
    #[serde(flatten)]
    pub derived: Option<Derived>,
}

/// The kind of device an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A computer.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// Anything else: a television, a console, a program.
    Other,
}

impl Device {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Desktop, Self::Mobile, Self::Tablet, Self::Other];

    /// Returns the device as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Other => "other",
        }
    }
}
