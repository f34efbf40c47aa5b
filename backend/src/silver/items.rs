//! `silver_items`: one row per product in an event, flat, so that every reader can use it.

use std::sync::Arc;

use shoptrail_schemas::Item;

use super::Field;
use super::Read::{Boolean, Integer, Later, Text};
use super::parse::Parsed;
use crate::table::ColumnType::{Boolean as Bool, Date, Integer as Int, Text as Str, Timestamp};
use crate::table::{Column, Layer, Table};

/// One product of one event.
pub(super) struct ItemRow {
    event: Arc<Parsed>,
    index: usize,
}

impl ItemRow {
    /// The products of an event, in order.
    pub(super) fn of(event: &Arc<Parsed>) -> impl Iterator<Item = Self> {
        let items = event.record.event.items.as_ref().map_or(0, Vec::len);
        (0..items).map(|index| Self {
            event: Arc::clone(event),
            index,
        })
    }

    fn item(&self) -> Option<&Item> {
        self.event.record.event.items.as_ref()?.get(self.index)
    }
}

/// The columns and how each is read from a product.
pub(super) static FIELDS: [Field<ItemRow>; 17] = [
    field(
        Column::new("event_id", Str, "Event the product is in"),
        Text(|row| Some(&row.event.record.event.event_id)),
    ),
    field(
        Column::new("event_type", Str, "Its type"),
        Text(|row| Some(row.event.record.event.event_type.as_str())),
    ),
    field(
        Column::new("event_time", Timestamp, "When it happened"),
        Integer(|row| Some(row.event.event_time_us)),
    ),
    field(
        Column::new("record_hash", Int, "XXH3 of the record the product came in"),
        Integer(|row| Some(row.event.hash)),
    ),
    field(
        Column::new(
            "day",
            Date,
            "Day of `event_time` in the reporting time zone",
        ),
        Later,
    ),
    field(
        Column::new("shop_id", Str, "Shop"),
        Text(|row| Some(&row.event.record.edge.shop_id)),
    ),
    field(
        Column::new("item_index", Int, "Place in the event's list, from 0"),
        Integer(|row| i64::try_from(row.index).ok()),
    ),
    field(
        Column::new("item_id", Str, "Product"),
        Text(|row| Some(&row.item()?.item_id)),
    ),
    field(
        Column::new("item_name", Str, "Its name, else its id"),
        Text(|row| name(row.item()?)),
    ),
    field(
        Column::new("item_brand", Str, "Brand").optional(),
        Text(|row| row.item()?.item_brand.as_deref()),
    ),
    field(
        Column::new("item_category", Str, "Category").optional(),
        Text(|row| row.item()?.item_category.as_deref()),
    ),
    field(
        Column::new("quantity", Int, "Units; 1 where the shop gave none"),
        Integer(|row| {
            Some(
                row.item()?
                    .quantity
                    .map_or(1, |pieces| pieces.round() as i64),
            )
        }),
    ),
    field(
        Column::new(
            "price_minor",
            Int,
            "Price of a unit after discount, minor units",
        )
        .optional(),
        Integer(|row| row.event.minor(row.item()?.price)),
    ),
    field(
        Column::new("amount_minor", Int, "Price times quantity, minor units").optional(),
        Integer(|row| row.event.amount_minor(row.item()?)),
    ),
    field(
        Column::new("discount_minor", Int, "Discount on a unit, minor units").optional(),
        Integer(|row| row.event.minor(row.item()?.discount)),
    ),
    field(
        Column::new(
            "currency",
            Str,
            "ISO 4217 code, else the reporting currency",
        ),
        Text(|row| row.event.record.event.currency.as_deref()),
    ),
    field(
        Column::new("is_bot", Bool, "Made by a program; left out of gold"),
        Boolean(|row| Some(row.event.is_bot())),
    ),
];

const COLUMNS: [Column; 17] = super::columns(&FIELDS);

/// One row per product in an event.
pub static TABLE: Table = Table {
    name: "silver_items",
    layer: Layer::Silver,
    description: "One row per product in an event",
    columns: &COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "event_id", "item_index"],
};

fn name(item: &Item) -> Option<&str> {
    Some(item.item_name.as_deref().unwrap_or(&item.item_id))
}

const fn field(column: Column, read: super::Read<ItemRow>) -> Field<ItemRow> {
    Field { column, read }
}
