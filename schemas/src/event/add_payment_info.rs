//! The shopper said how to pay.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "add_payment_info",
    description: "The shopper said how to pay.",
    required: &[],
    usual: &["items", "currency", "value", "payment_method"],
};
