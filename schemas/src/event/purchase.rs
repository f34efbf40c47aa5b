//! An order was placed; it counts once per `transaction_id`. One without is an order of its own.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "purchase",
    description: "An order was placed; it counts once per `transaction_id`. One without is an order of its own.",
    required: &["currency", "value", "items"],
    usual: &[
        "transaction_id",
        "tax",
        "shipping",
        "coupon",
        "payment_method",
        "user_id",
    ],
};
