//! The page was scrolled to a new depth, given in `properties`.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "scroll",
    description: "The page was scrolled to a new depth, given in `properties`.",
    required: &[],
    usual: &["properties"],
};
