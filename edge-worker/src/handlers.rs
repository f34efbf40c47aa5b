//! The two handlers that the Workers runtime calls: one for each request, one for each batch of queue messages.

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::{self, MessageBatch};
use worker::{Context, Env, Method, Request, Response, ResponseBuilder, event, js_sys};

use crate::admit;
use crate::collect::collect;
use crate::config::{Config, ConfigError};
use crate::consume::consume;
use crate::health::health;
use crate::observe::{self, Level};
use crate::reply::Reply;

/// Answers one HTTP request. Static assets, the tracker's files, were looked for before.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let config = read_config(&env);
    let reply = match (request.path().as_str(), request.method()) {
        ("/health", Method::Get | Method::Head) => health(config.as_ref().map(|_| ())),
        ("/health", _) => Reply::method_not_allowed("GET"),
        ("/b", Method::Post) => match config {
            Ok(config) => collect(request, &env, &config).await,
            Err(_) => Reply::unavailable(),
        },
        ("/b", Method::Options) => preflight(&request, config),
        ("/b", _) => Reply::method_not_allowed("POST, OPTIONS"),
        _ => Reply::not_found(),
    };
    respond(reply)
}

/// Takes one batch of queue messages. `#[event(queue)]` would hide how often a message was brought.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
pub async fn queue(
    batch: MessageBatch,
    env: Env,
    _context: worker_sys::Context,
) -> Result<(), JsValue> {
    consume(&batch, &env, read_config(&env).ok().as_ref()).await
}

fn read_config(env: &Env) -> Result<Config, ConfigError> {
    let config = Config::read(|name| js_sys::Reflect::get(env, &name.into()).ok()?.as_string());
    if let Err(error) = &config {
        observe::log(
            Level::Error,
            "configuration cannot be used",
            serde_json::json!({"error": error.to_string()}),
        );
    }
    config
}

fn preflight(request: &Request, config: Result<Config, ConfigError>) -> Reply {
    let origin = request.headers().get("Origin").ok().flatten();
    let known = config
        .ok()
        .and_then(|config| admit::known_origin(&config.shops, origin));
    Reply::preflight().readable_by(known)
}

fn respond(reply: Reply) -> worker::Result<Response> {
    let mut response = ResponseBuilder::new().with_status(reply.status);
    for (name, value) in &reply.headers {
        response = response.with_header(name, value)?;
    }
    match reply.body {
        Some(body) => Ok(response
            .with_header("Content-Type", "application/json")?
            .fixed(body.into_bytes())),
        None => Ok(response.empty()),
    }
}
