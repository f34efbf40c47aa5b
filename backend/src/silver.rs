//! Silver: events typed, counted once, in sessions; visitors, orders and refunds; and records that are none of these.
//!
//! read → dedupe → cut into sessions → visitors → orders and refunds. Each step is a pure plan from frames to frames; what to
//! feed it in an
//! incremental run is decided in [`crate::build`].

pub mod events;
pub mod items;
pub mod left_out;
pub mod orders;
pub mod quarantine;
pub mod refunds;
pub mod sessions;
pub mod visitors;

use polars::prelude::*;

use crate::bronze;
use crate::config::Reporting;
use crate::table::Table;
use crate::warehouse::{Recipe, ShopRecipe};

/// All silver tables.
pub static TABLES: [&Table; 8] = [
    &events::TABLE,
    &items::TABLE,
    &sessions::TABLE,
    &visitors::TABLE,
    &orders::TABLE,
    &refunds::TABLE,
    &quarantine::TABLE,
    &left_out::TABLE,
];

/// The tables that a silver table is made from.
pub fn made_from(table: &Table) -> Vec<&'static Table> {
    match table.name {
        name if name == sessions::TABLE.name => vec![&events::TABLE, &orders::TABLE],
        name if name == visitors::TABLE.name => vec![&events::TABLE, &sessions::TABLE],
        name if name == orders::TABLE.name => {
            vec![&events::TABLE, &items::TABLE, &visitors::TABLE]
        }
        name if name == refunds::TABLE.name => vec![&events::TABLE],
        _ => vec![&bronze::EVENTS],
    }
}

/// Version of the plans of silver and gold. Raise it with every change of what they make of the same records: the next
/// build then makes all tables again.
const LOGIC: u32 = 8;

/// What the tables are made under.
pub fn recipe(reporting: &Reporting) -> Recipe {
    let shops = reporting.other_shops().map(|shop_id| {
        let shop = ShopRecipe {
            time_zone: reporting.time_zone_of(shop_id).to_string(),
            currency: reporting.currency_of(shop_id).to_owned(),
        };
        (shop_id.to_owned(), shop)
    });
    Recipe {
        logic: LOGIC,
        time_zone: reporting.time_zone.to_string(),
        currency: reporting.currency.clone(),
        session_gap_ms: sessions::GAP_US / 1_000,
        bot_score: events::BOT_SCORE,
        judging: reporting.judging.fingerprint(),
        shops: shops.collect(),
    }
}

/// What bronze rows hold, without what depends on other events.
pub struct NewRows {
    /// Rows of `silver_events`, not yet in sessions.
    pub events: DataFrame,
    /// Rows of `silver_items`.
    pub items: DataFrame,
    /// Rows of `silver_quarantine`.
    pub quarantine: DataFrame,
    /// Rows of `silver_left_out`, without those of records that others win against.
    pub left_out: DataFrame,
}

/// Reads bronze rows. A record that cannot be counted goes to quarantine and stops nothing.
///
/// # Errors
/// Returns an error if the frame is not one of bronze, or a value does not fit its column.
pub fn read(bronze: &DataFrame, reporting: &Reporting) -> PolarsResult<NewRows> {
    let sorted = bronze::sorted(bronze, &reporting.judging)?;
    Ok(NewRows {
        quarantine: quarantine::rows(&sorted.unreadable)?,
        left_out: left_out::refused(&sorted.unreadable, reporting)?,
        ..typed(&sorted.events, reporting)?
    })
}

/// The events and products of what records of bronze tell, by the columns of [`INPUT`].
///
/// # Errors
/// Returns an error if a value does not fit its column.
pub(crate) fn typed(told: &DataFrame, reporting: &Reporting) -> PolarsResult<NewRows> {
    Ok(NewRows {
        items: items::read(told, reporting)?,
        events: events::read(told.clone().lazy(), reporting).collect()?,
        quarantine: quarantine::TABLE.empty(),
        left_out: left_out::TABLE.empty(),
    })
}

/// What of bronze silver is made of.
pub(crate) const INPUT: [&str; 33] = [
    "event_id",
    "event_type",
    "event_time",
    "received_at",
    "shop_id",
    "anonymous_id",
    "user_id",
    "session_id",
    "seq",
    "page_url",
    "page_path",
    "page_title",
    "campaign_source",
    "campaign_medium",
    "campaign_name",
    "referrer_host",
    "channel",
    "search_term",
    "transaction_id",
    "currency",
    "value_minor",
    "tax_minor",
    "shipping_minor",
    "coupon",
    "payment_method",
    "engagement_time_ms",
    "device",
    "browser",
    "os",
    "country",
    "bot_score",
    "items",
    "record_hash",
];

