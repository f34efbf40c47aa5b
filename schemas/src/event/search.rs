//! The shopper searched in the shop.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "search",
    description: "The shopper searched in the shop.",
    required: &["search_term"],
    usual: &["items"],
};
