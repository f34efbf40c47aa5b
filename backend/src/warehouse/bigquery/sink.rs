//! Bronze as Confluent's BigQuery sink writes it: the record's three parts as nested columns, no Kafka coordinates, rows
//! that may come twice.
//!
//! Nothing in a row tells when it came, so what is new is the difference between the table now and the table as it was
//! (time travel). Rows that are the same in both are not read again; rows that come twice are counted once in silver.
//!
//! The difference begins some time before the last look: streamed rows take up to 90 minutes to leave the streaming buffer
//! (<https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery>), and a row that is read twice does no harm.

use polars::prelude::*;
use serde_json::Value;

use super::super::WarehouseError;
use super::client::Client;
use super::error::{BigQueryError, Class};
use super::read::{self, Source};

/// What a field of a `oneOf` is called in the sink's table, its dots made legal by `sanitize.field.names`.
const ONE_OF: &str = "io_confluent_connect_json_OneOf_field_";
/// The longest that a dataset can be set to look back (<https://cloud.google.com/bigquery/docs/time-travel>).
const TIME_TRAVEL_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;
/// The sink's batches may be committed hours after the day they were begun on.
const PARTITION_MARGIN_US: i64 = 24 * 60 * 60 * 1_000_000;

/// The records that came since, each once, in the column `record`; and when that was found, UTC microseconds.
pub(super) async fn records(
    client: &Client,
    table: &str,
    since: Option<i64>,
) -> Result<(DataFrame, i64), WarehouseError> {
    let found = look(client, table).await?;
    let now = now(client).await?;
    let overlap = i64::try_from(client.settings.sink_overlap.as_micros()).unwrap_or(i64::MAX);
    let since = begin(since, overlap, found.created);
    if let Some(since) = since.filter(|since| now - since > TIME_TRAVEL_US) {
        let days = (now - since) / (24 * 60 * 60 * 1_000_000);
        let message = format!(
            "the last build was {days} days ago, and time travel reaches back 7\nhint: `shoptrail build --rebuild`"
        );
        return Err(WarehouseError::Corrupt {
            path: format!("the cursor of `{table}`"),
            reason: message,
        });
    }
    let prune = match since {
        Some(since) if found.is_partitioned_by_ingestion => {
            // Rows in the streaming buffer have no partition yet.
            let from = since - PARTITION_MARGIN_US;
            format!(
                " WHERE _PARTITIONTIME IS NULL OR _PARTITIONTIME >= TIMESTAMP_TRUNC(TIMESTAMP_MICROS({from}), DAY)"
            )
        }
        _ => String::new(),
    };
    // Google wants a constant here, so the time stands in the text.
    let as_of = |micros: i64| {
        format!(
            "SELECT TO_JSON_STRING(STRUCT(event AS event, batch AS batch, edge AS edge)) AS record \
             FROM `{}` FOR SYSTEM_TIME AS OF TIMESTAMP_MICROS({micros}){prune}",
            client.full_name(table)
        )
    };
    let sql = match since {
        Some(since) => format!("{} EXCEPT DISTINCT {}", as_of(now), as_of(since)),
        None => format!("SELECT DISTINCT record FROM ({})", as_of(now)),
    };
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

/// Where the difference begins. No table can be read as it was before it was made; one made since is new as a whole.
fn begin(since: Option<i64>, overlap: i64, created: i64) -> Option<i64> {
    since
        .filter(|since| *since > created)
        .map(|since| since.saturating_sub(overlap).max(created))
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

/// The server's time.
async fn now(client: &Client) -> Result<i64, WarehouseError> {
    let what = "asking for the time";
    let sql = "SELECT UNIX_MICROS(CURRENT_TIMESTAMP())".to_owned();
    let done = client.run_query(what, "time", sql, Vec::new()).await?;
    let row = client.first_row(what, &done).await?;
    let micros = row.first().and_then(|cell| cell.as_ref()?.parse().ok());
    micros.ok_or_else(|| BigQueryError::new(Class::Failed, what, "the answer is not a time").into())
}

/// What the difference depends on of the sink's table.
struct Look {
    /// UTC microseconds, none of them before the table was there.
    created: i64,
    is_partitioned_by_ingestion: bool,
}

async fn look(client: &Client, table: &str) -> Result<Look, BigQueryError> {
    let (project, dataset) = (&client.settings.project, &client.settings.dataset);
    let what = format!("looking at `{table}`");
    let found = client
        .call(&what, || {
            client.rest.table().get(project, dataset, table, None)
        })
        .await?;
    let created = found
        .creation_time
        .and_then(|millis| millis.parse::<i64>().ok());
    Ok(Look {
        // In whole milliseconds: the next one is surely not before it.
        created: created.map_or(i64::MIN, |millis| (millis + 1).saturating_mul(1_000)),
        is_partitioned_by_ingestion: found
            .time_partitioning
            .is_some_and(|partitioning| partitioning.field.is_none()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_gets_back_the_contracts_form() {
        let text = r#"{"event":{"event_id":"e","properties":[{"key":"a","value":1}],"value":2.5},
            "edge":{"os":null,"device":{"io_confluent_connect_json_OneOf_field_0":"mobile",
            "io_confluent_connect_json_OneOf_field_1":null}}}"#;
        let expected =
            r#"{"event":{"event_id":"e","value":2.5},"edge":{"os":null,"device":"mobile"}}"#;
        let as_value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(as_value(&as_contract(text)), as_value(expected));
        assert_eq!(as_contract("not json"), "not json");
    }

    #[test]
    fn difference_begins_before_the_last_look_and_never_before_the_table() {
        let hour = 60 * 60 * 1_000_000;
        assert_eq!(begin(None, 2 * hour, 0), None);
        assert_eq!(begin(Some(10 * hour), 2 * hour, 0), Some(8 * hour));
        assert_eq!(begin(Some(10 * hour), 2 * hour, 9 * hour), Some(9 * hour));
        assert_eq!(
            begin(Some(10 * hour), 2 * hour, 11 * hour),
            None,
            "the table is another one than that of the last look"
        );
    }
}
