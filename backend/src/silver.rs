//! Silver: events typed, counted once, in sessions; visitors, orders and refunds.
//!
//! parse → dedupe → cut into sessions → visitors → orders and refunds. Each step is a pure plan from frames to frames; what to feed it in an
//! incremental run is decided in [`crate::build`].

mod channel;
pub mod events;
pub mod items;
pub mod orders;
mod page;
mod parse;
pub mod quarantine;
pub mod refunds;
pub mod sessions;
pub mod visitors;

use std::borrow::Borrow;
use std::sync::Arc;

use polars::prelude::*;

use self::items::ItemRow;
use self::parse::Parsed;
use crate::config::Reporting;
use crate::table::{Column, Table};
use crate::warehouse::Recipe;

/// All silver tables.
pub static TABLES: [&Table; 7] = [
    &events::TABLE,
    &items::TABLE,
    &sessions::TABLE,
    &visitors::TABLE,
    &orders::TABLE,
    &refunds::TABLE,
    &quarantine::TABLE,
];

/// Version of the plans of silver and gold. Raise it with every change of what they make of the same records: the next
/// build then makes all tables again.
const LOGIC: u32 = 3;

/// What the tables are made under.
pub fn recipe(reporting: &Reporting) -> Recipe {
    Recipe {
        logic: LOGIC,
        time_zone: reporting.time_zone.to_string(),
        currency: reporting.currency.clone(),
        session_gap_ms: sessions::GAP_US / 1_000,
        bot_score: parse::BOT_SCORE,
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
}

/// Reads bronze rows. A record that cannot be counted goes to quarantine and stops nothing.
///
/// # Errors
/// Returns an error if the frame is not one of bronze, or a value does not fit its column.
pub fn read(bronze: &DataFrame, reporting: &Reporting) -> PolarsResult<NewRows> {
    let mut parsed = Vec::new();
    let mut unreadable = Vec::new();
    for text in bronze.column("record")?.str()?.iter().flatten() {
        match Parsed::read(text) {
            Ok(event) => parsed.push(Arc::new(event)),
            Err(why) => {
                tracing::warn!(reject.code = why.code, "record quarantined");
                unreadable.push((text, why));
            }
        }
    }
    let lines: Vec<ItemRow> = parsed.iter().flat_map(ItemRow::of).collect();
    let day = || day("event_time", &reporting.time_zone).alias("day");
    let currency = col("currency").fill_null(lit(reporting.currency.clone()));
    Ok(NewRows {
        events: frame(&events::FIELDS, &parsed)?
            .lazy()
            .with_column(day())
            .collect()?,
        items: frame(&items::FIELDS, &lines)?
            .lazy()
            .with_columns([day(), currency])
            .collect()?,
        quarantine: quarantine::rows(&unreadable)?,
    })
}

/// The calendar day of a UTC instant in a time zone.
pub fn day(instant: &str, time_zone: &TimeZone) -> Expr {
    col(instant)
        .dt()
        .convert_time_zone(time_zone.clone())
        .dt()
        .date()
}

/// How a column is read from a row of type `R`; [`Read::Later`] is left to a plan.
enum Read<R> {
    Text(fn(&R) -> Option<&str>),
    Integer(fn(&R) -> Option<i64>),
    Boolean(fn(&R) -> Option<bool>),
    Later,
}

/// A column together with how it is read: one list says both.
struct Field<R: 'static> {
    pub column: Column,
    pub read: Read<R>,
}

/// The columns of a list of fields, for a table's definition.
const fn columns<R: 'static, const N: usize>(fields: &[Field<R>; N]) -> [Column; N] {
    let mut columns = [fields[0].column; N];
    let mut index = 0;
    while index < N {
        columns[index] = fields[index].column;
        index += 1;
    }
    columns
}

/// Reads rows into a frame, column by column; columns for later are null.
fn frame<R>(fields: &[Field<R>], rows: &[impl Borrow<R>]) -> PolarsResult<DataFrame> {
    let columns = fields.iter().map(|field| {
        let name: PlSmallStr = field.column.name.into();
        let values = match &field.read {
            Read::Text(read) => Series::new(
                name,
                rows.iter()
                    .map(|row| read(row.borrow()))
                    .collect::<Vec<_>>(),
            ),
            Read::Integer(read) => Series::new(
                name,
                rows.iter()
                    .map(|row| read(row.borrow()))
                    .collect::<Vec<_>>(),
            ),
            Read::Boolean(read) => Series::new(
                name,
                rows.iter()
                    .map(|row| read(row.borrow()))
                    .collect::<Vec<_>>(),
            ),
            Read::Later => Series::full_null(name, rows.len(), &field.column.kind.polars()),
        };
        values
            .strict_cast(&field.column.kind.polars())
            .map(Series::into_column)
    });
    DataFrame::new(rows.len(), columns.collect::<PolarsResult<Vec<_>>>()?)
}
