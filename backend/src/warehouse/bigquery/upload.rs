//! Load jobs with their file, by Google's resumable upload protocol: <https://cloud.google.com/bigquery/docs/reference/api-uploads>.
//!
//! `gcp-bigquery-client` has no uploads, so this is the protocol itself: open a session with the job's description, send
//! the file in chunks, and after a broken call ask how much has arrived.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use gcp_bigquery_client::error::{BQError, NestedResponseError, ResponseError};
use gcp_bigquery_client::model::job::Job;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, LOCATION, RANGE};
use reqwest::{Response, StatusCode};

use super::client::{Client, no_answer};
use super::error::{BigQueryError, Class, with_causes};

/// Bytes of one call; the protocol wants a multiple of 256 KiB.
const CHUNK: usize = 8 * 1024 * 1024;

/// Where an upload stands after a call.
enum Progress {
    /// So many bytes have arrived.
    Arrived(usize),
    /// All have, and the job is made.
    Complete,
    /// The server has forgotten the session.
    Gone,
}

/// Sends a load job and its file. When it returns, the job is known to the server.
///
/// # Errors
/// Returns an error of [`Class::Exists`] if there is a job of this id already.
pub(super) async fn submit(
    client: &Client,
    what: &str,
    job: &Job,
    file: &Bytes,
) -> Result<(), BigQueryError> {
    // A session that was lost is opened again: the job's id keeps it from running twice.
    client
        .again(|| async {
            let session = open(client, what, job, file.len()).await?;
            match send(client, what, &session, file).await? {
                true => Ok(()),
                false => Err(BigQueryError::new(
                    Class::Away,
                    what,
                    "the upload's session is gone",
                )),
            }
        })
        .await
}

async fn open(
    client: &Client,
    what: &str,
    job: &Job,
    length: usize,
) -> Result<String, BigQueryError> {
    let project = &client.settings.project;
    let url = format!(
        "{}/upload/bigquery/v2/projects/{project}/jobs?uploadType=resumable",
        client.host
    );
    client.counted.request();
    let call = client
        .http
        .post(url)
        .bearer_auth(client.access_token().await?)
        .header("X-Upload-Content-Type", "application/octet-stream")
        .header("X-Upload-Content-Length", length)
        .json(job);
    let answer = answer(what, call.send().await).await?;
    let session = answer
        .headers()
        .get(LOCATION)
        .and_then(|url| url.to_str().ok());
    session.map(str::to_owned).ok_or_else(|| {
        BigQueryError::new(
            Class::Away,
            what,
            "the upload was opened without an address to send to",
        )
    })
}

/// Sends the file chunk by chunk until the job is made; false when the session is gone.
async fn send(
    client: &Client,
    what: &str,
    session: &str,
    file: &Bytes,
) -> Result<bool, BigQueryError> {
    // Nothing has been sent, so nothing has arrived; after a broken call nobody knows, and the server is asked.
    let arrived = AtomicUsize::new(0);
    let is_known = AtomicBool::new(true);
    let complete = client
        .again(|| async {
            loop {
                let (chunk, range) = match is_known.swap(false, Ordering::Relaxed) {
                    true => chunk(file, arrived.load(Ordering::Relaxed)),
                    false => (Bytes::new(), format!("bytes */{}", file.len())),
                };
                match put(client, what, session, chunk, &range).await? {
                    Progress::Arrived(bytes) => {
                        arrived.store(bytes, Ordering::Relaxed);
                        is_known.store(true, Ordering::Relaxed);
                    }
                    Progress::Complete => return Ok(true),
                    Progress::Gone => return Ok(false),
                }
            }
        })
        .await?;
    client.counted.written(file.len());
    Ok(complete)
}

/// The next chunk and its `Content-Range`.
fn chunk(file: &Bytes, start: usize) -> (Bytes, String) {
    let start = start.min(file.len());
    let end = (start + CHUNK).min(file.len());
    (
        file.slice(start..end),
        format!("bytes {start}-{}/{}", end.saturating_sub(1), file.len()),
    )
}

async fn put(
    client: &Client,
    what: &str,
    session: &str,
    chunk: Bytes,
    range: &str,
) -> Result<Progress, BigQueryError> {
    client.counted.request();
    let call = client
        .http
        .put(session)
        .bearer_auth(client.access_token().await?)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_RANGE, range)
        .body(chunk);
    match answer(what, call.send().await).await {
        Ok(answer) if answer.status() == StatusCode::PERMANENT_REDIRECT => {
            Ok(Progress::Arrived(arrived(answer.headers())))
        }
        Ok(_) => Ok(Progress::Complete),
        Err(error) if error.class == Class::NotFound => Ok(Progress::Gone),
        Err(error) => Err(error),
    }
}

/// Of `Range: bytes=0-N`, N + 1; nothing has arrived without that header.
fn arrived(headers: &HeaderMap) -> usize {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| range.rsplit_once('-')?.1.parse::<usize>().ok());
    last.map_or(0, |last| last + 1)
}

/// An answer that goes on: success, or "resume incomplete".
async fn answer(what: &str, answer: reqwest::Result<Response>) -> Result<Response, BigQueryError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => return Err(no_answer(what)),
        Err(error) => {
            return Err(BigQueryError::new(
                Class::Away,
                what,
                with_causes(&error.without_url()),
            ));
        }
    };
    let status = answer.status();
    if status.is_success() || status == StatusCode::PERMANENT_REDIRECT {
        return Ok(answer);
    }
    let error = match answer.json::<ResponseError>().await {
        Ok(error) => error,
        // Not the API's own words: something on the way to it.
        Err(_) => ResponseError {
            error: NestedResponseError {
                code: status.as_u16().into(),
                errors: vec![HashMap::new()],
                message: status.to_string(),
                status: String::new(),
            },
        },
    };
    Err(BigQueryError::of_rest(
        what,
        BQError::ResponseError { error },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_header_tells_what_has_arrived() {
        let mut headers = HeaderMap::new();
        assert_eq!(arrived(&headers), 0);
        headers.insert(RANGE, "bytes=0-262143".parse().unwrap());
        assert_eq!(arrived(&headers), 262_144);
        headers.insert(RANGE, "nonsense".parse().unwrap());
        assert_eq!(arrived(&headers), 0);
    }
}
