//! The shopper went from the cart to the checkout.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "begin_checkout",
    description: "The shopper went from the cart to the checkout.",
    required: &["items", "currency", "value"],
    usual: &["coupon"],
};
