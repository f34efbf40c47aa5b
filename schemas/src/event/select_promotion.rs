//! A promotion was chosen; `properties` say which.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "select_promotion",
    description: "A promotion was chosen; `properties` say which.",
    required: &[],
    usual: &["items", "properties"],
};
