//! One record on its way into Kafka, with how far it has come.

use std::rc::Rc;

use crate::dead_letter;
use crate::outgoing::{Outgoing, Topic};
use crate::produce::answer::RecordResult;

/// A record and how far it has come.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The record: what Kafka refuses becomes a dead letter here.
    pub record: Rc<Outgoing>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be sent.
    Pending,
    /// Refused once. Our objects are well formed, so a broken stream may be to blame: one more time, after all others,
    /// because the gateway may end its stream here.
    Suspect,
    /// In Kafka: in its topic or as a dead letter.
    Delivered,
    /// Not now.
    Failed,
}

impl Delivery {
    /// Starts with nothing sent.
    #[must_use]
    pub fn new(record: Outgoing) -> Self {
        Self {
            record: Rc::new(record),
            state: State::Pending,
        }
    }

    /// Whether the record is in Kafka.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.state == State::Delivered
    }

    /// Whether the record should be sent to this topic in this delivery.
    #[must_use]
    pub fn is_pending(&self, topic: Topic) -> bool {
        matches!(self.state, State::Pending | State::Suspect) && self.record.topic() == topic
    }

    /// Whether the record was refused once, so that it comes after all others.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.state == State::Suspect
    }

    /// Returns about how many bytes the record has in a call.
    #[must_use]
    pub fn bytes(&self) -> usize {
        /// What stands around key, value and headers in a call's body.
        const FRAME_BYTES: usize = 256;
        let bytes = self.record.bytes();
        // Base64 makes four bytes of three.
        bytes
            .saturating_add(bytes.div_ceil(3))
            .saturating_add(FRAME_BYTES)
    }

    /// Notes what became of the record in a call; returns whether that is something new.
    pub fn learn(&mut self, result: &RecordResult) -> bool {
        let before = self.state;
        match result {
            RecordResult::Delivered => self.state = State::Delivered,
            RecordResult::Refused(reason) if before == State::Suspect => {
                return self.refuse(reason);
            }
            RecordResult::Refused(_) => self.state = State::Suspect,
            RecordResult::Failed(_) => self.state = State::Failed,
            RecordResult::Unreported => {}
        }
        self.state != before
    }

    /// Makes an event that Kafka will not take a dead letter, which is to be sent. A dead letter that is refused itself is
    /// kept: there is nowhere else for it.
    pub fn refuse(&mut self, reason: &str) -> bool {
        self.state = match self.record.as_ref() {
            Outgoing::Event(event) => {
                self.record = Rc::new(dead_letter::refused_by_kafka(event, reason));
                State::Pending
            }
            Outgoing::DeadLetter(_) => State::Failed,
        };
        true
    }
}
