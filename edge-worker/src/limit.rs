//! Rate limits, by the platform's bindings: for each write key, and for each address under it. Where a binding is not set,
//! or does not reply, nobody is limited: a limit is no reason to lose events.

use sha2::{Digest as _, Sha256};
use worker::{Env, Request};

use crate::admit::Refusal;
use crate::request::header;

/// The binding that counts by write key.
const PER_KEY: &str = "LIMIT_PER_KEY";
/// The binding that counts by write key and address.
const PER_VISITOR: &str = "LIMIT_PER_VISITOR";

/// Counts a request.
///
/// # Errors
/// Returns [`Refusal::KeyRateLimited`] or [`Refusal::VisitorRateLimited`].
pub async fn check(env: &Env, write_key: &str, request: &Request) -> Result<(), Refusal> {
    if let Some(address) = header(request, "CF-Connecting-IP")
        && !passes(env, PER_VISITOR, visitor(write_key, &address)).await
    {
        return Err(Refusal::VisitorRateLimited);
    }
    if passes(env, PER_KEY, write_key.to_owned()).await {
        Ok(())
    } else {
        Err(Refusal::KeyRateLimited)
    }
}

async fn passes(env: &Env, binding: &str, key: String) -> bool {
    let Ok(limiter) = env.rate_limiter(binding) else {
        return true;
    };
    limiter
        .limit(key)
        .await
        .map_or(true, |outcome| outcome.success)
}

/// The platform counts by a hash: the address itself goes nowhere.
fn visitor(write_key: &str, address: &str) -> String {
    let hash = Sha256::digest(format!("{write_key}\u{1f}{address}"));
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
