//! The dashboard's data over HTTP, read only.
//!
//! A page asks one question and gets sums, never whole tables: `/data/PAGE?from=…&to=…`. What can be chosen is at
//! `/data/choices`, the publication at `/data/version`, and `/data/changes` says when there is a newer one, as server-sent
//! events. An answer is computed once for each publication and question.
//!
//! `/data/<gold table>.json` has the rows of a table, for programs.

mod answers;
mod attribution;
mod carts;
mod changes;
mod choices;
mod cohorts;
mod course;
mod customers;
mod figures;
mod funnel;
mod live;
mod overview;
mod page;
mod products;
mod quality;
mod question;
mod search;
mod selected;
mod traffic;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use self::answers::Answers;
use self::page::DashboardPage;
use self::question::Question;
use crate::attention::Attention;
use crate::config::Reporting;
use crate::show;
use crate::warehouse::Warehouse;

/// Browsers ask again each time, and get nothing new as long as the answer is the same.
const ASK_AGAIN: &str = "no-cache";

/// Routes that serve what is in a warehouse to the dashboard.
pub fn router(
    warehouse: Arc<dyn Warehouse>,
    reporting: &Reporting,
    attention: Attention,
) -> Router {
    let answers = Answers::of(warehouse, reporting.clone(), attention);
    Router::new()
        .route("/data/version", get(version))
        .route("/data/changes", get(changes))
        .route("/data/choices", get(choices))
        .route("/data/{page}", get(answer))
        .with_state(Arc::new(answers))
}

async fn version(State(answers): State<Arc<Answers>>) -> Response {
    match answers.version().await {
        Ok(version) => Json(version).into_response(),
        Err(error) => failed(&error),
    }
}

async fn changes(State(answers): State<Arc<Answers>>) -> Response {
    changes::stream(answers).into_response()
}

async fn choices(State(answers): State<Arc<Answers>>, headers: HeaderMap) -> Response {
    json_or_unchanged(answers.choices().await, &headers)
}

async fn answer(
    State(answers): State<Arc<Answers>>,
    Path(name): Path<String>,
    question: Result<Query<Question>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    if let Some(table) = name.strip_suffix(".json") {
        return rows(&answers, table, &headers).await;
    }
    let Some(page) = DashboardPage::named(&name) else {
        return refused(StatusCode::NOT_FOUND, "there is no page of this name");
    };
    let question = match question {
        Ok(Query(question)) => question,
        Err(rejection) => return refused(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    match question.days() {
        Ok(_) => json_or_unchanged(answers.answer(page, question).await, &headers),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn rows(answers: &Arc<Answers>, name: &str, headers: &HeaderMap) -> Response {
    let table = show::find(name).ok();
    match table.filter(|table| table.name.starts_with("gold_")) {
        Some(table) => json_or_unchanged(answers.rows(table).await, headers),
        None => refused(StatusCode::NOT_FOUND, "there is no gold table of this name"),
    }
}

/// The answer, or that the reader has it already.
fn json_or_unchanged(answer: anyhow::Result<Bytes>, headers: &HeaderMap) -> Response {
    let json = match answer {
        Ok(json) => json,
        Err(error) => return failed(&error),
    };
    // Weak: the same answer goes out compressed and not.
    let tag = format!("W/\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(&json));
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|tags| tags.split(','));
    let is_known = known.into_iter().any(|known| known.trim() == tag);
    let headers = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, ASK_AGAIN),
        (header::CONTENT_TYPE, "application/json"),
    ];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, json).into_response(),
    }
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"error": reason}))).into_response()
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!("the dashboard's data could not be read: {error:#}");
    let reason = "the tables could not be read\nhint: the log of `shoptrail local` says why";
    refused(StatusCode::INTERNAL_SERVER_ERROR, reason)
}
