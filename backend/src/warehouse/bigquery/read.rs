//! Bulk reads by the Storage Read API: Arrow record batches into polars.

use std::io::Cursor;

use google_cloud_bigquery::model::read_rows_response::Rows;
use google_cloud_bigquery::model::read_session::{Schema, TableModifiers, TableReadOptions};
use google_cloud_bigquery::model::{DataFormat, ReadSession};
use google_cloud_bigquery::read::retry_policy::RetryableErrors;
use google_cloud_gax::retry_policy::RetryPolicyExt;
use google_cloud_wkt::Timestamp;
use polars::prelude::*;
use tokio::time::timeout;

use super::super::WarehouseError;
use super::client::{CALL_TIMEOUT, Client, no_answer};
use super::error::{BigQueryError, Class};

/// Streams of one session: more only help where bandwidth is the limit.
const MAX_STREAMS: i32 = 4;

/// What to read of one table.
pub(super) struct Source {
    /// `projects/P/datasets/D/tables/T`.
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    /// A condition in SQL; empty for all rows.
    pub(super) restriction: String,
    /// The state to read, UTC microseconds; the present one without it.
    pub(super) as_of: Option<i64>,
}

impl Source {
    /// A table of the dataset, whole and as it is now.
    pub(super) fn table(client: &Client, dataset: &str, table: &str) -> Self {
        let table = format!(
            "projects/{}/datasets/{dataset}/tables/{table}",
            client.settings.project
        );
        Self {
            table,
            columns: Vec::new(),
            restriction: String::new(),
            as_of: None,
        }
    }
}

/// Reads rows; `None` when there are none, which have no types either.
///
/// # Errors
/// Returns an error if the server refuses, or the read would scan more than the settings allow.
pub(super) async fn read(
    client: &Client,
    source: Source,
) -> Result<Option<DataFrame>, WarehouseError> {
    let what = format!(
        "reading `{}`",
        source.table.rsplit('/').next().unwrap_or_default()
    );
    let session = open(client, &what, source).await?;
    let too_much = u64::try_from(session.estimated_total_bytes_scanned).unwrap_or(0);
    if too_much > client.settings.max_bytes_billed {
        let message = format!(
            "would scan {too_much} bytes, {} are allowed",
            client.settings.max_bytes_billed
        );
        return Err(BigQueryError::new(Class::TooCostly, &what, message).into());
    }
    let Some(Schema::ArrowSchema(schema)) = &session.schema else {
        return Err(BigQueryError::new(
            Class::Failed,
            &what,
            "the read session has no Arrow schema",
        )
        .into());
    };
    let streams = session
        .streams
        .iter()
        .map(|stream| stream_rows(client, &what, &stream.name, &schema.serialized_schema));
    let streams = futures_util::future::try_join_all(streams).await?;
    let frames: Vec<LazyFrame> = streams.into_iter().map(DataFrame::lazy).collect();
    if frames.is_empty() {
        return Ok(None);
    }
    let rows = concat(frames, UnionArgs::default()).and_then(LazyFrame::collect);
    rows.map(Some)
        .map_err(|source| WarehouseError::Data { what, source })
}

async fn open(client: &Client, what: &str, source: Source) -> Result<ReadSession, BigQueryError> {
    let options = TableReadOptions::new()
        .set_selected_fields(source.columns)
        .set_row_restriction(source.restriction);
    let modifiers = source
        .as_of
        .map(|micros| TableModifiers::new().set_snapshot_time(instant(micros)));
    let session = ReadSession::new()
        .set_data_format(DataFormat::Arrow)
        .set_table(source.table)
        .set_read_options(options)
        .set_or_clear_table_modifiers(modifiers);
    client
        .again(|| async {
            client.access_token().await?;
            client.counted.request();
            let call = client
                .storage
                .create_read_session()
                .set_parent(format!("projects/{}", client.settings.project))
                .set_read_session(session.clone())
                .set_max_stream_count(MAX_STREAMS)
                .send();
            match timeout(CALL_TIMEOUT, call).await {
                Ok(answer) => answer.map_err(|error| BigQueryError::of_grpc(what, &error)),
                Err(_) => Err(no_answer(what)),
            }
        })
        .await
}

/// Reads one stream; the reader goes on at the last row after a broken connection.
async fn stream_rows(
    client: &Client,
    what: &str,
    stream: &str,
    schema: &[u8],
) -> Result<DataFrame, WarehouseError> {
    client.counted.request();
    let retry = RetryableErrors.with_time_limit(client.settings.retry_for);
    let mut responses = client
        .storage
        .read_rows()
        .set_read_stream(stream)
        .into_reader()
        .with_retry_policy(retry);
    // A schema followed by record batches is an Arrow IPC stream.
    let mut ipc = schema.to_vec();
    while let Some(response) = timeout(CALL_TIMEOUT, responses.next())
        .await
        .map_err(|_| no_answer(what))?
    {
        let response = response.map_err(|error| BigQueryError::of_grpc(what, &error))?;
        if let Some(Rows::ArrowRecordBatch(batch)) = response.rows {
            client.counted.read(batch.serialized_record_batch.len());
            ipc.extend_from_slice(&batch.serialized_record_batch);
        }
    }
    let rows = IpcStreamReader::new(Cursor::new(ipc)).finish();
    rows.map_err(|source| WarehouseError::Data {
        what: what.to_owned(),
        source,
    })
}

fn instant(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    Timestamp::clamp(micros.div_euclid(1_000_000), nanos)
}
