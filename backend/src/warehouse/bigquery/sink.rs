//! Bronze as Confluent's BigQuery sink writes it: the record's three parts as nested columns, no Kafka coordinates, rows
//! that may come twice.
//!
//! Nothing in a row tells when it came, but BigQuery keeps a history of what was appended to a table
//! (<https://cloud.google.com/bigquery/docs/change-history>). Comparing the table now with the table then is not possible:
//! a statement may read a table at one point in time only. Rows that come twice are counted once in silver.

use polars::prelude::*;
use serde_json::Value;

use super::super::{Person, WarehouseError};
use super::client::Client;
use super::error::{BigQueryError, Class};
use super::read::{self, Source};
use super::sql;

/// What a field of a `oneOf` is called in the sink's table, its dots made legal by `sanitize.field.names`.
const ONE_OF: &str = "io_confluent_connect_json_OneOf_field_";
/// The longest that a dataset can be set to look back (<https://cloud.google.com/bigquery/docs/time-travel>).
const HISTORY_US: i64 = 7 * DAY_US;
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// The records that came since the last look, in the column `record`; and when this look was, UTC microseconds.
pub(super) async fn records(
    client: &Client,
    table: &str,
    since: Option<i64>,
) -> Result<(DataFrame, i64), WarehouseError> {
    let now = now(client).await?;
    let name = client.full_name(table);
    let from = match since {
        Some(since) => {
            let overlap = i64::try_from(client.settings.sink_overlap.as_micros());
            let start = begin(since, overlap.unwrap_or(i64::MAX), now)
                .ok_or_else(|| history_is_over(table, since, now))?;
            appended(&name, start, now)
        }
        None => whole(&name, now),
    };
    let sql = format!(
        "SELECT DISTINCT TO_JSON_STRING(STRUCT(event AS event, batch AS batch, edge AS edge)) AS record FROM {from}"
    );
    let what = format!("reading what is new in `{table}`");
    let done = client.run_query(&what, "sink", sql, Vec::new()).await?;
    let query = done
        .job
        .configuration
        .and_then(|configuration| configuration.query);
    let result = query
        .and_then(|query| query.destination_table)
        .ok_or_else(|| BigQueryError::new(Class::Failed, &what, "the query has no result table"))?;
    let rows = read::read(
        client,
        Source::table(client, &result.dataset_id, &result.table_id),
    )
    .await?;
    Ok((readable(rows, &what)?, now))
}

/// How many rows tell of a person; they are deleted if so asked.
pub(super) async fn rows_of(
    client: &Client,
    table: &str,
    person: &Person,
    delete: bool,
) -> Result<usize, WarehouseError> {
    let (name, condition) = (client.full_name(table), sql::of_person(person));
    let what = format!("looking for a person in `{table}`");
    let count = format!("SELECT COUNT(*) FROM `{name}` WHERE {condition}");
    let done = client.run_query(&what, "erase", count, Vec::new()).await?;
    let row = client.first_row(&what, &done).await?;
    let rows = row.first().and_then(|cell| cell.as_ref()?.parse().ok());
    let rows =
        rows.ok_or_else(|| BigQueryError::new(Class::Failed, &what, "the answer is not a number"))?;
    if delete && rows > 0 {
        let sql = format!("DELETE FROM `{name}` WHERE {condition}");
        client.run_query(&what, "erase", sql, Vec::new()).await?;
    }
    Ok(rows)
}

/// All rows. Google wants a constant time here, so it stands in the text.
fn whole(name: &str, now: i64) -> String {
    format!("`{name}` FOR SYSTEM_TIME AS OF TIMESTAMP_MICROS({now})")
}

/// The rows that were appended from `start` on and before `now`; the table may be younger than that.
fn appended(name: &str, start: i64, now: i64) -> String {
    format!("APPENDS(TABLE `{name}`, TIMESTAMP_MICROS({start}), TIMESTAMP_MICROS({now}))")
}

/// Where to look from: some time before the last look, as far as the history reaches. None if that look lies before it.
fn begin(since: i64, overlap: i64, now: i64) -> Option<i64> {
    let oldest = now - HISTORY_US;
    (since >= oldest).then(|| since.saturating_sub(overlap).max(oldest))
}

