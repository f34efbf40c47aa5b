//! The queue: events gather in batches, batches are sent one after the other, and none is given up before the edge
//! answered for it. Times are of a clock that is never set back (the browser's `performance.now()`), in milliseconds.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::retry::{self, Outcome};

/// Events of a batch, at most: a batch is stored anew with each event, and the edge answers for each event on its own.
const BATCH_EVENTS: u32 = 20;

/// Bytes of a batch's events, at most (a single event may have more). What browsers send for a page that is going is
/// 64 KiB in total.
const BATCH_BYTES: usize = 50_000;

/// How long a batch waits for more events.
const LINGER_MS: f64 = 500.0;

/// Bytes in flight for a page that is going, at most: below the 64 KiB of the browsers, with room for each envelope.
const KEEPALIVE_BYTES: usize = 60_000;

/// Bytes of a batch around its events: write key, tracker, context.
const ENVELOPE_BYTES: usize = 1000;

/// Bytes of all batches, at most: a fifth of what browsers store for a site. The oldest go first.
const QUEUE_BYTES: usize = 1_000_000;

/// What a batch is called on its page: counted from 1.
pub type BatchNumber = u32;

/// Batches that the edge has not answered for yet, the oldest first.
#[derive(Debug, Default)]
pub struct Queue {
    batches: Vec<Batch>,
    last_number: BatchNumber,
    failures: u32,
    not_before: f64,
}

#[derive(Debug)]
struct Batch {
    number: BatchNumber,
    /// JSON objects with commas between.
    events: String,
    count: u32,
    /// When it was opened.
    since: f64,
    in_flight: bool,
}

impl Batch {
    fn has_room_for(&self, event: &str) -> bool {
        !self.in_flight
            && self.count < BATCH_EVENTS
            && self.events.len() + 1 + event.len() <= BATCH_BYTES
    }

    /// When it should be sent.
    fn due(&self) -> f64 {
        if self.count < BATCH_EVENTS {
            self.since + LINGER_MS
        } else {
            self.since
        }
    }

    /// Bytes of the request that sends it.
    fn request_bytes(&self) -> usize {
        self.events.len() + ENVELOPE_BYTES
    }
}

impl Queue {
    /// Adds an event and returns its batch.
    pub fn add(&mut self, event: &str, clock: f64) -> BatchNumber {
        match self.batches.last_mut() {
            Some(open) if open.has_room_for(event) => {
                open.events.push(',');
                open.events.push_str(event);
                open.count += 1;
                open.number
            }
            _ => self.push(event, 1, clock),
        }
    }

    /// Adds a batch that an earlier page stored. It gets no more events and is due at once.
    pub fn adopt(&mut self, events: &str, clock: f64) -> BatchNumber {
        self.push(events, BATCH_EVENTS, clock)
    }

    fn push(&mut self, events: &str, count: u32, since: f64) -> BatchNumber {
        self.last_number += 1;
        self.batches.push(Batch {
            number: self.last_number,
            events: events.to_owned(),
            count,
            since,
            in_flight: false,
        });
        self.last_number
    }

    /// The events of a batch, to be stored or sent; nothing when there is no such batch.
    pub fn events(&self, number: BatchNumber) -> &str {
        self.batches
            .iter()
            .find(|batch| batch.number == number)
            .map_or("", |batch| &batch.events)
    }

    /// Removes a batch: it was sent, or another page has it.
    pub fn remove(&mut self, number: BatchNumber) {
        self.batches.retain(|batch| batch.number != number);
    }

    /// Removes the oldest batch while the queue is too large, and returns it.
    pub fn overflow(&mut self) -> Option<BatchNumber> {
        let bytes: usize = self.batches.iter().map(|batch| batch.events.len()).sum();
        if bytes <= QUEUE_BYTES {
            return None;
        }
        let oldest = self.batches.iter().find(|batch| !batch.in_flight)?.number;
        self.remove(oldest);
        Some(oldest)
    }

    /// Milliseconds until [`Queue::take`] has something; none while it is empty or waits for an answer.
    pub fn wait(&self, clock: f64) -> Option<f64> {
        if self.batches.iter().any(|batch| batch.in_flight) {
            return None;
        }
        let next = self.batches.first()?;
        Some((next.due().max(self.not_before) - clock).max(0.0))
    }

    /// Takes the next batch to be sent.
    pub fn take(&mut self, clock: f64) -> Option<BatchNumber> {
        if self.wait(clock)? > 0.0 {
            return None;
        }
        let next = self.batches.first_mut()?;
        next.in_flight = true;
        Some(next.number)
    }

    /// Takes the next batch of a page that is going: without waiting for more events or for another batch's answer, as
    /// long as browsers send it. A failing edge is left in peace here too.
    pub fn take_leaving(&mut self, clock: f64) -> Option<BatchNumber> {
        if clock < self.not_before {
            return None;
        }
        let in_flight: usize = self
            .batches
            .iter()
            .filter(|batch| batch.in_flight)
            .map(Batch::request_bytes)
            .sum();
        let next = self.batches.iter_mut().find(|batch| {
            !batch.in_flight && in_flight + batch.request_bytes() <= KEEPALIVE_BYTES
        })?;
        next.in_flight = true;
        Some(next.number)
    }

    /// Takes the edge's answer for a batch: HTTP status (0 for none), `Retry-After` in seconds (0 for none).
    pub fn settle(
        &mut self,
        number: BatchNumber,
        status: u16,
        retry_after: f64,
        clock: f64,
        random: f64,
    ) -> Outcome {
        let outcome = retry::outcome(status);
        if outcome == Outcome::Kept {
            self.failures += 1;
            self.not_before = clock + retry::delay(self.failures, retry_after, random);
            for batch in self
                .batches
                .iter_mut()
                .filter(|batch| batch.number == number)
            {
                batch.in_flight = false;
            }
        } else {
            self.failures = 0;
            self.not_before = 0.0;
            self.remove(number);
        }
        outcome
    }

