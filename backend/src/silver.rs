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
use crate::warehouse::Recipe;

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
const LOGIC: u32 = 7;

/// What the tables are made under.
pub fn recipe(reporting: &Reporting) -> Recipe {
    Recipe {
        logic: LOGIC,
        time_zone: reporting.time_zone.to_string(),
        currency: reporting.currency.clone(),
        session_gap_ms: sessions::GAP_US / 1_000,
        bot_score: events::BOT_SCORE,
        judging: reporting.judging.fingerprint(),
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
        left_out: left_out::refused(&sorted.unreadable, &reporting.time_zone)?,
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
        events: events::read(told.clone().lazy(), &reporting.time_zone).collect()?,
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

/// The calendar day of a UTC instant in a time zone.
pub fn day(instant: &str, time_zone: &TimeZone) -> Expr {
    col(instant)
        .dt()
        .convert_time_zone(time_zone.clone())
        .dt()
        .date()
}
