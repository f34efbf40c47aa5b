//! One product in an event, by the names of GA4's item fields.

use serde::{Deserialize, Serialize};

use crate::integer;
use crate::limits::{MAX_ITEMS, MAX_NAME, MAX_SAFE_INTEGER, MAX_TEXT};
use crate::rule::{self, Field, Rule, prose};

/// One product of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Item {
    /// The product's id (SKU), the same wherever it occurs.
    pub item_id: String,
    /// Its name as shoppers see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_name: Option<String>,
    /// Its brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_brand: Option<String>,
    /// Its category, first level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_category: Option<String>,
    /// Its category, second level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_category2: Option<String>,
    /// Its category, third level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_category3: Option<String>,
    /// Its category, fourth level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_category4: Option<String>,
    /// Its category, fifth level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_category5: Option<String>,
    /// Its variant: size, colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_variant: Option<String>,
    /// What one piece costs after the discount, in the major unit of the event's `currency`; negative for a voucher's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// The discount on one piece, in the major unit of the event's `currency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<f64>,
    /// How many pieces, or how much of what is sold by weight or length; absent means 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<f64>,
    /// The coupon used for this item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// Its position in the list, from 0.
    #[serde(
        default,
        deserialize_with = "integer::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub index: Option<i64>,
    /// The id of the list it was shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_list_id: Option<String>,
    /// The name of the list it was shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_list_name: Option<String>,
}

/// The rules of [`Item`]'s fields.
pub(crate) const FIELDS: &[Field] = &[
    Field::required("item_id", Rule::ShopId { max: MAX_NAME }),
    Field::describing("item_name", prose(0, MAX_TEXT)),
    Field::describing("item_brand", prose(0, MAX_NAME)),
    Field::describing("item_category", prose(0, MAX_NAME)),
    Field::describing("item_category2", prose(0, MAX_NAME)),
    Field::describing("item_category3", prose(0, MAX_NAME)),
    Field::describing("item_category4", prose(0, MAX_NAME)),
    Field::describing("item_category5", prose(0, MAX_NAME)),
    Field::describing("item_variant", prose(0, MAX_NAME)),
    Field::optional("price", Rule::Money { negative: true }),
    Field::describing("discount", Rule::Money { negative: true }),
    Field::optional("quantity", Rule::Quantity),
    Field::describing("coupon", prose(0, MAX_NAME)),
    Field::describing("index", rule::integer(0, MAX_SAFE_INTEGER)),
    Field::describing("item_list_id", prose(0, MAX_NAME)),
    Field::describing("item_list_name", prose(0, MAX_NAME)),
];

/// The rule of an event's `items`.
pub(crate) const LIST: Rule = Rule::List {
    max: MAX_ITEMS,
    of: FIELDS,
};
