//! What becomes of a queue message when its records were tried.

use crate::produce::progress::Fate;
use crate::retry;

/// What to do with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// All of it is in Kafka: acknowledge it.
    Done,
    /// Nothing of it is: let the queue bring it again.
    Retry,
    /// Part of it is: send the records at these positions as a new message, then acknowledge this one. If that fails, the
    /// whole message comes again: duplicates are allowed, loss is not.
    SendAnew(Vec<usize>),
}

/// Decides on a message from what became of its records and how often it was brought.
#[must_use]
pub fn settle(fates: &[Fate], attempts: u32) -> Settlement {
    let left: Vec<usize> = fates
        .iter()
        .enumerate()
        .filter(|(_, fate)| **fate == Fate::Left)
        .map(|(position, _)| position)
        .collect();
    if left.is_empty() {
        Settlement::Done
    } else if left.len() == fates.len() && !retry::is_last_attempt(attempts) {
        Settlement::Retry
    } else {
        Settlement::SendAnew(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fate::{Left, Settled};

    #[test]
    fn only_what_is_left_is_sent_again() {
        assert_eq!(settle(&[Settled, Settled], 1), Settlement::Done);
        assert_eq!(settle(&[Left, Left], 1), Settlement::Retry);
        assert_eq!(
            settle(&[Settled, Left, Settled, Left], 1),
            Settlement::SendAnew(vec![1, 3])
        );
    }

    #[test]
    fn message_is_renewed_before_the_platform_drops_it() {
        assert_eq!(settle(&[Left], 89), Settlement::Retry);
        assert_eq!(settle(&[Left], 90), Settlement::SendAnew(vec![0]));
    }
}
