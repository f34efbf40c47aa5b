//! `gold_landing_pages`: on which page visitors arrive, from where, and what comes of it.
//!
//! Anybody can make addresses up, so a day has a bounded number of pages: the most visited keep their names, and the others
//! are one row, as in Google Analytics (support.google.com/analytics/answer/13331684, "the (other) row"). An address that
//! somebody made up has few sessions, so it comes after the pages that people visit.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, rows};
use crate::money;
use crate::silver::{orders, sessions};
use crate::table::ColumnType::{Date, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Pages of a day and shop that keep their names: a few times the pages that most shops have.
const MOST_PAGES: i64 = 1_000;
/// The page of all the others. Paths begin with `/`, so no page is called so.
const OTHERS: &str = "(other)";
/// Stands for sessions whose country the edge does not know.
pub(crate) const UNKNOWN: &str = "unknown";

/// Sessions and sales by first page, channel, device and country.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_landing_pages",
        layer: Layer::Gold,
        description: "One row per day, shop, landing page, channel, device, country and currency: sessions that began there, \
            and the orders made in such sessions. A session counts under the currency it saw first, so sessions add up over \
            currencies and money never does",
        columns: &[
            Column::new(
                "day",
                Date,
                "Day the session started, of orders the day of the order, in the reporting time zone",
            ),
            Column::new("shop_id", Text, "Shop"),
            Column::new(
                "landing_page",
                Text,
                "Path of the session's first page; `(other)` where more than 1000 pages of the shop have a row on the day and this is none of the most visited",
            ),
            Column::new("channel", Text, "Channel of the session"),
            Column::new("device", Text, "desktop, mobile, tablet or other"),
            Column::new(
                "country",
                Text,
                "Country of the session, ISO 3166 code; `unknown` where the edge does not know it",
            ),
            Column::new("currency", Text, "ISO 4217 code"),
            Column::new("sessions", Integer, "Sessions that started on the day"),
            Column::new(
                "engaged_sessions",
                Integer,
                "Of these, with 10 seconds in view, two page views or a purchase",
            ),
            Column::new("bounced_sessions", Integer, "Of these, not engaged"),
            Column::new("converted_sessions", Integer, "Of these, with a purchase"),
            Column::new(
                "session_duration_ms",
                Integer,
                "Duration of all these sessions together, milliseconds",
            ),
            Column::new("page_views", Integer, "Page views of these sessions"),
            Column::new("orders", Integer, "Orders of the day"),
            Column::new(
                "new_customers",
                Integer,
                "Of these, the first order of a customer",
            ),
            Column::new(
                "revenue_minor",
                Integer,
                "Value of the orders before refunds, minor units",
            ),
        ],
        partition: Some("day"),
        key: &[
            "day",
            "shop_id",
            "landing_page",
            "channel",
            "device",
            "country",
            "currency",
        ],
    },
    reads: &[
        Input {
            table: &sessions::TABLE,
            columns: &[
                "day",
                "shop_id",
                "session_key",
                "entry_page",
                "channel",
                "device",
                "country",
                "currency",
                "duration_ms",
                "page_views",
                "purchases",
                "is_engaged",
                "is_bounce",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &[
                "day",
                "shop_id",
                "session_key",
                "currency",
                "gross_minor",
                "is_new_customer",
                "purchase_event_id",
            ],
        },
    ],
    // The session of an order may have begun before the order's day.
    scope: Scope::Days {
        back: sessions::DAYS_ON,
    },
    build,
};

/// What adds up.
const FIGURES: [&str; 9] = [
    "sessions",
    "engaged_sessions",
    "bounced_sessions",
    "converted_sessions",
    "session_duration_ms",
    "page_views",
    "orders",
    "new_customers",
    "revenue_minor",
];

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let sessions = silver.sessions.clone().with_columns([
        col("entry_page").alias("landing_page"),
        col("country").fill_null(lit(UNKNOWN)),
    ]);
    let visited = sessions.clone().group_by(key()).agg([
        rows().alias("sessions"),
        count(col("is_engaged")).alias("engaged_sessions"),
        count(col("is_bounce")).alias("bounced_sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
        col("duration_ms").sum().alias("session_duration_ms"),
        col("page_views").sum(),
    ]);
    let sold = orders_of(sessions, silver.orders.clone())
        .group_by(key())
        .agg([
            rows().alias("orders"),
            count(col("is_new_customer")).alias("new_customers"),
            money::total(col("gross_minor")).alias("revenue_minor"),
        ]);
    let both = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
    let told = visited
        .join(sold, key(), key(), both)
        .with_columns(FIGURES.map(|name| col(name).fill_null(lit(0_i64))));
    Ok(GOLD.table.conform(bounded(told, MOST_PAGES)?))
}

