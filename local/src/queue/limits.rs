//! What Cloudflare takes in one call.
//!
//! Source: Cloudflare's documentation, "Queues: Limits"; a kilobyte has 1,000 bytes there.

const MAX_MESSAGE_BYTES: usize = 128_000;
const MAX_BATCH_BYTES: usize = 256_000;
const MAX_BATCH_MESSAGES: usize = 100;
/// 24 hours.
const MAX_DELAY_SECONDS: u32 = 86_400;

/// A call that Cloudflare would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// More messages than one call may have.
    #[error("{0} messages in one call; Cloudflare takes {MAX_BATCH_MESSAGES}")]
    Messages(usize),
    /// A message that is too large.
    #[error("a message of {0} bytes; Cloudflare takes {MAX_MESSAGE_BYTES}")]
    MessageBytes(usize),
    /// Messages that are too large together.
    #[error("{0} bytes in one call; Cloudflare takes {MAX_BATCH_BYTES}")]
    BatchBytes(usize),
    /// A delay that is too long.
    #[error("a delay of {0} s; Cloudflare takes {MAX_DELAY_SECONDS}")]
    Delay(u32),
}

/// Checks the messages of one call by the bytes and delays of each.
///
/// # Errors
/// Returns an error if Cloudflare would refuse them.
pub fn check(messages: &[(usize, u32)]) -> Result<(), LimitError> {
    if messages.len() > MAX_BATCH_MESSAGES {
        return Err(LimitError::Messages(messages.len()));
    }
    for (bytes, delay) in messages {
        if *bytes > MAX_MESSAGE_BYTES {
            return Err(LimitError::MessageBytes(*bytes));
        }
        if *delay > MAX_DELAY_SECONDS {
            return Err(LimitError::Delay(*delay));
        }
    }
    let bytes = messages.iter().map(|(bytes, _)| bytes).sum();
    if bytes > MAX_BATCH_BYTES {
        return Err(LimitError::BatchBytes(bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_at_the_limits_pass_and_beyond_them_are_refused() {
        assert_eq!(check(&[(128_000, 86_400), (128_000, 0)]), Ok(()));
        assert_eq!(check(&[(0, 0); 100]), Ok(()));
        assert_eq!(check(&[(0, 0); 101]), Err(LimitError::Messages(101)));
        assert_eq!(
            check(&[(128_001, 0)]),
            Err(LimitError::MessageBytes(128_001))
        );
        assert_eq!(
            check(&[(128_000, 0), (128_000, 0), (1, 0)]),
            Err(LimitError::BatchBytes(256_001))
        );
        assert_eq!(check(&[(1, 86_401)]), Err(LimitError::Delay(86_401)));
    }
}
