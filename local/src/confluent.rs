//! The Confluent surface in front of the local broker: REST Produce v3 and the Schema Registry calls that Shoptrail uses,
//! with the Cloud's formats, limits and errors, so that what runs here runs there.
//!
//! Not Confluent's software: written from its documentation. Both APIs share one port here; in the Cloud each has its own
//! host, and each has its own API key here as there.

pub mod compatibility;
pub mod limits;
pub mod produce;
pub mod record;
pub mod record_stream;
pub mod registry;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Json;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::identity::{ApiKey, Identity};
use limits::{Limits, Meter};
use produce::{Gateway, Producer};
use registry::Registry;

/// The running surface. Dropping it closes the port.
pub struct Confluent {
    /// `http://127.0.0.1:PORT`; the REST API lies under `/kafka`, as in the Cloud.
    pub address: String,
    /// The schemas, for callers in the same process.
    pub registry: Arc<Registry>,
    server: JoinHandle<()>,
}

impl Confluent {
    /// Serves both APIs over the broker at `bootstrap_servers`, which need not answer yet. Schemas are kept in
    /// `registry_file`.
    ///
    /// # Errors
    /// Returns an error if the port is taken or the file is not a registry's.
    pub async fn start(
        identity: &Identity,
        bootstrap_servers: &str,
        limits: Limits,
        registry_file: &Path,
    ) -> Result<Self> {
        let registry = Arc::new(Registry::open(registry_file)?);
        let gateway = Gateway {
            cluster_id: identity.cluster_id.clone(),
            key: identity.kafka_key.clone(),
            meter: Meter::new(limits),
            producer: Producer::new(bootstrap_servers)?,
        };
        let router = produce::routes(gateway).merge(registry::routes::routes(
            registry.clone(),
            identity.registry_key.clone(),
        ));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, identity.ports.confluent));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        let address = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("the confluent surface ended: {error}");
            }
        });
        Ok(Self {
            address,
            registry,
            server,
        })
    }
}

impl Drop for Confluent {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An error reply: `{"error_code": …, "message": …}`.
#[derive(Debug)]
struct ErrorReply {
    status: StatusCode,
    code: u32,
    message: String,
}

impl ErrorReply {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 40101, "Authentication failed")
    }
}

impl IntoResponse for ErrorReply {
    fn into_response(self) -> Response {
        let body = Json(json!({"error_code": self.code, "message": self.message}));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                (self.status, [(WWW_AUTHENTICATE, "Basic")], body).into_response()
            }
            status => (status, body).into_response(),
        }
    }
}

/// HTTP Basic authentication.
fn is_authentic(headers: &HeaderMap, key: &ApiKey) -> bool {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let encoded = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded = encoded.and_then(|(_, encoded)| BASE64_STANDARD.decode(encoded.trim()).ok());
    decoded.is_some_and(|given| given == format!("{}:{}", key.key, key.secret).into_bytes())
}
