//! The registry over HTTP.
//!
//! Source: Confluent Cloud API, "Schema Registry": `subjects`, `schemas`, `compatibility`, `config`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{CompatibilityLevel, Registry, RegistryError, Version, VersionChoice};
use crate::confluent::{ErrorReply, is_authentic};
use crate::identity::ApiKey;

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");

type SharedRegistry = State<Arc<Registry>>;
type RegistryReply = Result<Json<Value>, ErrorReply>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SchemaRequest {
    schema: String,
    /// Without one, Avro is meant.
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Value>,
}

#[derive(Deserialize)]
struct LevelRequest {
    compatibility: String,
}

impl From<RegistryError> for ErrorReply {
    fn from(error: RegistryError) -> Self {
        let code = error.code();
        let status = if code < 1_000 { code } else { code / 100 };
        let status = u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok());
        Self::new(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            error.to_string(),
        )
    }
}

/// Returns the routes, open to those who have the key.
pub fn routes(registry: Arc<Registry>, key: ApiKey) -> Router {
    Router::new()
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(find))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version))
        .route("/schemas/types", get(types))
        .route("/schemas/ids/{id}", get(schema))
        .route("/config", get(default_level).put(set_default_level))
        .route(
            "/config/{subject}",
            get(subject_level).put(set_subject_level),
        )
        .route(
            "/compatibility/subjects/{subject}/versions",
            post(compatible_with_latest),
        )
        .route(
            "/compatibility/subjects/{subject}/versions/{version}",
            post(compatible),
        )
        .route_layer(from_fn_with_state(key, guard))
        .with_state(registry)
}

/// Checks the key, and gives every reply the registry's media type.
async fn guard(State(key): State<ApiKey>, request: Request, next: Next) -> Response {
    let mut response = if is_authentic(request.headers(), &key) {
        next.run(request).await
    } else {
        ErrorReply::unauthenticated().into_response()
    };
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    response
}

async fn subjects(State(registry): SharedRegistry) -> Json<Value> {
    Json(json!(registry.subjects()))
}

async fn types() -> Json<Value> {
    Json(json!(["JSON"]))
}

async fn versions(State(registry): SharedRegistry, Path(subject): Path<String>) -> RegistryReply {
    Ok(Json(json!(registry.versions(&subject)?)))
}

async fn version(
    State(registry): SharedRegistry,
    Path((subject, version)): Path<(String, String)>,
) -> RegistryReply {
    Ok(Json(full(&registry.version(&subject, choice(&version)?)?)))
}

async fn find(
    State(registry): SharedRegistry,
    Path(subject): Path<String>,
    body: Bytes,
) -> RegistryReply {
    Ok(Json(full(&registry.find(&subject, &schema_of(&body)?)?)))
}

async fn register(
    State(registry): SharedRegistry,
    Path(subject): Path<String>,
    body: Bytes,
) -> RegistryReply {
    Ok(Json(
        json!({"id": registry.register(&subject, &schema_of(&body)?)?}),
    ))
}

async fn schema(State(registry): SharedRegistry, Path(id): Path<String>) -> RegistryReply {
    let id = id.parse().map_err(|_| RegistryError::UnknownSchema)?;
    Ok(Json(
        json!({"schemaType": "JSON", "schema": registry.schema(id)?}),
    ))
}

async fn default_level(State(registry): SharedRegistry) -> RegistryReply {
    Ok(Json(json!({"compatibilityLevel": registry.level(None)?})))
}

async fn subject_level(
    State(registry): SharedRegistry,
    Path(subject): Path<String>,
) -> RegistryReply {
    Ok(Json(
        json!({"compatibilityLevel": registry.level(Some(&subject))?}),
    ))
}

async fn set_default_level(State(registry): SharedRegistry, body: Bytes) -> RegistryReply {
    set_level(&registry, None, &body)
}

async fn set_subject_level(
    State(registry): SharedRegistry,
    Path(subject): Path<String>,
    body: Bytes,
) -> RegistryReply {
    set_level(&registry, Some(&subject), &body)
}

async fn compatible_with_latest(
    State(registry): SharedRegistry,
    Path(subject): Path<String>,
    body: Bytes,
) -> RegistryReply {
    let breaking = registry.breaking(&subject, VersionChoice::Latest, &schema_of(&body)?)?;
    Ok(Json(json!({"is_compatible": breaking.is_empty()})))
}

async fn compatible(
    State(registry): SharedRegistry,
    Path((subject, version)): Path<(String, String)>,
    body: Bytes,
) -> RegistryReply {
    let breaking = registry.breaking(&subject, choice(&version)?, &schema_of(&body)?)?;
    Ok(Json(json!({"is_compatible": breaking.is_empty()})))
}

fn set_level(registry: &Registry, subject: Option<&str>, body: &[u8]) -> RegistryReply {
    let request: LevelRequest = parsed(body)?;
    let level = match request.compatibility.to_uppercase().as_str() {
        "NONE" => CompatibilityLevel::None,
        "BACKWARD" => CompatibilityLevel::Backward,
        _ => return Err(RegistryError::InvalidLevel.into()),
    };
    registry.set_level(subject, level)?;
    Ok(Json(json!({"compatibility": level})))
}

fn schema_of(body: &[u8]) -> Result<String, ErrorReply> {
    let request: SchemaRequest = parsed(body)?;
    if request.schema_type.as_deref() != Some("JSON") {
        let given = request.schema_type.as_deref().unwrap_or("AVRO");
        return Err(RegistryError::InvalidSchema(format!(
            "the local registry takes JSON, not {given}"
        ))
        .into());
    }
    if !request.references.is_empty() {
        return Err(RegistryError::InvalidSchema(
            "the local registry takes no references".to_owned(),
        )
        .into());
    }
    Ok(request.schema)
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorReply> {
    serde_json::from_slice(body)
        .map_err(|error| ErrorReply::new(StatusCode::UNPROCESSABLE_ENTITY, 422, error.to_string()))
}

fn choice(text: &str) -> Result<VersionChoice, RegistryError> {
    match text.parse() {
        Ok(number @ 1..=0x7fff_ffff) => Ok(VersionChoice::Number(number)),
        // The real registry takes -1 for it, too.
        _ if matches!(text, "latest" | "-1") => Ok(VersionChoice::Latest),
        _ => Err(RegistryError::InvalidVersion(text.to_owned())),
    }
}

fn full(version: &Version) -> Value {
    json!({
        "subject": version.subject,
        "version": version.version,
        "id": version.id,
        "schemaType": "JSON",
        "schema": version.schema,
    })
}
