//! `gold_device_trends`: on what people shop.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, ratio, rows};
use crate::money;
use crate::silver::{orders, sessions};
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Sessions and sales by device, browser and operating system.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_device_trends",
        layer: Layer::Gold,
        description: "One row per day, shop, device, browser, operating system and currency: sessions, purchases, revenue",
        columns: &[
            Column::new("day", Date, "Day in the reporting time zone"),
            Column::new("shop_id", Text, "Shop"),
            Column::new("device", Text, "desktop, mobile, tablet or other"),
            Column::new("browser", Text, "Browser family"),
            Column::new("os", Text, "Operating system"),
            Column::new("currency", Text, "ISO 4217 code"),
            Column::new("sessions", Integer, "Sessions that started on the day"),
            Column::new("converted_sessions", Integer, "Sessions with a purchase"),
            Column::new(
                "conversion_rate",
                Float,
                "Sessions with a purchase / sessions, 0 to 1",
            ),
            Column::new("purchases", Integer, "Orders of the day"),
            Column::new(
                "revenue_minor",
                Integer,
                "Their value before refunds, minor units",
            ),
        ],
        partition: Some("day"),
        key: &["day", "shop_id", "device", "browser", "os", "currency"],
    },
    reads: &[
        Input {
            table: &sessions::TABLE,
            columns: &[
                "day",
                "shop_id",
                "device",
                "browser",
                "os",
                "currency",
                "purchases",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &[
                "day",
                "shop_id",
                "device",
                "browser",
                "os",
                "currency",
                "gross_minor",
                "purchase_event_id",
            ],
        },
    ],
    scope: Scope::Days { back: 0 },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let key = ["day", "shop_id", "device", "browser", "os", "currency"].map(col);
    let visited = silver.sessions.clone().group_by(key.clone()).agg([
        rows().alias("sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
    ]);
    let sold = silver.orders.clone().group_by(key.clone()).agg([
        rows().alias("purchases"),
        money::total(col("gross_minor")).alias("revenue_minor"),
    ]);
    let both = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
    let zero = [
        "sessions",
        "converted_sessions",
        "purchases",
        "revenue_minor",
    ]
    .map(|name| col(name).fill_null(lit(0_i64)));
    let joined = visited
        .join(sold, key.clone(), key, both)
        .with_columns(zero);
    let rate = ratio(col("converted_sessions"), col("sessions")).alias("conversion_rate");
    Ok(GOLD.table.conform(joined.with_column(rate)))
}
