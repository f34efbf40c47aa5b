//! The two handlers that the Workers runtime calls: one for each request, one for each batch of queue messages.

use std::sync::OnceLock;

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::{self, MessageBatch};
use worker::{Context, Env, Request, Response, ResponseBuilder, event, js_sys};

use crate::collect::collect;
use crate::config::{Config, ConfigError};
use crate::consume::consume;
use crate::hand_over;
use crate::health::health;
use crate::observe::{self, LogLevel};
use crate::reply::HttpReply;
use crate::request::header;
use crate::route::{Route, route};

/// The static assets' binding in `wrangler.toml`.
const FILES: &str = "FILES";

/// Answers one HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let config = config(&env);
    let prefix = config.as_ref().map_or("", |config| &config.prefix);
    let path = request.path();
    let reply = match (route(prefix, &path, request.method().as_ref()), config) {
        (Route::Collect, Ok(config)) => collect(request, &env, config).await,
        (Route::Collect, Err(_)) => {
            HttpReply::unavailable().readable_by(header(&request, "Origin"))
        }
        (Route::Preflight, config) => preflight(&request, config),
        (Route::Health, config) => health(config, hand_over::last()),
        (Route::File(file), _) => return serve(&request, &env, file).await,
        (Route::MethodNotAllowed(allowed), _) => HttpReply::method_not_allowed(allowed),
        (Route::NotFound, _) => HttpReply::not_found(),
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
    consume(&batch, &env, config(&env).ok()).await
}

/// Returns the configuration, which is read once: an instance of the Worker never gets another.
fn config(env: &Env) -> Result<&'static Config, &'static ConfigError> {
    static CONFIG: OnceLock<Result<Config, ConfigError>> = OnceLock::new();
    CONFIG.get_or_init(|| read_config(env)).as_ref()
}

fn read_config(env: &Env) -> Result<Config, ConfigError> {
    let config = Config::read(|name| js_sys::Reflect::get(env, &name.into()).ok()?.as_string());
    let problems = match &config {
        Ok(config) => config.disabled_shops.as_slice(),
        Err(error) => std::slice::from_ref(error),
    };
    for problem in problems {
        let fields = serde_json::json!({"error": problem.to_string()});
        observe::log(LogLevel::Error, "configuration cannot be used", fields);
    }
    config
}

/// Lets pages of known origins post. A preflight has no write key to go by, so any shop's origin is known.
fn preflight(request: &Request, config: Result<&Config, &ConfigError>) -> HttpReply {
    let origin = header(request, "Origin");
    let shops = config.map_or(&[][..], |config| &config.shops);
    let known = origin.filter(|origin| {
        shops.iter().any(|shop| match origin.as_str() {
            "null" => shop.allow_null_origin,
            origin => shop.origins.iter().any(|allowed| allowed == origin),
        })
    });
    HttpReply::preflight().readable_by(known)
}

/// Serves one of the tracker's files for a path below the prefix, where the platform does not look for it.
async fn serve(request: &Request, env: &Env, file: &str) -> worker::Result<Response> {
    let mut url = request.url()?;
    url.set_path(file);
    let files = env.assets(FILES)?;
    files.fetch(url.as_str(), None).await
}

fn respond(reply: HttpReply) -> worker::Result<Response> {
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
