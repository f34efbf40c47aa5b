//! The shopper said where and how to ship.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "add_shipping_info",
    description: "The shopper said where and how to ship.",
    required: &[],
    usual: &["items", "currency", "value", "shipping"],
};
