//! A promotion was shown; `properties` say which.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "view_promotion",
    description: "A promotion was shown; `properties` say which.",
    required: &[],
    usual: &["items", "properties"],
};