/// Orders with what their sessions began with.
fn orders_of(sessions: LazyFrame, orders: LazyFrame) -> LazyFrame {
    let session = || ["shop_id", "session_key"].map(col);
    let began = ["landing_page", "channel", "device", "country"].map(col);
    let sessions = sessions.select([&session()[..], &began].concat());
    orders.join(
        sessions,
        session(),
        session(),
        JoinArgs::new(JoinType::Inner),
    )
}

/// The same figures with so many pages of each day and shop, the others together.
fn bounded(told: LazyFrame, most: i64) -> PolarsResult<LazyFrame> {
    let of_day = || ["day", "shop_id"].map(col);
    let page = || ["day", "shop_id", "landing_page"].map(col);
    let in_order = ["sessions", "orders", "landing_page"];
    let descending =
        SortMultipleOptions::default().with_order_descending_multi([true, true, false]);
    let is_page = col("landing_page").is_not_null().cast(DataType::Int64);
    let place = is_page.cum_sum(false).over(of_day())?;
    let named = told
        .clone()
        .group_by(page())
        .agg([col("sessions").sum(), col("orders").sum()])
        .sort(in_order, descending)
        .with_column(place.alias("place"))
        .filter(col("place").lt_eq(lit(most)))
        .select([&page()[..], &[lit(true).alias("is_named")]].concat());
    let name = when(col("is_named").is_null())
        .then(lit(OTHERS))
        .otherwise(col("landing_page"));
    Ok(told
        .join(named, page(), page(), JoinArgs::new(JoinType::Left))
        .with_column(name.alias("landing_page"))
        .group_by(key())
        .agg(FIGURES.map(|name| money::total(col(name)))))
}

fn key() -> Vec<Expr> {
    GOLD.table.key.iter().copied().map(col).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of one day with these pages and sessions, on two channels alike.
    fn told(pages: &[(&str, i64)]) -> LazyFrame {
        let rows = |channel: &str| {
            let text = |value: &str| lit(value.to_owned());
            df!(
                "landing_page" => pages.iter().map(|(page, _)| *page).collect::<Vec<_>>(),
                "sessions" => pages.iter().map(|(_, sessions)| *sessions).collect::<Vec<_>>(),
            )
            .unwrap()
            .lazy()
            .with_columns([
                lit(20_500_i32).cast(DataType::Date).alias("day"),
                text("demo").alias("shop_id"),
                text(channel).alias("channel"),
                text("mobile").alias("device"),
                text(UNKNOWN).alias("country"),
                text("EUR").alias("currency"),
            ])
            .with_columns(
                FIGURES[1..]
                    .iter()
                    .map(|name| lit(0_i64).alias(*name))
                    .collect::<Vec<_>>(),
            )
        };
        concat([rows("Direct"), rows("Email")], UnionArgs::default()).unwrap()
    }

    fn pages(told: LazyFrame, most: i64) -> Vec<(String, i64)> {
        let rows = bounded(told, most)
            .unwrap()
            .group_by([col("landing_page")])
            .agg([col("sessions").sum()])
            .sort(["landing_page"], SortMultipleOptions::default())
            .collect()
            .unwrap();
        let names = rows.column("landing_page").unwrap().str().unwrap().clone();
        let sessions = rows.column("sessions").unwrap().i64().unwrap().clone();
        let names = names.iter().map(|name| name.unwrap().to_owned());
        names.zip(sessions.iter().map(Option::unwrap)).collect()
    }

    #[test]
    fn made_up_pages_are_one_row_and_push_out_no_real_one() {
        let own = |pages: &[(&str, i64)]| -> Vec<(String, i64)> {
            pages
                .iter()
                .map(|(page, sessions)| ((*page).to_owned(), *sessions))
                .collect()
        };
        let visited = [("/", 5), ("/mug", 2), ("/a", 1), ("/b", 1), ("/c", 1)];
        let left = own(&[("(other)", 4), ("/", 10), ("/a", 2), ("/mug", 4)]);
        assert_eq!(pages(told(&visited), 3), left);
        let all = own(&[("/", 10), ("/a", 2), ("/b", 2), ("/c", 2), ("/mug", 4)]);
        assert_eq!(pages(told(&visited), 5), all);
    }
}
