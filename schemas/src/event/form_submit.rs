//! A form was sent; `properties` say which. Never what was typed.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "form_submit",
    description: "A form was sent; `properties` say which. Never what was typed.",
    required: &[],
    usual: &["properties"],
};
