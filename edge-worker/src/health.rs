//! Whether the Worker can do its work: load balancers and people ask.

use crate::config::ConfigError;
use crate::reply::Reply;

/// Answers `GET /health`. A configuration that cannot be used is named, as it is wrong for every request.
#[must_use]
pub fn health(config: Result<(), &ConfigError>) -> Reply {
    match config {
        Ok(()) => Reply::json(200, &serde_json::json!({"status": "ok"})),
        Err(error) => Reply::json(
            500,
            &serde_json::json!({"status": "misconfigured", "message": error.to_string()}),
        ),
    }
}