fn history_is_over(table: &str, since: i64, now: i64) -> WarehouseError {
    let days = (now - since) / DAY_US;
    WarehouseError::Corrupt {
        path: format!("the cursor of `{table}`"),
        reason: format!(
            "the last build was {days} days ago, and a table's history reaches back 7\nhint: `shoptrail build --rebuild`"
        ),
    }
}

fn readable(rows: Option<DataFrame>, what: &str) -> Result<DataFrame, WarehouseError> {
    let texts = match &rows {
        Some(rows) => rows
            .column("record")
            .and_then(|column| column.str().cloned()),
        None => Ok(StringChunked::default()),
    };
    let data = |source| WarehouseError::Data {
        what: what.to_owned(),
        source,
    };
    let records: Vec<String> = texts
        .map_err(data)?
        .iter()
        .flatten()
        .map(as_contract)
        .collect();
    DataFrame::new(records.len(), vec![Column::new("record".into(), records)]).map_err(data)
}

/// The record as the contract has it. A text that is not JSON stays as it is; whoever reads it says what is wrong.
fn as_contract(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut record) => {
            // A map is no map here, whatever the sink made of it, and silver does not use this one.
            if let Some(event) = record.get_mut("event").and_then(Value::as_object_mut) {
                event.remove("properties");
            }
            unwrap_choices(&mut record);
            drop_nulls(&mut record);
            record.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

/// Confluent's converter makes a record of a JSON Schema's `oneOf`: one field per choice, all null but one.
fn unwrap_choices(value: &mut Value) {
    let choices = match value {
        Value::Object(fields) if fields.keys().any(|name| name.starts_with(ONE_OF)) => fields,
        Value::Object(fields) => return fields.values_mut().for_each(unwrap_choices),
        Value::Array(values) => return values.iter_mut().for_each(unwrap_choices),
        _ => return,
    };
    *value = choices
        .values_mut()
        .find(|choice| !choice.is_null())
        .map_or(Value::Null, Value::take);
}

/// A column that holds nothing stands for a field that the record did not have; not every field takes null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The server's time.
async fn now(client: &Client) -> Result<i64, WarehouseError> {
    let what = "asking for the time";
    let sql = "SELECT UNIX_MICROS(CURRENT_TIMESTAMP())".to_owned();
    let done = client.run_query(what, "time", sql, Vec::new()).await?;
    let row = client.first_row(what, &done).await?;
    let micros = row.first().and_then(|cell| cell.as_ref()?.parse().ok());
    micros.ok_or_else(|| BigQueryError::new(Class::Failed, what, "the answer is not a time").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_gets_back_the_contracts_form() {
        let text = r#"{"event":{"event_id":"e","properties":[{"key":"a","value":1}],"value":2.5},
            "edge":{"os":null,"device":{"io_confluent_connect_json_OneOf_field_0":"mobile",
            "io_confluent_connect_json_OneOf_field_1":null}}}"#;
        let expected = r#"{"event":{"event_id":"e","value":2.5},"edge":{"device":"mobile"}}"#;
        let as_value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(as_value(&as_contract(text)), as_value(expected));
        assert_eq!(as_contract("not json"), "not json");
    }

    #[test]
    fn look_begins_before_the_last_one_and_never_before_the_history() {
        let hour = 60 * 60 * 1_000_000;
        let now = 100 * DAY_US;
        assert_eq!(begin(now - hour, 2 * hour, now), Some(now - 3 * hour));
        assert_eq!(
            begin(now - HISTORY_US + hour, 2 * hour, now),
            Some(now - HISTORY_US)
        );
        assert_eq!(begin(now - HISTORY_US - 1, 2 * hour, now), None);
    }

    #[test]
    fn statement_reads_the_table_at_one_point_in_time() {
        assert_eq!(appended("p.d.t", 1, 2).matches("`p.d.t`").count(), 1);
        assert!(!appended("p.d.t", 1, 2).contains("SYSTEM_TIME"));
        assert_eq!(whole("p.d.t", 2).matches("SYSTEM_TIME").count(), 1);
    }
}
