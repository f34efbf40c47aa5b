//! Products were put on a wish list.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "add_to_wishlist",
    description: "Products were put on a wish list.",
    required: &["items"],
    usual: &["currency", "value"],
};
