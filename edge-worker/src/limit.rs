//! Rate limits, by the platform's bindings: for each write key, and for each caller under it. Where a binding is not set,
//! or does not reply, nobody is limited: a limit is no reason to lose events.

use worker::wasm_bindgen::JsValue;

use crate::admit::Refusal;
use crate::caller::counted_by;
use crate::platform;

/// The binding that counts by write key.
const PER_KEY: &str = "LIMIT_PER_KEY";
/// The binding that counts by write key and caller.
const PER_VISITOR: &str = "LIMIT_PER_VISITOR";

/// Counts a request that came from an address.
///
/// # Errors
/// Returns [`Refusal::KeyRateLimited`] or [`Refusal::VisitorRateLimited`].
pub async fn check(env: &JsValue, write_key: &str, address: Option<&str>) -> Result<(), Refusal> {
    let visitor = address.map(|address| counted_by(write_key, address));
    let full =
        platform::full_limiter(env, PER_VISITOR, visitor.as_deref(), PER_KEY, write_key).await;
    match full.as_deref() {
        None => Ok(()),
        Some(PER_VISITOR) => Err(Refusal::VisitorRateLimited),
        Some(_) => Err(Refusal::KeyRateLimited),
    }
}
