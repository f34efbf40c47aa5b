//! Rows of bronze by whether they can be counted: what landing understood, and the records that it has not.

use polars::prelude::{DataFrame, PolarsResult};

use super::understood::{self, Understood, Unreadable};
use super::{FIELDS, RECORD, understood_columns};
use crate::judging::Judging;

/// Rows of bronze by whether they can be counted.
pub(crate) struct Sorted {
    /// What the records tell, for each that tells something.
    pub(crate) events: DataFrame,
    /// The texts of the others as they may be kept, with the reason.
    pub(crate) unreadable: Vec<(String, Unreadable)>,
}

/// Reads what landing understood, and understands the records it has not.
///
/// # Errors
/// Returns an error if the frame is not one of bronze: it has the column `record` at least.
pub(crate) fn sorted(rows: &DataFrame, judging: &Judging) -> PolarsResult<Sorted> {
    let columns = || FIELDS.iter().map(|field| field.column.name);
    let mut unreadable = Vec::new();
    let events = match rows.column("event_id") {
        Ok(ids) if ids.null_count() == 0 => rows.select(columns())?,
        Ok(ids) => {
            let known = rows.filter(&ids.is_not_null())?.select(columns())?;
            let others = rows.filter(&ids.is_null())?;
            known.vstack(&understand(&others, judging, &mut unreadable)?)?
        }
        Err(_) => understand(rows, judging, &mut unreadable)?,
    };
    Ok(Sorted { events, unreadable })
}

/// Rows that landing has not understood as rows of bronze with all of their columns; those that cannot be counted apart.
///
/// # Errors
/// Returns an error if the frame is not one of bronze.
pub(crate) fn completed(rows: &DataFrame, judging: &Judging) -> PolarsResult<Sorted> {
    let mut unreadable = Vec::new();
    let told: Vec<_> = read(rows, judging, &mut unreadable)?.collect();
    let place = rows.select(RECORD.map(|column| column.name))?;
    let complete = place.hstack(understood_columns(told.iter().map(Option::as_ref))?.columns())?;
    let events = complete.filter(&complete.column("event_id")?.is_not_null())?;
    Ok(Sorted { events, unreadable })
}

fn understand(
    rows: &DataFrame,
    judging: &Judging,
    unreadable: &mut Vec<(String, Unreadable)>,
) -> PolarsResult<DataFrame> {
    let events: Vec<_> = read(rows, judging, unreadable)?.flatten().collect();
    understood_columns(events.iter().map(Some))
}

/// What each record tells; nothing of those that cannot be counted, which are noted.
fn read<'a>(
    rows: &'a DataFrame,
    judging: &'a Judging,
    unreadable: &'a mut Vec<(String, Unreadable)>,
) -> PolarsResult<impl Iterator<Item = Option<Understood>> + 'a> {
    let texts = rows.column("record")?.str()?.iter();
    Ok(texts.map(|text| {
        let text = text.unwrap_or_default();
        match Understood::read(text, judging) {
            Ok(event) => Some(event),
            Err(why) => {
                tracing::warn!(reject.code = why.code, "record quarantined");
                unreadable.push((understood::kept(text, judging), why));
                None
            }
        }
    }))
}
