//! One event as the tracker sends it: a flat object. Fields it does not know are allowed and kept in bronze.
//!
//! Each event type is one file in `event/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::ConsentState;
use crate::event_type::EventType;
use crate::integer;
use crate::item::{self, Item};
use crate::limits::{
    MAX_ENGAGEMENT_MS, MAX_EVENT_MS, MAX_EVENT_NAME, MAX_ID, MAX_LABEL, MAX_NAME, MAX_SAFE_INTEGER,
    MAX_TEXT, MAX_TITLE, MAX_URL, MIN_EVENT_MS,
};
use crate::rule::{Field, Form, Rule, formed, instant, integer, prose};

pub(crate) mod add_payment_info;
pub(crate) mod add_shipping_info;
pub(crate) mod add_to_cart;
pub(crate) mod add_to_wishlist;
pub(crate) mod begin_checkout;
pub(crate) mod click;
pub(crate) mod custom;
pub(crate) mod error;
pub(crate) mod file_download;
pub(crate) mod form_start;
pub(crate) mod form_submit;
pub(crate) mod login;
pub(crate) mod page_ping;
pub(crate) mod page_view;
pub(crate) mod purchase;
pub(crate) mod refund;
pub(crate) mod remove_from_cart;
pub(crate) mod scroll;
pub(crate) mod search;
pub(crate) mod select_item;
pub(crate) mod select_promotion;
pub(crate) mod sign_up;
pub(crate) mod view_cart;
pub(crate) mod view_item;
pub(crate) mod view_item_list;
pub(crate) mod view_promotion;
pub(crate) mod web_vital;

/// One event of a shopper's visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// The id the event was born with (UUIDv7, lower case). Repeated deliveries are recognized by it.
    pub event_id: String,
    /// What happened.
    pub event_type: EventType,
    /// When it happened by the browser's clock, in milliseconds since the epoch.
    #[serde(deserialize_with = "integer::required")]
    pub event_timestamp: i64,
    /// Its number within the session, from 1 without holes: a hole is a lost event.
    #[serde(deserialize_with = "integer::required")]
    pub seq: i64,
    /// The browser's id, by which visits are recognized. Also the Kafka key.
    pub anonymous_id: String,
    /// The tracker's id of the visit.
    pub session_id: String,
    /// The shop's id of the customer, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The address of the page.
    pub page_url: String,
    /// The page's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_title: Option<String>,
    /// Where the shopper came from, as the browser says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_url: Option<String>,
    /// The products concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
    /// The currency of every amount in the event (ISO 4217, upper case).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the event is worth, in the currency's major unit: as in GA4, the sum of price × quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The shop's id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// The tax of the order, in the currency's major unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax: Option<f64>,
    /// The cost of shipping, in the currency's major unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping: Option<f64>,
    /// The coupon used for the whole cart or order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// How the shopper pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// What the shopper searched for in the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_term: Option<String>,
    /// The address of the link or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_url: Option<String>,
    /// The name of a `custom` event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// Time the page had the shopper's attention since the last event that says so, in milliseconds.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub engagement_time_msec: Option<i64>,
    /// What the shop knows about the shopper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demographics: Option<Demographics>,
    /// What the shopper agreed to when the event happened.
    pub consent: Consent,
    /// Whatever else the shop wants to say: flat names and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, Property>>,
}

/// What the shopper agreed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Consent {
    /// Measuring visits.
    pub analytics: ConsentState,
    /// Advertising.
    pub ads: ConsentState,
}

/// What the shop knows about the shopper, in its own groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Demographics {
    /// An age group, such as `25-34`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_group: Option<String>,
    /// A gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// A country (ISO 3166-1 alpha-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The value of one of an event's `properties`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Property {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A finite number.
    Number(serde_json::Number),
    /// A text.
    Text(String),
}

/// Whether a text has the form of an event's id.
pub(crate) fn is_event_id(text: &str) -> bool {
    Form::UuidV7.matches(text)
}

/// The rules of [`Event`]'s fields.
pub(crate) const FIELDS: &[Field] = &[
    Field::required("event_id", formed(36, 36, Form::UuidV7)),
    Field::required("event_type", Rule::EventType),
    Field::required("event_timestamp", instant(MIN_EVENT_MS, MAX_EVENT_MS)),
    Field::required("seq", integer(1, MAX_SAFE_INTEGER)),
    Field::required("anonymous_id", formed(1, MAX_ID, Form::Id)),
    Field::required("session_id", formed(1, MAX_ID, Form::Id)),
    Field::optional("user_id", Rule::ShopId { max: MAX_TEXT }),
    Field::required("page_url", Rule::PageUrl),
    Field::describing("page_title", prose(0, MAX_TITLE)),
    Field::describing("referrer_url", prose(0, MAX_URL)),
    Field::optional("items", item::LIST),
    Field::optional("currency", Rule::Currency),
    Field::optional("value", Rule::Money { negative: false }),
    Field::optional("transaction_id", Rule::ShopId { max: MAX_NAME }),
    Field::describing("tax", Rule::Money { negative: false }),
    Field::describing("shipping", Rule::Money { negative: false }),
    Field::describing("coupon", prose(0, MAX_NAME)),
    Field::describing("payment_method", prose(0, MAX_ID)),
    Field::describing("search_term", prose(1, MAX_TEXT)),
    Field::describing("link_url", prose(0, MAX_URL)),
    Field::describing("event_name", formed(1, MAX_EVENT_NAME, Form::SnakeCase)),
    Field::describing("engagement_time_msec", integer(0, MAX_ENGAGEMENT_MS)),
    Field::describing("demographics", Rule::Object(DEMOGRAPHICS)),
    Field::required("consent", Rule::Object(CONSENT)),
    Field::describing("properties", Rule::Properties),
];

/// The rules of [`Consent`]'s fields.
pub(crate) const CONSENT: &[Field] = &[
    Field::required("analytics", Rule::Consent),
    Field::required("ads", Rule::Consent),
];

/// The rules of [`Demographics`]' fields.
pub(crate) const DEMOGRAPHICS: &[Field] = &[
    Field::describing("age_group", prose(0, MAX_LABEL)),
    Field::describing("gender", prose(0, MAX_LABEL)),
    Field::describing("country", formed(2, 2, Form::Country)),
];
