//! The shopper signed in: from here on `user_id` is known.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "login",
    description: "The shopper signed in: from here on `user_id` is known.",
    required: &[],
    usual: &["user_id"],
};
