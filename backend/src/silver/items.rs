//! `silver_items`: one row per product in an event, flat, so that every reader can use it.

use std::borrow::Cow;

use polars::prelude::*;

use super::events;
use crate::bronze::ItemText;
use crate::config::Reporting;
use crate::table::ColumnType::{Boolean, Date, Float, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new("event_id", Text, "Event the product is in"),
    Column::new("event_type", Text, "Its type"),
    Column::new("event_time", Timestamp, "When it happened"),
    Column::new(
        "record_hash",
        Integer,
        "XXH3 of the record the product came in",
    ),
    Column::new(
        "day",
        Date,
        "Day of `event_time` in the reporting time zone",
    ),
    Column::new("shop_id", Text, "Shop"),
    Column::new("item_index", Integer, "Place in the event's list, from 0"),
    Column::new("item_id", Text, "Product"),
    Column::new("item_name", Text, "Its name, else its id"),
    Column::new("item_brand", Text, "Brand").optional(),
    Column::new("item_category", Text, "Category").optional(),
    Column::new(
        "quantity",
        Float,
        "Units, or how much of what is sold by weight or length, to three decimals; 1 where the shop gave none",
    ),
    Column::new(
        "price_minor",
        Integer,
        "Price of a unit after discount, minor units",
    )
    .optional(),
    Column::new("amount_minor", Integer, "Price times quantity, minor units").optional(),
    Column::new("discount_minor", Integer, "Discount on a unit, minor units").optional(),
    Column::new(
        "currency",
        Text,
        "ISO 4217 code, else the reporting currency",
    ),
    Column::new("is_bot", Boolean, "Made by a program; left out of gold"),
];

/// One row per product in an event.
pub static TABLE: Table = Table {
    name: "silver_items",
    layer: Layer::Silver,
    description: "One row per product in an event",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "event_id", "item_index"],
};

/// What a product has of its event.
const OF_EVENT: [&str; 7] = [
    "event_id",
    "event_type",
    "event_time",
    "record_hash",
    "shop_id",
    "currency",
    "bot_score",
];

/// Quantities have three decimals.
const THOUSAND: f64 = 1_000.0;

/// The sum of quantities, the same in whatever order: they are added up as whole thousandths. Polars divides by a number by
/// multiplying, and so the quotient is rounded.
pub fn sum_of_quantities(quantities: Expr) -> Expr {
    let thousandths = (quantities * lit(THOUSAND)).round(0, RoundMode::HalfAwayFromZero);
    let sum = thousandths.cast(DataType::Int64).sum();
    (sum.cast(DataType::Float64) / lit(THOUSAND)).round(3, RoundMode::HalfAwayFromZero)
}

/// The products in bronze rows.
///
/// # Errors
/// Returns an error if a row's products are not a list as [`ItemText`] has them.
pub(super) fn read(bronze: &DataFrame, reporting: &Reporting) -> PolarsResult<DataFrame> {
    let with_items = bronze.filter(&bronze.column("items")?.is_not_null())?;
    let mut lines = Lines::default();
    for (row, text) in (0..).zip(with_items.column("items")?.str()?.iter().flatten()) {
        lines.read(row, text)?;
    }
    let rows = IdxCa::new("row".into(), std::mem::take(&mut lines.rows));
    let events = with_items.select(OF_EVENT)?.take(&rows)?;
    let items = lines.into_frame(events.height())?;
    let items = events.hstack(items.columns())?.lazy().with_columns([
        super::day("event_time", reporting).alias("day"),
        col("currency").fill_null(super::currency_without_amount(reporting)),
        events::is_bot().alias("is_bot"),
    ]);
    TABLE.conform(items).collect()
}

/// Products, column by column.
#[derive(Default)]
struct Lines<'a> {
    /// The row of the event.
    rows: Vec<IdxSize>,
    index: Vec<i64>,
    id: Vec<Cow<'a, str>>,
    name: Vec<Option<Cow<'a, str>>>,
    brand: Vec<Option<Cow<'a, str>>>,
    category: Vec<Option<Cow<'a, str>>>,
    quantity: Vec<f64>,
    price: Vec<Option<i64>>,
    amount: Vec<Option<i64>>,
    discount: Vec<Option<i64>>,
}

impl<'a> Lines<'a> {
    fn read(&mut self, row: IdxSize, text: &'a str) -> PolarsResult<()> {
        let items: Vec<ItemText<'a>> = serde_json::from_str(text)
            .map_err(|error| polars_err!(ComputeError: "column `items`: {error}"))?;
        for (index, item) in (0..).zip(items) {
            self.rows.push(row);
            self.index.push(index);
            self.id.push(item.item_id);
            self.name.push(item.item_name);
            self.brand.push(item.item_brand);
            self.category.push(item.item_category);
            self.quantity
                .push((item.quantity.unwrap_or(1.0) * THOUSAND).round() / THOUSAND);
            self.price.push(item.price_minor);
            self.amount.push(item.amount_minor);
            self.discount.push(item.discount_minor);
        }
        Ok(())
    }

    fn into_frame(self, height: usize) -> PolarsResult<DataFrame> {
        let text = |name: &str, values: &[Option<Cow<'_, str>>]| {
            let values = values.iter().map(Option::as_deref);
            StringChunked::from_iter_options(name.into(), values).into_column()
        };
        let integer = |name: &str, values: Vec<Option<i64>>| {
            Int64Chunked::from_slice_options(name.into(), &values).into_column()
        };
        let names: Vec<Option<Cow<'_, str>>> = self
            .name
            .into_iter()
            .zip(&self.id)
            .map(|(name, id)| name.or_else(|| Some(id.clone())))
            .collect();
        let ids = StringChunked::from_iter_values("item_id".into(), self.id.iter());
        let columns = vec![
            Int64Chunked::from_vec("item_index".into(), self.index).into_column(),
            ids.into_column(),
            text("item_name", &names),
            text("item_brand", &self.brand),
            text("item_category", &self.category),
            Float64Chunked::from_vec("quantity".into(), self.quantity).into_column(),
            integer("price_minor", self.price),
            integer("amount_minor", self.amount),
            integer("discount_minor", self.discount),
        ];
        DataFrame::new(height, columns)
    }
}
