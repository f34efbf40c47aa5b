//! A link to a file was clicked.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "file_download",
    description: "A link to a file was clicked.",
    required: &["link_url"],
    usual: &["properties"],
};
