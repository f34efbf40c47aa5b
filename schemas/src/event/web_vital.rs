//! One of the browser's measures of how fast the page felt; `properties` give its name and value.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "web_vital",
    description: "One of the browser's measures of how fast the page felt; `properties` give its name and value.",
    required: &["properties"],
    usual: &[],
};
