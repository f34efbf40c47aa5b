//! What an add action says of its file: how many rows it has, and for each column its least and greatest value and how
//! many rows lack it.
//!
//! Every column has bounds: delta-rs takes a bound that is missing where others are given for null, and then finds
//! nothing (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics> leaves them optional).

use std::collections::HashMap;

use polars::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::Filter;

/// Characters of a text that stand in a bound; the rest would only make the log longer.
const MAX_TEXT: usize = 32;

/// Greater than every character that can follow a bound that was cut.
const GREATEST: char = '\u{10ffff}';

/// Some writers cut their bounds of time to milliseconds.
const CUT_US: i64 = 999;

/// Returns the statistics of rows in Delta's form.
///
/// # Errors
/// Returns an error if a column is not of a table's types.
pub(super) fn of(rows: &DataFrame) -> PolarsResult<String> {
    let mut least = Map::new();
    let mut greatest = Map::new();
    let mut nulls = Map::new();
    for column in rows.columns() {
        let name = column.name().to_string();
        nulls.insert(name.clone(), json!(column.null_count()));
        if let Some((low, high)) = bounds(column)? {
            least.insert(name.clone(), low);
            greatest.insert(name, high);
        }
    }
    let statistics = json!({
        "numRecords": rows.height(),
        "minValues": least,
        "maxValues": greatest,
        "nullCount": nulls,
    });
    Ok(statistics.to_string())
}

fn bounds(column: &Column) -> PolarsResult<Option<(Value, Value)>> {
    Ok(match column.dtype() {
        DataType::String => {
            let values = column.str()?;
            let ends = (values.iter().flatten().min(), values.iter().flatten().max());
            both(ends).map(|(low, high)| (json!(cut_low(low)), json!(cut_high(high))))
        }
        DataType::Int64 => {
            let values = column.i64()?;
            both((values.min(), values.max())).map(|(low, high)| (json!(low), json!(high)))
        }
        DataType::Float64 => float_bounds(column.f64()?),
        DataType::Boolean => {
            let values = column.bool()?;
            let ends = (values.iter().flatten().min(), values.iter().flatten().max());
            both(ends).map(|(low, high)| (json!(low), json!(high)))
        }
        DataType::Date => {
            let days = column.date()?.physical();
            both((days.min(), days.max())).map(|(low, high)| (date(low), date(high)))
        }
        DataType::Datetime(TimeUnit::Microseconds, _) => {
            let instants = column.datetime()?.physical();
            both((instants.min(), instants.max())).map(|(low, high)| (instant(low), instant(high)))
        }
        other => polars_bail!(SchemaMismatch: "no statistics for a column of type {other}"),
    })
}

fn both<T>(ends: (Option<T>, Option<T>)) -> Option<(T, T)> {
    ends.0.zip(ends.1)
}

/// JSON has no infinity and no NaN, which Delta holds for the greatest number: the ends of the type stand for them.
fn float_bounds(values: &Float64Chunked) -> Option<(Value, Value)> {
    let comparable = |value: f64| {
        if value.is_nan() {
            f64::MAX
        } else {
            value.clamp(f64::MIN, f64::MAX)
        }
    };
    let values = || values.iter().flatten().map(comparable);
    let ends = (values().reduce(f64::min), values().reduce(f64::max));
    both(ends).map(|(low, high)| (json!(low), json!(high)))
}