    /// Forgets all batches. Their numbers are not given again: an answer to one of them may still come.
    pub fn clear(&mut self) {
        self.batches.clear();
    }

    /// The browser is online again: what waited for it goes soon.
    pub fn online(&mut self, clock: f64, random: f64) {
        self.not_before = self.not_before.min(clock + retry::online_delay(random));
    }

    /// The page came back from the browser's back/forward cache, where answers get lost.
    pub fn rewind(&mut self) {
        for batch in &mut self.batches {
            batch.in_flight = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue with `count` batches, all due.
    fn queue(count: u32) -> Queue {
        let mut queue = Queue::default();
        for _ in 0..count {
            queue.adopt("{}", 0.0);
        }
        queue
    }

    #[test]
    fn events_gather_for_half_a_second() {
        let mut queue = Queue::default();
        assert_eq!(queue.add("{}", 0.0), 1);
        assert_eq!(queue.add("{}", 300.0), 1);
        assert_eq!(queue.wait(300.0), Some(200.0));
        assert_eq!(queue.take(499.0), None);
        assert_eq!(queue.take(500.0), Some(1));
        assert_eq!(queue.events(1), "{},{}");
    }

    #[test]
    fn a_batch_in_flight_gets_no_more_events_and_holds_back_the_next() {
        let mut queue = queue(1);
        queue.take(0.0);
        assert_eq!(queue.add("{}", 0.0), 2);
        assert_eq!(queue.wait(9000.0), None);
        assert_eq!(queue.settle(1, 202, 0.0, 9000.0, 0.5), Outcome::Done);
        assert_eq!(queue.take(9000.0), Some(2));
    }

    #[test]
    fn the_twentieth_event_makes_a_batch_due() {
        let mut queue = Queue::default();
        for _ in 0..19 {
            queue.add("{}", 0.0);
        }
        assert_eq!(queue.wait(0.0), Some(500.0));
        assert_eq!(queue.add("{}", 0.0), 1);
        assert_eq!(queue.wait(0.0), Some(0.0));
        assert_eq!(queue.add("{}", 0.0), 2);
    }

    #[test]
    fn bytes_end_a_batch_too() {
        let mut queue = Queue::default();
        assert_eq!(queue.add(&"é".repeat(BATCH_BYTES / 2 - 1), 0.0), 1);
        assert_eq!(queue.add("{}", 0.0), 2);
    }

    #[test]
    fn a_failed_batch_waits_and_takes_more_events_meanwhile() {
        let mut queue = Queue::default();
        queue.add("{}", 0.0);
        queue.take(500.0);
        assert_eq!(queue.settle(1, 503, 5.0, 600.0, 0.5), Outcome::Kept);
        assert_eq!(queue.add("{}", 700.0), 1);
        assert_eq!(queue.wait(600.0), Some(5500.0));
        assert_eq!(queue.take_leaving(6099.0), None);
        assert_eq!(queue.take(6100.0), Some(1));
    }

    #[test]
    fn success_ends_the_back_off() {
        let mut queue = queue(2);
        queue.take(0.0);
        queue.settle(1, 0, 0.0, 0.0, 1.0);
        queue.take(1000.0);
        queue.settle(1, 202, 0.0, 1000.0, 1.0);
        assert_eq!(queue.wait(1000.0), Some(0.0));
        queue.take(1000.0);
        queue.settle(2, 0, 0.0, 1000.0, 1.0);
        assert_eq!(queue.wait(1000.0), Some(1000.0));
    }

    #[test]
    fn coming_online_shortens_the_wait() {
        let mut queue = queue(1);
        queue.take(0.0);
        queue.settle(1, 0, 60.0, 0.0, 0.0);
        queue.online(0.0, 0.25);
        assert_eq!(queue.wait(0.0), Some(500.0));
    }

    #[test]
    fn a_page_that_goes_sends_what_browsers_let_it() {
        let mut queue = Queue::default();
        queue.adopt(&"a".repeat(40_000), 0.0);
        queue.adopt(&"b".repeat(40_000), 0.0);
        queue.add("{}", 0.0);
        assert_eq!(queue.take_leaving(0.0), Some(1));
        assert_eq!(queue.take_leaving(0.0), Some(3));
        assert_eq!(queue.take_leaving(0.0), None);
    }

    #[test]
    fn a_page_that_comes_back_sends_again_what_it_got_no_answer_for() {
        let mut queue = queue(1);
        queue.take(0.0);
        assert_eq!(queue.wait(0.0), None);
        queue.rewind();
        assert_eq!(queue.take(0.0), Some(1));
    }

    #[test]
    fn the_oldest_batch_not_in_flight_makes_room() {
        let mut queue = Queue::default();
        for _ in 0..3 {
            queue.adopt(&"x".repeat(400_000), 0.0);
        }
        queue.take(0.0);
        assert_eq!(queue.overflow(), Some(2));
        assert_eq!(queue.overflow(), None);
    }

    #[test]
    fn an_answer_to_a_forgotten_batch_is_about_no_other() {
        let mut queue = queue(1);
        queue.take(0.0);
        queue.clear();
        queue.add("{}", 0.0);
        queue.settle(1, 202, 0.0, 0.0, 0.0);
        assert_eq!(queue.events(2), "{}");
    }
}
