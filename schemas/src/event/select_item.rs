//! A product was chosen from a list.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "select_item",
    description: "A product was chosen from a list.",
    required: &["items"],
    usual: &["currency"],
};