fn cut_low(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn cut_high(text: &str) -> String {
    let mut bound = cut_low(text);
    if bound.len() < text.len() {
        bound.push(GREATEST);
    }
    bound
}

fn date(days: i32) -> Value {
    json!((chrono::NaiveDate::default() + chrono::Duration::days(days.into())).to_string())
}

fn instant(micros: i64) -> Value {
    let instant = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    json!(instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

/// The bounds in an add action's statistics; whatever is missing there may be anything.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Bounds {
    num_records: Option<u64>,
    null_count: HashMap<String, Value>,
    min_values: HashMap<String, Value>,
    max_values: HashMap<String, Value>,
}

impl Bounds {
    /// Reads an add action's statistics, by whichever writer.
    pub(super) fn read(statistics: Option<&str>) -> Self {
        statistics
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// The latest instant that the column may hold, UTC microseconds.
    pub(super) fn latest(&self, column: &str) -> Option<i64> {
        let text = self.max_values.get(column)?.as_str()?;
        let latest = micros(text)?;
        let is_exact = text.split_once('.').is_some_and(|(_, fraction)| {
            fraction.bytes().take_while(u8::is_ascii_digit).count() > 3
        });
        Some(if is_exact {
            latest
        } else {
            latest.saturating_add(CUT_US)
        })
    }

    /// The earliest instant that the column may hold, UTC microseconds.
    pub(super) fn earliest(&self, column: &str) -> Option<i64> {
        self.min_values
            .get(column)
            .and_then(Value::as_str)
            .and_then(micros)
    }

    /// How many rows the file has, as far as it says.
    pub(super) fn rows(&self) -> usize {
        let rows = self.num_records.unwrap_or_default();
        usize::try_from(rows).unwrap_or(usize::MAX)
    }

    /// Whether every row is known to have a value in the column.
    pub(super) fn has_no_null(&self, column: &str) -> bool {
        self.null_count.get(column).and_then(Value::as_u64) == Some(0)
    }

    /// Whether rows of the file may satisfy a filter.
    pub(super) fn may_hold(&self, filter: &Filter) -> bool {
        let column = filter.column();
        if let Filter::Missing(_) = filter {
            return !self.has_no_null(column);
        }
        if self.is_null(column) {
            return false;
        }
        match filter {
            Filter::Missing(_) => true,
            Filter::TextBetween(_, low, high) => {
                self.text_may_reach(column, low) && self.text_may_begin_by(column, high)
            }
            Filter::TextIn(_, values) => values.iter().any(|value| {
                self.text_may_reach(column, value) && self.text_may_begin_by(column, value)
            }),
            Filter::TimestampBetween(_, low, high) => {
                self.latest(column).is_none_or(|latest| latest >= *low)
                    && self.earliest(column).is_none_or(|least| least <= *high)
            }
        }
    }

    /// Whether no row has a value in the column.
    fn is_null(&self, column: &str) -> bool {
        let nulls = self.null_count.get(column).and_then(Value::as_u64);
        nulls.is_some() && nulls == self.num_records
    }

    fn text_may_reach(&self, column: &str, low: &str) -> bool {
        let greatest = self.max_values.get(column).and_then(Value::as_str);
        greatest.is_none_or(|greatest| greatest >= low)
    }

    fn text_may_begin_by(&self, column: &str, high: &str) -> bool {
        let least = self.min_values.get(column).and_then(Value::as_str);
        least.is_none_or(|least| least <= high)
    }
}

fn micros(text: &str) -> Option<i64> {
    let instant = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(instant.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds_of(rows: DataFrame) -> Bounds {
        Bounds::read(Some(&of(&rows).unwrap()))
    }

    #[test]
    fn long_text_is_cut_and_still_bounded() {
        let long = "é".repeat(40);
        let bounds = bounds_of(df!("name" => [long.as_str(), "b"]).unwrap());
        let holds = |value: &str| bounds.may_hold(&Filter::TextIn("name", vec![value.to_owned()]));
        assert!(holds(&long) && holds("b") && holds("c"));
        assert!(!holds("a") && !holds("ê"));
    }

    #[test]
    fn bounds_of_others_that_are_cut_to_milliseconds_keep_what_they_hold() {
        let bounds = Bounds::read(Some(
            r#"{"numRecords":1,"minValues":{"at":"2026-11-20T23:00:00.123Z"},
                "maxValues":{"at":"2026-11-20T23:00:00.123Z"}}"#,
        ));
        let at = 1_795_215_600_123_456;
        assert!(bounds.may_hold(&Filter::TimestampBetween("at", at, at)));
        assert!(!bounds.may_hold(&Filter::TimestampBetween("at", at + 1_000, at + 1_000)));
    }

    #[test]
    fn missing_and_unreadable_statistics_exclude_nothing() {
        let filter = Filter::TextIn("name", vec!["a".to_owned()]);
        for text in [None, Some(""), Some("{}"), Some(r#"{"minValues":{}}"#)] {
            assert!(Bounds::read(text).may_hold(&filter));
        }
    }

    #[test]
    fn numbers_that_json_lacks_have_bounds() {
        let rows = df!("ratio" => [f64::NAN, f64::NEG_INFINITY, 0.5]).unwrap();
        let statistics: Value = serde_json::from_str(&of(&rows).unwrap()).unwrap();
        assert_eq!(statistics["minValues"]["ratio"], json!(f64::MIN));
        assert_eq!(statistics["maxValues"]["ratio"], json!(f64::MAX));
    }
}