/// The calendar day of a UTC instant in the time zone of the row's shop.
pub fn day(instant: &str, reporting: &Reporting) -> Expr {
    by_time_zone(reporting, |time_zone| day_in(instant, time_zone))
}

/// The calendar day of a UTC instant in a time zone.
pub fn day_in(instant: &str, time_zone: &TimeZone) -> Expr {
    local(instant, time_zone).dt().date()
}

/// The hour of a UTC instant, from 0 to 23, in the time zone of the row's shop.
pub fn hour(instant: &str, reporting: &Reporting) -> Expr {
    by_time_zone(reporting, |time_zone| local(instant, time_zone).dt().hour())
}

fn local(instant: &str, time_zone: &TimeZone) -> Expr {
    col(instant).dt().convert_time_zone(time_zone.clone())
}

/// The currency of what the row's shop gave no amount for.
pub fn currency_without_amount(reporting: &Reporting) -> Expr {
    let own = |shop_id: &str| reporting.currency_of(shop_id);
    by_shop(reporting, reporting.currency.as_str(), own, |currency| {
        lit(currency.to_owned())
    })
}

fn by_time_zone(reporting: &Reporting, tell: impl Fn(&TimeZone) -> Expr) -> Expr {
    let own = |shop_id: &str| reporting.time_zone_of(shop_id);
    by_shop(reporting, &reporting.time_zone, own, tell)
}

/// What `tell` makes of the setting of the row's shop; each setting is told once, however many shops have it.
fn by_shop<'a, T: PartialEq + ?Sized>(
    reporting: &'a Reporting,
    common: &'a T,
    own: impl Fn(&str) -> &'a T,
    tell: impl Fn(&T) -> Expr,
) -> Expr {
    let mut settings: Vec<(&T, Expr)> = Vec::new();
    for shop_id in reporting.other_shops() {
        let setting = own(shop_id);
        let is_shop = col("shop_id").eq(lit(shop_id.to_owned()));
        let known = settings.iter_mut().find(|(known, _)| *known == setting);
        match known {
            Some((_, shops)) => *shops = shops.clone().or(is_shop),
            None if setting == common => {}
            None => settings.push((setting, is_shop)),
        }
    }
    settings
        .into_iter()
        .fold(tell(common), |others, (setting, shops)| {
            when(shops).then(tell(setting)).otherwise(others)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShopReporting;
    use crate::table::ColumnType;

    #[test]
    fn row_has_the_day_the_hour_and_the_currency_of_its_shop() {
        let shops = r#"{"north":{"time_zone":"America/New_York","currency":"USD"},
            "south":{"time_zone":"America/New_York"},"east":{"currency":"JPY"}}"#;
        let reporting = Reporting {
            shops: ShopReporting::read(shops).unwrap(),
            ..Reporting::default()
        };
        let rows = df!(
            "shop_id" => ["north", "south", "east", "other"],
            // 2026-11-21T02:00:00Z
            "at" => [1_795_226_400_000_000_i64; 4],
        );
        let told = rows
            .unwrap()
            .lazy()
            .with_column(col("at").cast(ColumnType::Timestamp.polars()))
            .select([
                day("at", &reporting).cast(DataType::String).alias("day"),
                hour("at", &reporting).cast(DataType::Int64).alias("hour"),
                currency_without_amount(&reporting).alias("currency"),
            ]);
        let expected = df!(
            "day" => ["2026-11-20", "2026-11-20", "2026-11-21", "2026-11-21"],
            "hour" => [21_i64, 21, 2, 2],
            "currency" => ["USD", "EUR", "JPY", "EUR"],
        );
        assert_eq!(told.collect().unwrap(), expected.unwrap());
    }

    #[test]
    fn recipe_holds_the_shops_that_differ_and_no_others() {
        let recipe = |shops: &str| {
            recipe(&Reporting {
                shops: ShopReporting::read(shops).unwrap(),
                ..Reporting::default()
            })
        };
        assert_eq!(
            recipe(r#"{"a":{"time_zone":"UTC"},"b":{"currency":"EUR"},"c":{}}"#),
            recipe("{}")
        );
        let usd = recipe(r#"{"a":{"currency":"USD"}}"#);
        assert_ne!(usd, recipe("{}"));
        assert_eq!(usd.shops["a"].time_zone, "UTC");
    }
}
