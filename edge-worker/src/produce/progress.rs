//! How far the records of one topic have come: which to send next, and what became of each.

use crate::produce::report::Outcome;

/// What became of a record in a whole delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in Kafka: in its topic or as a dead letter.
    Settled,
    /// It is not, or nobody knows: it must be sent again.
    Left,
}

/// How far each record of one topic has come, by position.
#[derive(Debug)]
pub struct Progress {
    states: Vec<State>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// To be sent.
    Pending,
    /// Refused once. Our objects are well formed, so a broken stream may be to blame: one more time, after all others,
    /// because the gateway may end its stream here.
    Suspect,
    /// In Kafka.
    Delivered,
    /// Refused twice: this is about the record.
    Refused(String),
    /// Not now.
    Failed,
}

impl Progress {
    /// Starts with nothing sent.
    #[must_use]
    pub fn new(records: usize) -> Self {
        Self {
            states: vec![State::Pending; records],
        }
    }

    /// Returns what to send next, in this order.
    #[must_use]
    pub fn pending(&self) -> Vec<usize> {
        self.positions(&State::Pending)
            .chain(self.positions(&State::Suspect))
            .collect()
    }

    /// Takes in what became of the records that were sent; returns whether anything was learned, so that another call may
    /// help.
    pub fn learn(&mut self, sent: &[usize], outcomes: &[Outcome]) -> bool {
        let mut learned = false;
        for (position, outcome) in sent.iter().zip(outcomes) {
            if let Some(state) = self.states.get_mut(*position) {
                let next = state.after(outcome);
                learned |= *state != next;
                *state = next;
            }
        }
        learned
    }

    /// Returns the positions of what is in Kafka.
    pub fn delivered(&self) -> impl Iterator<Item = usize> {
        self.positions(&State::Delivered)
    }

    /// Returns what Kafka will not take, and why.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &str)> {
        self.states
            .iter()
            .enumerate()
            .filter_map(|(position, state)| match state {
                State::Refused(reason) => Some((position, reason.as_str())),
                _ => None,
            })
    }

    fn positions(&self, wanted: &State) -> impl Iterator<Item = usize> {
        self.states
            .iter()
            .enumerate()
            .filter(move |(_, state)| *state == wanted)
            .map(|(position, _)| position)
    }
}

impl State {
    fn after(&self, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Self::Delivered,
            Outcome::Refused(reason) if *self == Self::Suspect => Self::Refused(reason.clone()),
            Outcome::Refused(_) => Self::Suspect,
            Outcome::Failed(_) => Self::Failed,
            Outcome::Unreported => self.clone(),
        }
    }
}
