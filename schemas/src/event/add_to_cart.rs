//! Products were put into the cart; `items` are those alone, not the whole cart.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "add_to_cart",
    description: "Products were put into the cart; `items` are those alone, not the whole cart.",
    required: &["items", "currency", "value"],
    usual: &[],
};
