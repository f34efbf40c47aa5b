//! `gold_daily_kpis`: the day at a glance.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, average_minor, count, ratio, rows};
use crate::money;
use crate::silver::{orders, refunds, sessions};
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Revenue, orders and sessions of a day.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_daily_kpis",
        layer: Layer::Gold,
        description: "One row per day, shop and currency: revenue, orders, sessions, conversion. A session counts under the \
            currency it saw first, so sessions add up over currencies and money never does",
        columns: &[
            Column::new("day", Date, "Day in the reporting time zone"),
            Column::new("shop_id", Text, "Shop"),
            Column::new("currency", Text, "ISO 4217 code of the money in this row"),
            Column::new(
                "revenue_gross_minor",
                Integer,
                "Value of the day's orders before refunds, minor units",
            ),
            Column::new(
                "refunds_minor",
                Integer,
                "Refunds of the day's orders, whenever they were given, minor units",
            ),
            Column::new(
                "revenue_net_minor",
                Integer,
                "Gross less refunds, minor units",
            ),
            Column::new(
                "refunds_given_minor",
                Integer,
                "Refunds given on the day, of orders of any day, minor units",
            ),
            Column::new("orders", Integer, "Orders of the day"),
            Column::new(
                "average_order_value_minor",
                Integer,
                "Gross revenue per order, minor units",
            ),
            Column::new("sessions", Integer, "Sessions that started on the day"),
            Column::new(
                "visitors",
                Integer,
                "Distinct visitors of those sessions; days do not add up",
            ),
            Column::new("converted_sessions", Integer, "Sessions with a purchase"),
            Column::new(
                "conversion_rate",
                Float,
                "Sessions with a purchase / sessions, 0 to 1",
            ),
            Column::new(
                "bounced_sessions",
                Integer,
                "Sessions that were not engaged",
            ),
            Column::new("bounce_rate", Float, "Bounced sessions / sessions, 0 to 1"),
            Column::new(
                "session_duration_ms",
                Integer,
                "Duration of all sessions together, milliseconds",
            ),
            Column::new(
                "average_session_duration_ms",
                Integer,
                "Duration per session, milliseconds",
            ),
            Column::new("cart_sessions", Integer, "Sessions that added to the cart"),
            Column::new(
                "abandoned_cart_sessions",
                Integer,
                "Of these, sessions without a purchase",
            ),
            Column::new(
                "cart_abandonment_rate",
                Float,
                "Abandoned / cart sessions, 0 to 1",
            ),
            Column::new("page_views", Integer, "Page views of the sessions"),
        ],
        partition: Some("day"),
        key: &["day", "shop_id", "currency"],
    },
    reads: &[
        Input {
            table: &sessions::TABLE,
            columns: &[
                "day",
                "shop_id",
                "currency",
                "anonymous_id",
                "adds_to_cart",
                "purchases",
                "is_bounce",
                "duration_ms",
                "page_views",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &[
                "day",
                "shop_id",
                "currency",
                "gross_minor",
                "refunds_minor",
                "net_minor",
                "purchase_event_id",
            ],
        },
        Input {
            table: &refunds::TABLE,
            columns: &["day", "shop_id", "currency", "refund_minor"],
        },
    ],
    scope: Scope::Days { back: 0 },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let key = [col("day"), col("shop_id"), col("currency")];
    let sold = silver.orders.clone().group_by(key.clone()).agg([
        money::total(col("gross_minor")).alias("revenue_gross_minor"),
        money::total(col("refunds_minor")),
        money::total(col("net_minor")).alias("revenue_net_minor"),
        rows().alias("orders"),
    ]);
    let in_cart = col("adds_to_cart").gt(lit(0));
    let visited = silver.sessions.clone().group_by(key.clone()).agg([
        rows().alias("sessions"),
        col("anonymous_id")
            .n_unique()
            .cast(DataType::Int64)
            .alias("visitors"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
        count(col("is_bounce")).alias("bounced_sessions"),
        col("duration_ms").sum().alias("session_duration_ms"),
        count(in_cart.clone()).alias("cart_sessions"),
        count(in_cart.and(col("purchases").eq(lit(0)))).alias("abandoned_cart_sessions"),
        col("page_views").sum(),
    ]);
    let given = silver
        .refunds
        .clone()
        .group_by(key.clone())
        .agg([money::total(col("refund_minor")).alias("refunds_given_minor")]);
    let all_of = |left: LazyFrame, right: LazyFrame| {
        let both = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
        left.join(right, key.clone(), key.clone(), both)
    };
    let joined = all_of(all_of(visited, sold), given);
    let totals = joined.with_columns([all()
        .exclude_cols(["day", "shop_id", "currency"])
        .as_expr()
        .fill_null(lit(0_i64))]);
    Ok(GOLD.table.conform(
        totals.with_columns([
            average_minor(col("revenue_gross_minor"), col("orders"))
                .alias("average_order_value_minor"),
            ratio(col("converted_sessions"), col("sessions")).alias("conversion_rate"),
            ratio(col("bounced_sessions"), col("sessions")).alias("bounce_rate"),
            average_minor(col("session_duration_ms"), col("sessions"))
                .alias("average_session_duration_ms"),
            ratio(col("abandoned_cart_sessions"), col("cart_sessions"))
                .alias("cart_abandonment_rate"),
        ]),
    ))
}
