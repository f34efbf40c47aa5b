//! Published tables over HTTP, for the local dashboard: `/data/<table>.json` and `/data/version`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::config::Reporting;
use crate::show;
use crate::table::Table;
use crate::warehouse::{Query, Warehouse};

static TURN: Semaphore = Semaphore::const_new(1);

/// Routes that serve the gold tables of a warehouse.
pub fn router(warehouse: Arc<dyn Warehouse>, reporting: &Reporting) -> Router {
    let time_zone = reporting.time_zone.to_string();
    let version = move |State(warehouse): State<Arc<dyn Warehouse>>| version(warehouse, time_zone);
    Router::new().route("/data/version", get(version)).route("/data/{file}", get(table)).with_state(warehouse)
}

async fn version(warehouse: Arc<dyn Warehouse>, time_zone: String) -> Response {
    match warehouse.publication().await {
        Ok(publication) => {
            let built_at = chrono::DateTime::from_timestamp_millis(publication.published_at);
            let version = publication.version;
            Json(json!({"version": version, "built_at": built_at, "time_zone": time_zone})).into_response()
        }
        Err(error) => failed(&error.into()),
    }
}

async fn table(State(warehouse): State<Arc<dyn Warehouse>>, Path(file): Path<String>) -> Response {
    let found =
        file.strip_suffix(".json").filter(|name| name.starts_with("gold_")).and_then(|name| show::find(name).ok());
    let Some(table) = found else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "there is no gold table of this name"}))).into_response();
    };
    match rows(warehouse.as_ref(), table).await {
        Ok(json) => {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json).into_response()
        }
        Err(error) => failed(&error),
    }
}

async fn rows(warehouse: &dyn Warehouse, table: &'static Table) -> anyhow::Result<Vec<u8>> {
    // One table at a time: a dashboard asks for all of them at once, and each takes every core.
    let _turn = TURN.acquire().await?;
    let publication = warehouse.publication().await?;
    let rows = warehouse.read(&publication, table, &Query::all()).await?;
    // Sorting and printing would hold up the server's other answers.
    tokio::task::spawn_blocking(move || {
        let mut json = Vec::new();
        show::write_json(show::in_key_order(table, rows)?, &mut json)?;
        Ok(json)
    })
    .await?
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(%error, "table could not be served");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": "the table could not be read; see the log"})))
        .into_response()
}
