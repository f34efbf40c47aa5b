//! An order was placed; it counts once per `transaction_id`.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "purchase",
    description: "An order was placed; it counts once per `transaction_id`.",
    required: &["transaction_id", "currency", "value", "items"],
    usual: &["tax", "shipping", "coupon", "payment_method", "user_id"],
};
