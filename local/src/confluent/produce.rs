//! REST Produce v3, streaming: records come in over one call, and for each a report goes out in the same order.
//!
//! A record is handed to the producer as soon as it is read, without waiting for the one before: reports wait in line, not
//! records. HTTP 200 says only that the call was taken; whether a record was, its report says.
//!
//! Source: Confluent Cloud API, "Produce records", and kafka-rest's behaviour where the page is silent.

mod producer;
mod report;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

pub use producer::Producer;

use super::limits::Meter;
use super::record::{ProduceRecord, RecordError};
use super::record_stream::RecordStream;
use super::{ErrorReply, is_authentic};
use crate::identity::ApiKey;
use producer::KnownTopic;
use report::{Pending, ProduceRefusal};

/// Records of one call that may wait for their report. More are not read before some are answered.
const MAX_PENDING: usize = 1_000;
/// What Jetty says, in HTML: clients must not expect JSON.
const TOO_MANY_CALLS: &str = "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\"/>\n\
    <title>Error 429 Too Many Requests</title>\n</head>\n<body><h2>HTTP ERROR 429 Too Many Requests</h2>\n</body>\n</html>\n";

/// What all calls share.
pub struct Gateway {
    /// The one cluster that there is.
    pub cluster_id: String,
    /// Who may produce.
    pub key: ApiKey,
    /// Counts calls and records.
    pub meter: Meter,
    /// Writes to the broker.
    pub producer: Producer,
}

/// One call.
struct Call {
    gateway: Arc<Gateway>,
    topic: String,
    /// What was found under that name when the call began.
    target: KnownTopic,
}

/// Returns the route of the API.
pub fn routes(gateway: Gateway) -> Router {
    Router::new()
        .route(
            "/kafka/v3/clusters/{cluster_id}/topics/{topic_name}/records",
            post(produce),
        )
        .route(
            "/kafka/v3/clusters/{cluster_id}/topics/{topic_name}",
            get(describe),
        )
        .with_state(Arc::new(gateway))
}

async fn produce(
    State(gateway): State<Arc<Gateway>>,
    Path((cluster_id, topic)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !gateway.meter.call() {
        return (StatusCode::TOO_MANY_REQUESTS, Html(TOO_MANY_CALLS)).into_response();
    }
    let mut body = body.into_data_stream();
    let mut records = RecordStream::default();
    let admitted = async {
        admit(&gateway, &cluster_id, &topic, &headers)?;
        first_bytes(&mut body, &mut records).await
    };
    if let Err(reply) = admitted.await {
        return reply.into_response();
    }
    let target = gateway.producer.topic(&topic).await;
    let (reports, queue) = mpsc::channel(MAX_PENDING);
    tokio::spawn(
        Call {
            gateway: gateway.clone(),
            topic,
            target,
        }
        .read(body, records, reports),
    );
    answer(gateway, queue)
}

/// Says that a topic is there: what else Confluent's API tells of it nobody asks here.
async fn describe(
    State(gateway): State<Arc<Gateway>>,
    Path((cluster_id, topic)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !gateway.meter.call() {
        return (StatusCode::TOO_MANY_REQUESTS, Html(TOO_MANY_CALLS)).into_response();
    }
    if let Err(reply) = authorize(&gateway, &cluster_id, &topic, &headers) {
        return reply.into_response();
    }
    match gateway.producer.topic(&topic).await {
        KnownTopic::Partitions(count) => Json(serde_json::json!({
            "kind": "KafkaTopic",
            "cluster_id": cluster_id,
            "topic_name": topic,
            "partitions_count": count,
        }))
        .into_response(),
        KnownTopic::Unknown => {
            let message = "This server does not host this topic-partition.";
            ErrorReply::new(StatusCode::NOT_FOUND, 40403, message).into_response()
        }
        KnownTopic::Unreachable(reason) => {
            ErrorReply::new(StatusCode::SERVICE_UNAVAILABLE, 50302, reason).into_response()
        }
    }
}

fn admit(
    gateway: &Gateway,
    cluster_id: &str,
    topic: &str,
    headers: &HeaderMap,
) -> Result<(), ErrorReply> {
    authorize(gateway, cluster_id, topic, headers)?;
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ErrorReply::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            415,
            "HTTP 415 Unsupported Media Type",
        ));
    }
    Ok(())
}

