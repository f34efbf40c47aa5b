//! A product's page was shown.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "view_item",
    description: "A product's page was shown.",
    required: &["items"],
    usual: &["currency", "value"],
};
