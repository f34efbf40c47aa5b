//! Rate limits, by the platform's bindings: for each write key, and for each address under it. Where a binding is not set,
//! or does not reply, nobody is limited: a limit is no reason to lose events.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use worker::wasm_bindgen::JsValue;

use crate::admit::Refusal;
use crate::platform;

/// The binding that counts by write key.
const PER_KEY: &str = "LIMIT_PER_KEY";
/// The binding that counts by write key and address.
const PER_VISITOR: &str = "LIMIT_PER_VISITOR";

/// Counts a request that came from an address.
///
/// # Errors
/// Returns [`Refusal::KeyRateLimited`] or [`Refusal::VisitorRateLimited`].
pub async fn check(env: &JsValue, write_key: &str, address: Option<&str>) -> Result<(), Refusal> {
    if let Some(address) = address
        && platform::is_bound(env, PER_VISITOR)
        && !platform::has_room(env, PER_VISITOR, &visitor(write_key, address)).await
    {
        return Err(Refusal::VisitorRateLimited);
    }
    if !platform::is_bound(env, PER_KEY) || platform::has_room(env, PER_KEY, write_key).await {
        Ok(())
    } else {
        Err(Refusal::KeyRateLimited)
    }
}

/// The platform counts by a hash: the address itself goes nowhere.
fn visitor(write_key: &str, address: &str) -> String {
    let hash = Sha256::digest(format!("{write_key}\u{1f}{address}"));
    let mut text = String::with_capacity(32);
    for byte in hash.iter().take(16) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
