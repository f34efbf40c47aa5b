//! Published tables over HTTP, for the local dashboard: `/data/<table>.json` and `/data/version`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::Mutex;

use crate::attention::Attention;
use crate::config::Reporting;
use crate::show;
use crate::table::Table;
use crate::warehouse::{Query, Warehouse};

/// The gold tables as they are served.
struct Served {
    attention: Attention,
    warehouse: Arc<dyn Warehouse>,
    time_zone: String,
    /// Each table as it was last asked for, and the publication it is of. Behind one lock, so that tables are read one at
    /// a time: a dashboard asks for all of them at once, and each takes every core.
    tables: Mutex<HashMap<&'static str, (u64, Bytes)>>,
}

/// Routes that serve the gold tables of a warehouse.
pub fn router(
    warehouse: Arc<dyn Warehouse>,
    reporting: &Reporting,
    attention: Attention,
) -> Router {
    let served = Served {
        attention,
        warehouse,
        time_zone: reporting.time_zone.to_string(),
        tables: Mutex::default(),
    };
    Router::new()
        .route("/data/version", get(version))
        .route("/data/{file}", get(table))
        .with_state(Arc::new(served))
}

async fn version(State(served): State<Arc<Served>>) -> Response {
    served.attention.pay();
    match served.warehouse.publication().await {
        Ok(publication) => {
            let built_at = chrono::DateTime::from_timestamp_millis(publication.published_at);
            let version = publication.version;
            Json(json!({"version": version, "built_at": built_at, "time_zone": served.time_zone}))
                .into_response()
        }
        Err(error) => failed(&error.into()),
    }
}

async fn table(State(served): State<Arc<Served>>, Path(file): Path<String>) -> Response {
    served.attention.pay();
    let found = file
        .strip_suffix(".json")
        .filter(|name| name.starts_with("gold_"))
        .and_then(|name| show::find(name).ok());
    let Some(table) = found else {
        return (
            StatusCode::NOT_FOUND,
            Json(json!({"error": "there is no gold table of this name"})),
        )
            .into_response();
    };
    match served.rows(table).await {
        Ok(json) => (
            [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            json,
        )
            .into_response(),
        Err(error) => failed(&error),
    }
}

impl Served {
    /// The rows of a table as JSON; read once for each publication.
    async fn rows(&self, table: &'static Table) -> anyhow::Result<Bytes> {
        let mut tables = self.tables.lock().await;
        let publication = self.warehouse.publication().await?;
        if let Some((version, json)) = tables.get(table.name)
            && *version == publication.version
        {
            return Ok(json.clone());
        }
        let rows = self
            .warehouse
            .read(&publication, table, &Query::all())
            .await?;
        // Sorting and printing would hold up the server's other answers.
        let json = tokio::task::spawn_blocking(move || {
            let mut json = Vec::new();
            show::write_json(show::in_key_order(table, rows)?, &mut json)?;
            anyhow::Ok(Bytes::from(json))
        });
        let json = json.await??;
        tables.insert(table.name, (publication.version, json.clone()));
        Ok(json)
    }
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(%error, "table could not be served");
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Json(json!({"error": "the table could not be read; see the log"})),
    )
        .into_response()
}
