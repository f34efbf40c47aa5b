//! The cart was shown.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "view_cart",
    description: "The cart was shown.",
    required: &[],
    usual: &["items", "currency", "value"],
};
