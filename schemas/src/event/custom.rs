//! Anything else, under a name of the shop's own.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "custom",
    description: "Anything else, under a name of the shop's own.",
    required: &["event_name"],
    usual: &["properties"],
};
