//! The platform, by the functions of `js/platform.js`: one call out of the module for each step.

use std::time::Duration;

use worker::js_sys::{Array, Promise, Uint8Array, futures::JsFuture};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use worker::worker_sys::web_sys;

use crate::admit::Refusal;
use crate::body;
use crate::request::RequestFacts;

/// The queue's binding in `wrangler.toml`.
pub const QUEUE: &str = "EVENTS";
/// The static assets' binding.
const FILES: &str = "FILES";
/// The metrics' binding.
const METRICS: &str = "METRICS";

mod js {
    use super::*;

    #[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, js_sys = worker::js_sys, module = "/js/platform.js")]
    extern "C" {
        pub fn facts(request: &web_sys::Request) -> String;
        pub fn read(
            request: &web_sys::Request,
            is_announced: bool,
            limit: f64,
            patience_ms: f64,
        ) -> Promise;
        pub fn full_limiter(
            env: &JsValue,
            per_visitor: &str,
            visitor: Option<&str>,
            per_key: &str,
            key: &str,
        ) -> Promise;
        pub fn is_bound(env: &JsValue, binding: &str) -> bool;
        #[wasm_bindgen(catch)]
        pub fn send(
            env: &JsValue,
            binding: &str,
            bodies: &Array,
            delay_seconds: Option<u32>,
        ) -> Result<Promise, JsValue>;
        #[wasm_bindgen(catch)]
        pub fn count(
            env: &JsValue,
            binding: &str,
            about: &str,
            outcome: &str,
            shop: &str,
            figures: &[f64],
        ) -> Result<bool, JsValue>;
        pub fn ask(url: &str, authorization: &str, patience_ms: f64) -> Promise;
        pub fn converse(
            url: &str,
            authorization: &str,
            next: &JsValue,
            limit: f64,
            patience_ms: f64,
        ) -> Promise;
        #[wasm_bindgen(catch)]
        pub fn file(env: &JsValue, binding: &str, url: &str) -> Result<Promise, JsValue>;
        #[wasm_bindgen(catch)]
        pub fn respond(
            status: u16,
            headers: &str,
            body: Option<&str>,
        ) -> Result<web_sys::Response, JsValue>;
    }
}

/// Returns what is known of a request beside its body.
pub fn facts(request: &web_sys::Request) -> RequestFacts {
    RequestFacts::read(js::facts(request))
}

/// Reads a body, but neither too much of it nor for too long.
///
/// # Errors
/// Returns an error if the body is too large or does not come in time.
pub async fn read(request: &web_sys::Request, is_announced: bool) -> Result<Vec<u8>, Refusal> {
    let patience_ms = body::PATIENCE.as_millis() as f64;
    let limit = body::MAX_BODY_BYTES as f64;
    let promise = js::read(request, is_announced, limit, patience_ms);
    let read = JsFuture::from(promise).await.unwrap_or(JsValue::UNDEFINED);
    match read.dyn_ref::<Uint8Array>() {
        Some(bytes) => Ok(bytes.to_vec()),
        None if read.as_string().as_deref() == Some("too_large") => Err(Refusal::TooLarge),
        None => Err(Refusal::TooSlow),
    }
}

/// Counts by two of the platform's limiters, and returns the binding of one that has no room.
pub async fn full_limiter(
    env: &JsValue,
    per_visitor: &str,
    visitor: Option<&str>,
    per_key: &str,
    key: &str,
) -> Option<String> {
    let promise = js::full_limiter(env, per_visitor, visitor, per_key, key);
    JsFuture::from(promise).await.ok()?.as_string()
}

/// Whether something is bound under a name.
pub fn is_bound(env: &JsValue, binding: &str) -> bool {
    js::is_bound(env, binding)
}

/// Sends messages to the queue in one go, to be brought after a delay.
///
/// # Errors
/// Returns an error if the queue does not take them.
pub async fn send<'a>(
    env: &JsValue,
    bodies: impl Iterator<Item = &'a str>,
    delay_seconds: Option<u32>,
) -> Result<(), JsValue> {
    let bodies: Array = bodies
        .map(|body| Uint8Array::from(body.as_bytes()))
        .collect();
    let promise = js::send(env, QUEUE, &bodies, delay_seconds)?;
    JsFuture::from(promise).await.map(drop)
}

/// Writes one point of metrics; returns whether there is a dataset for it.
pub fn count(env: &JsValue, about: &str, outcome: &str, shop_id: &str, figures: &[f64]) -> bool {
    js::count(env, METRICS, about, outcome, shop_id, figures).unwrap_or(false)
}

/// Asks for an address, and returns the status of the answer, if there is one in time.
pub async fn ask(url: &str, authorization: &str, patience: Duration) -> Option<u16> {
    let promise = js::ask(url, authorization, patience.as_millis() as f64);
    let status = JsFuture::from(promise).await.ok()?.as_f64()?;
    Some(status as u16)
}

/// A call whose body and answer come in pieces.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// The `Authorization` header.
    pub authorization: &'a str,
    /// How long it may take, all of its answer included.
    pub patience: Duration,
    /// Most bytes of the answer; what comes after is not read.
    pub max_answer_bytes: usize,
}

/// What came of a call. What is not there was not answered.
#[derive(Debug, Default)]
pub struct Answered {
    /// The HTTP status.
    pub status: Option<u16>,
    /// `Retry-After`, as it was written.
    pub retry_after: Option<String>,
    /// Whether patience ended before the answer did.
    pub is_late: bool,
    /// As much of the body as came.
    pub body: Vec<u8>,
}

/// Posts JSON that is made piece by piece, and reads the answer as far as it comes.
pub async fn converse(
    call: Call<'_>,
    mut next: impl FnMut() -> Option<String> + 'static,
) -> Answered {
    let next = move || next().map(|chunk| Uint8Array::from(chunk.as_bytes()));
    // The body is not asked for any more once the promise is kept, so the closure may go then.
    let next = Closure::<dyn FnMut() -> Option<Uint8Array>>::new(next);
    let promise = js::converse(
        call.url,
        call.authorization,
        next.as_ref(),
        call.max_answer_bytes as f64,
        call.patience.as_millis() as f64,
    );
    let Ok(parts) = JsFuture::from(promise).await else {
        return Answered::default();
    };
    let parts: Array = parts.unchecked_into();
    Answered {
        status: parts.get(0).as_f64().map(|status| status as u16),
        retry_after: parts.get(1).as_string(),
        is_late: parts.get(2).is_truthy(),
        body: Uint8Array::new(&parts.get(3)).to_vec(),
    }
}

/// Fetches one of the static files by its address.
///
/// # Errors
/// Returns an error if the files are not bound.
pub async fn file(env: &JsValue, url: &str) -> Result<JsValue, JsValue> {
    JsFuture::from(js::file(env, FILES, url)?).await
}

/// Makes a response.
///
/// # Errors
/// Returns an error if a header cannot be sent.
pub fn respond(
    status: u16,
    headers: &str,
    body: Option<&str>,
) -> Result<web_sys::Response, JsValue> {
    js::respond(status, headers, body)
}
