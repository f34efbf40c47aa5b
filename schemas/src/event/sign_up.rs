//! The shopper opened an account.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "sign_up",
    description: "The shopper opened an account.",
    required: &[],
    usual: &["user_id"],
};
