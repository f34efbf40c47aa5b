//! The page had the shopper's attention for a while.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "page_ping",
    description: "The page had the shopper's attention for a while.",
    required: &["engagement_time_msec"],
    usual: &[],
};
