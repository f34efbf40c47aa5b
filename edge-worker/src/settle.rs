//! What becomes of a queue message when its records were tried.

use crate::produce::delivery::Delivery;
use crate::retry;

/// What to do with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// All of it is in Kafka: acknowledge it.
    Done,
    /// Nothing of it is: let the queue bring it again.
    Retry,
    /// Part of it is: send the records that are left as a new message, then acknowledge this one. If that fails, the whole
    /// message comes again: duplicates are allowed, loss is not.
    SendLeft,
}

/// Decides on a message from how far its records have come and how often it was brought.
#[must_use]
pub fn settle(deliveries: &[Delivery], attempts: u32) -> Settlement {
    let left = deliveries
        .iter()
        .filter(|delivery| !delivery.is_delivered())
        .count();
    if left == 0 {
        Settlement::Done
    } else if left == deliveries.len() && !retry::is_last_attempt(attempts) {
        Settlement::Retry
    } else {
        Settlement::SendLeft
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::tests::event;
    use crate::produce::answer::RecordResult;

    fn deliveries(delivered: &[bool]) -> Vec<Delivery> {
        let delivery = |delivered: &bool| {
            let mut delivery = Delivery::new(event("k", "{}"));
            if *delivered {
                delivery.learn(&RecordResult::Delivered);
            }
            delivery
        };
        delivered.iter().map(delivery).collect()
    }

    #[test]
    fn only_what_is_left_is_sent_again() {
        assert_eq!(settle(&deliveries(&[true, true]), 1), Settlement::Done);
        assert_eq!(settle(&deliveries(&[false, false]), 1), Settlement::Retry);
        assert_eq!(settle(&deliveries(&[true, false]), 1), Settlement::SendLeft);
    }

    #[test]
    fn message_is_renewed_before_the_platform_drops_it() {
        assert_eq!(settle(&deliveries(&[false]), 89), Settlement::Retry);
        assert_eq!(settle(&deliveries(&[false]), 90), Settlement::SendLeft);
    }
}
