//! The first field of a form was touched; `properties` say which form. Never what was typed.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "form_start",
    description: "The first field of a form was touched; `properties` say which form. Never what was typed.",
    required: &[],
    usual: &["properties"],
};
