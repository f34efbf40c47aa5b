//! A link, a button or a marked element was clicked; `properties` say which.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "click",
    description: "A link, a button or a marked element was clicked; `properties` say which.",
    required: &[],
    usual: &["link_url", "properties"],
};
