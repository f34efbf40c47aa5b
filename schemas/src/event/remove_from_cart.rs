//! Products were taken out of the cart; `items` are those alone.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "remove_from_cart",
    description: "Products were taken out of the cart; `items` are those alone.",
    required: &["items"],
    usual: &["currency", "value"],
};
