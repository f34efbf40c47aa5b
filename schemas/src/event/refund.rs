//! An order was refunded, wholly or in part; `value` is the part refunded, as a positive number.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "refund",
    description: "An order was refunded, wholly or in part; `value` is the part refunded, as a positive number.",
    required: &["transaction_id", "currency", "value"],
    usual: &["items"],
};
