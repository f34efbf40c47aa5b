//! The event types: the list, and what each requires beyond the fields that every event has.

use serde::{Deserialize, Serialize};

use crate::event;

/// What one event type means and requires. Each is written in its own file in `event/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSpec {
    /// The value of `event_type`.
    pub name: &'static str,
    /// What happened, in one sentence for people.
    pub description: &'static str,
    /// The fields it requires beyond those of every event; a list among them has at least one entry.
    pub required: &'static [&'static str],
    /// The fields that usually come along.
    pub usual: &'static [&'static str],
}

/// Makes the enum, its list and its specifications from one line per event type.
macro_rules! event_types {
    ($($variant:ident => $module:ident,)*) => {
        /// What happened: GA4's recommended e-commerce events, what the browser itself shows, and `custom`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventType {
            $(#[doc = concat!("`", stringify!($module), "`")] $variant,)*
        }

        impl EventType {
            /// Every event type, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns what the event type means and requires.
            #[must_use]
            pub const fn spec(self) -> &'static EventSpec {
                match self {
                    $(Self::$variant => &event::$module::SPEC,)*
                }
            }
        }
    };
}

// One line per event type: the order is the documentation's.
event_types! {
    PageView => page_view,
    ViewItemList => view_item_list,
    SelectItem => select_item,
    ViewItem => view_item,
    AddToCart => add_to_cart,
    RemoveFromCart => remove_from_cart,
    ViewCart => view_cart,
    BeginCheckout => begin_checkout,
    AddShippingInfo => add_shipping_info,
    AddPaymentInfo => add_payment_info,
    Purchase => purchase,
    Refund => refund,
    Search => search,
    ViewPromotion => view_promotion,
    SelectPromotion => select_promotion,
    AddToWishlist => add_to_wishlist,
    Login => login,
    SignUp => sign_up,
    Click => click,
    Scroll => scroll,
    FormStart => form_start,
    FormSubmit => form_submit,
    FileDownload => file_download,
    PagePing => page_ping,
    WebVital => web_vital,
    Error => error,
    Custom => custom,
}

impl EventType {
    /// Whether the quantities of its items are pieces that are bought, put into a cart, or taken back. Elsewhere they say what the
    /// shop has in stock.
    pub(crate) const fn counts_pieces(self) -> bool {
        matches!(
            self,
            Self::AddToCart
                | Self::RemoveFromCart
                | Self::ViewCart
                | Self::BeginCheckout
                | Self::AddShippingInfo
                | Self::AddPaymentInfo
                | Self::Purchase
                | Self::Refund
        )
    }

    /// Returns the value of `event_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// Returns the event type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|event_type| event_type.as_str() == name)
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_the_same_in_json_and_specification() {
        for event_type in EventType::ALL {
            let json = serde_json::to_value(event_type).unwrap();
            assert_eq!(json, serde_json::json!(event_type.as_str()));
            assert_eq!(EventType::from_name(event_type.as_str()), Some(*event_type));
        }
    }

    #[test]
    fn specifications_name_fields_of_events() {
        for event_type in EventType::ALL {
            let spec = event_type.spec();
            for name in spec.required.iter().chain(spec.usual) {
                let field = event::FIELDS.iter().find(|field| field.name == *name);
                assert!(
                    field.is_some_and(|field| !field.required),
                    "{event_type}: {name}"
                );
            }
        }
    }

    #[test]
    fn every_file_in_event_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(EventType::from_name(name).is_some(), "{}", path.display());
        }
    }
}
