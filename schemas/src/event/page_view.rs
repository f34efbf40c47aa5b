//! A page was shown, or a single-page application changed its route.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "page_view",
    description: "A page was shown, or a single-page application changed its route.",
    required: &[],
    usual: &["page_title", "referrer_url"],
};
