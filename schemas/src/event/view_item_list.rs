//! A list of products was shown: a category, a search result.

use crate::event_type::EventSpec;

pub(crate) const SPEC: EventSpec = EventSpec {
    name: "view_item_list",
    description: "A list of products was shown: a category, a search result.",
    required: &["items"],
    usual: &["currency"],
};
