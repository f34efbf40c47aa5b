//! The two handlers that the Workers runtime calls: one for each request, one for each batch of queue messages.

use std::borrow::Cow;
use std::sync::OnceLock;

use worker::js_sys;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::{MessageBatch, web_sys};

use crate::collect::{Incoming, collect};
use crate::config::{self, Config, ConfigError};
use crate::consume::consume;
use crate::health::health;
use crate::observe::{self, LogLevel};
use crate::produce::confluent;
use crate::reply::HttpReply;
use crate::request::{Fact, RequestFacts};
use crate::route::{Route, route};
use crate::{hand_over, platform};

/// Answers one HTTP request. `#[event(fetch)]` would read the request's parts one by one.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
pub async fn fetch(request: web_sys::Request, env: JsValue) -> Result<JsValue, JsValue> {
    let facts = platform::facts(&request);
    let config = config(&env);
    let prefix = config.map_or_else(|_| prefix(&env).into(), |config| Cow::from(&config.prefix));
    let method = facts.get(Fact::Method).unwrap_or_default();
    let origin = facts.get(Fact::Origin);
    let reply = match (route(&prefix, facts.path(), method), config) {
        (Route::Collect, Ok(config)) => {
            let incoming = Incoming {
                request: &request,
                facts: &facts,
                env: &env,
            };
            collect(incoming, config).await
        }
        (Route::Collect, Err(_)) => HttpReply::unavailable().readable_by(origin),
        (Route::Preflight, _) => HttpReply::preflight().readable_by(origin),
        (Route::Health, Ok(config)) => {
            let kafka = confluent::health(&config.kafka).await;
            health(Ok((config, kafka)), hand_over::last())
        }
        (Route::Health, Err(error)) => health(Err(error), hand_over::last()),
        (Route::File(file), _) => return serve(&facts, &env, file).await,
        (Route::MethodNotAllowed(allowed), _) => {
            HttpReply::method_not_allowed(allowed).readable_by(origin)
        }
        (Route::NotFound, _) => HttpReply::not_found().readable_by(origin),
    };
    let headers = reply.header_lines();
    platform::respond(reply.status, &headers, reply.body.as_deref()).map(JsValue::from)
}

/// Takes one batch of queue messages. `#[event(queue)]` would hide how often a message was brought.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
pub async fn queue(batch: MessageBatch, env: JsValue) -> Result<(), JsValue> {
    consume(&batch, &env, config(&env).ok()).await
}

/// Returns the configuration, which is read once: an instance of the Worker never gets another.
fn config(env: &JsValue) -> Result<&'static Config, &'static ConfigError> {
    static CONFIG: OnceLock<Result<Config, ConfigError>> = OnceLock::new();
    CONFIG.get_or_init(|| read_config(env)).as_ref()
}

fn read_config(env: &JsValue) -> Result<Config, ConfigError> {
    let config = Config::read(|name| variable(env, name));
    let (message, problems) = match &config {
        Ok(config) => ("part of the configuration is not used", &*config.problems),
        Err(error) => ("configuration cannot be used", std::slice::from_ref(error)),
    };
    for problem in problems {
        let fields = serde_json::json!({"error": problem.to_string()});
        observe::log(LogLevel::Error, message, fields);
    }
    config
}

/// Returns what stands before each path when the configuration cannot be used: routes are found all the same, so that
/// clients are told to wait and `/health` says why.
fn prefix(env: &JsValue) -> String {
    let value = variable(env, "SHOPTRAIL_PREFIX");
    config::prefix(value.as_deref()).unwrap_or_default()
}

fn variable(env: &JsValue, name: &str) -> Option<String> {
    js_sys::Reflect::get(env, &name.into()).ok()?.as_string()
}

/// Serves one of the tracker's files for a path below the prefix, where the platform does not look for it.
async fn serve(facts: &RequestFacts, env: &JsValue, file: &str) -> Result<JsValue, JsValue> {
    platform::file(env, &format!("{}{file}", facts.base())).await
}