fn authorize(
    gateway: &Gateway,
    cluster_id: &str,
    topic: &str,
    headers: &HeaderMap,
) -> Result<(), ErrorReply> {
    if !is_authentic(headers, &gateway.key) {
        return Err(ErrorReply::unauthenticated());
    }
    if cluster_id != gateway.cluster_id {
        let message = format!("Cluster {cluster_id} cannot be found.");
        return Err(ErrorReply::new(StatusCode::NOT_FOUND, 404, message));
    }
    // Internal topics are the cluster's own.
    if topic.starts_with("__") {
        return Err(ErrorReply::new(
            StatusCode::FORBIDDEN,
            40301,
            "Request is not authorized",
        ));
    }
    Ok(())
}

/// Reads until there is something other than white space.
async fn first_bytes(
    body: &mut BodyDataStream,
    records: &mut RecordStream,
) -> Result<(), ErrorReply> {
    while records.is_blank() {
        match body.next().await {
            Some(Ok(bytes)) => records.push(&bytes),
            Some(Err(_)) => {
                return Err(ErrorReply::new(StatusCode::BAD_REQUEST, 400, "Bad Request"));
            }
            None => {
                let message = "Payload error. Request body is empty. Data is required.";
                return Err(ErrorReply::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    422,
                    message,
                ));
            }
        }
    }
    Ok(())
}

/// Begins the reply: one JSON object per report, as soon as it is known.
fn answer(gateway: Arc<Gateway>, queue: mpsc::Receiver<Pending>) -> Response {
    let reports = stream::unfold((gateway, queue), |(gateway, mut queue)| async {
        let report = queue.recv().await?.settle(&gateway).await;
        Some((Ok::<_, Infallible>(report), (gateway, queue)))
    });
    (
        [(CONTENT_TYPE, "application/json")],
        Body::from_stream(reports),
    )
        .into_response()
}

impl Call {
    /// Reads the body to its end, or to the error that ends it.
    async fn read(
        self,
        mut body: BodyDataStream,
        mut records: RecordStream,
        reports: mpsc::Sender<Pending>,
    ) {
        loop {
            if self.take(&mut records, &reports).await.is_err() {
                return;
            }
            match body.next().await {
                Some(Ok(bytes)) => records.push(&bytes),
                // The client went away.
                Some(Err(_)) => return,
                None => break,
            }
        }
        if let Err(error) = records.finish() {
            // Nobody is left to read it.
            let _ = reports
                .send(ProduceRefusal::bad_request(error.to_string()).into())
                .await;
        }
    }

    /// Takes every record that is complete. An error ends the stream: it was reported, or nobody listens any more.
    async fn take(
        &self,
        records: &mut RecordStream,
        reports: &mpsc::Sender<Pending>,
    ) -> Result<(), ()> {
        loop {
            let (pending, ends) = match records.next_record() {
                Ok(None) => return Ok(()),
                Err(error) => (ProduceRefusal::bad_request(error.to_string()).into(), true),
                Ok(Some(text)) => match ProduceRecord::parse(&text) {
                    Err(error) => (
                        ProduceRefusal::bad_request(error.to_string()).into(),
                        matches!(error, RecordError::TooLarge(_)),
                    ),
                    Ok(record) => (self.hand_over(record).await, false),
                },
            };
            reports.send(pending).await.map_err(drop)?;
            if ends {
                return Err(());
            }
        }
    }

    async fn hand_over(&self, record: ProduceRecord) -> Pending {
        if !self.gateway.meter.record(record.bytes()) {
            return ProduceRefusal::too_many_records().into();
        }
        if let Err(refusal) = self.target.takes(record.partition, &self.topic) {
            return refusal.into();
        }
        self.gateway.producer.send(&self.topic, record).await
    }
}
