//! A script of the page failed; `properties` give message and place.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "error",
    description: "A script of the page failed; `properties` give message and place.",
    required: &["properties"],
    usual: &[],
};
