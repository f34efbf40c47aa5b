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
    if let Some(address) = address
        && platform::is_bound(env, PER_VISITOR)
        && !platform::has_room(env, PER_VISITOR, &counted_by(write_key, address)).await
    {
        return Err(Refusal::VisitorRateLimited);
    }
    if !platform::is_bound(env, PER_KEY) || platform::has_room(env, PER_KEY, write_key).await {
        Ok(())
    } else {
        Err(Refusal::KeyRateLimited)
    }
}
