//! The queue: events wait, go together in requests, and none is given up before the edge answered for it. Their text is
//! the page's; here are their numbers, sizes and states. Times are of a clock that is never set back (the browser's
//! `performance.now()`), in milliseconds.

use alloc::vec::Vec;

use crate::retry::{self, Outcome, Reply};

/// Most events of a request: the edge answers for each event on its own.
const REQUEST_EVENTS: usize = 20;

/// Most bytes of a request's events (a single event may have more). What browsers send for a page that is going is
/// 64 KiB in total.
const REQUEST_BYTES: usize = 50_000;

/// How long an event waits for more events.
const LINGER_MS: f64 = 500.0;

/// Most bytes in flight for a page that is going: below the 64 KiB of the browsers.
const KEEPALIVE_BYTES: usize = 60_000;

/// Bytes of a request around its events: write key, tracker, context.
const ENVELOPE_BYTES: usize = 1000;

/// Most bytes of all events: a fifth of what browsers store for a site.
const QUEUE_BYTES: usize = 1_000_000;

/// What an event is called on its page: counted from 1.
pub type EventNumber = u32;

/// What a request is called on its page: counted from 1.
pub type RequestNumber = u32;

/// Events that the edge has not answered for yet, the oldest first.
#[derive(Debug)]
pub struct Queue {
    events: Vec<Event>,
    last_event: EventNumber,
    last_request: RequestNumber,
    /// Most events of a request: fewer when the edge found one too large.
    request_events: usize,
    failures: u32,
    not_before: f64,
}

#[derive(Debug)]
struct Event {
    number: EventNumber,
    bytes: usize,
    /// What it is worth: the least goes first when there are too many.
    rank: u8,
    /// When it began to wait.
    since: f64,
    /// The request it is in.
    request: Option<RequestNumber>,
}

impl Event {
    fn is_waiting(&self) -> bool {
        self.request.is_none()
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            last_event: 0,
            last_request: 0,
            request_events: REQUEST_EVENTS,
            failures: 0,
            not_before: 0.0,
        }
    }
}

impl Queue {
    /// Adds an event that waits since `since`, and returns its number.
    pub fn add(&mut self, bytes: usize, rank: u8, since: f64) -> EventNumber {
        self.last_event += 1;
        self.events.push(Event {
            number: self.last_event,
            bytes,
            rank,
            since,
            request: None,
        });
        self.last_event
    }

    /// Removes the event of the least worth, of these the oldest, while the queue is too large, and returns it.
    pub fn overflow(&mut self) -> Option<EventNumber> {
        let bytes: usize = self.events.iter().map(|event| event.bytes).sum();
        if bytes <= QUEUE_BYTES {
            return None;
        }
        let least = self
            .events
            .iter()
            .filter(|event| event.is_waiting())
            .min_by_key(|event| event.rank)?
            .number;
        self.events.retain(|event| event.number != least);
        Some(least)
    }

    /// Milliseconds until [`Queue::take`] has something; none while it is empty or waits for an answer.
    pub fn wait(&self, clock: f64) -> Option<f64> {
        if self.events.iter().any(|event| !event.is_waiting()) {
            return None;
        }
        let next = self.events.first()?;
        let due = if self.is_full() {
            next.since
        } else {
            next.since + LINGER_MS
        };
        Some((due.max(self.not_before) - clock).max(0.0))
    }

    /// Whether the waiting events fill a request.
    fn is_full(&self) -> bool {
        self.events.len() >= self.request_events
            || self.events.iter().map(|event| event.bytes).sum::<usize>() >= REQUEST_BYTES
    }

    /// Puts the oldest events into a request.
    pub fn take(&mut self, clock: f64) -> Option<RequestNumber> {
        if self.wait(clock)? > 0.0 {
            return None;
        }
        // Alone, an event may be larger than a request should be.
        let room = self.events.first()?.bytes.max(REQUEST_BYTES);
        self.fill(room)
    }

    /// Puts events of a page that is going into a request: without waiting for more events or for another answer, as
    /// long as browsers send it. A failing edge is left in peace here too, where the events are `stored`.
    pub fn take_leaving(&mut self, clock: f64, stored: bool) -> Option<RequestNumber> {
        if stored && clock < self.not_before {
            return None;
        }
        let in_flight: usize = self
            .events
            .iter()
            .filter(|event| !event.is_waiting())
            .map(|event| event.bytes)
            .sum();
        let envelopes = ENVELOPE_BYTES * (1 + self.requests_in_flight());
        let room = KEEPALIVE_BYTES.saturating_sub(in_flight + envelopes);
        self.fill(room.min(REQUEST_BYTES))
    }

    fn requests_in_flight(&self) -> usize {
        let mut last = None;
        let mut requests = 0;
        for request in self.events.iter().filter_map(|event| event.request) {
            if last != Some(request) {
                requests += 1;
                last = Some(request);
            }
        }
        requests
    }

    fn fill(&mut self, mut room: usize) -> Option<RequestNumber> {
        let request = self.last_request + 1;
        let mut events = 0;
        for event in self.events.iter_mut().filter(|event| event.is_waiting()) {
            if events == self.request_events {
                break;
            }
            if event.bytes > room {
                continue;
            }
            room -= event.bytes;
            events += 1;
            event.request = Some(request);
        }
        if events == 0 {
            return None;
        }
        self.last_request = request;
        Some(request)
    }

    /// The first event of a request whose number is above `after`.
    pub fn member(&self, request: RequestNumber, after: EventNumber) -> Option<EventNumber> {
        self.events
            .iter()
            .find(|event| event.request == Some(request) && event.number > after)
            .map(|event| event.number)
    }

    /// Takes the answer to a request; true when its events are done with.
    pub fn settle(
        &mut self,
        request: RequestNumber,
        reply: Reply,
        clock: f64,
        random: f64,
    ) -> bool {
        let is_of = |event: &Event| event.request == Some(request);
        let events = self.events.iter().filter(|event| is_of(event)).count();
        let outcome = retry::outcome(reply);
        if outcome == Outcome::Kept {
            self.failures += 1;
            self.not_before = clock + retry::delay(self.failures, reply, random);
        } else {
            self.failures = 0;
            self.not_before = 0.0;
        }
        if outcome == Outcome::Done || (outcome == Outcome::TooLarge && events <= 1) {
            self.events.retain(|event| !is_of(event));
            return true;
        }
        if outcome == Outcome::TooLarge {
            self.request_events = events / 2;
        }
        for event in self.events.iter_mut().filter(|event| is_of(event)) {
            event.request = None;
        }
        false
    }

    /// Forgets all events. Their numbers are not given again: an answer to some of them may still come.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// How many requests failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When the edge may be asked again.
    pub fn not_before(&self) -> f64 {
        self.not_before
    }

    /// Takes over what another page of the shop learnt about the edge: how many requests failed in a row, and for how
    /// long from now it is to be left in peace.
    pub fn back_off(&mut self, failures: u32, wait: f64, clock: f64) {
        self.failures = failures;
        self.not_before = clock + wait.clamp(0.0, retry::LONGEST_DELAY_MS);
    }

    /// The browser is online again: what waited for it goes soon.
    pub fn online(&mut self, clock: f64, random: f64) {
        self.not_before = self.not_before.min(clock + retry::online_delay(random));
    }

    /// The page came back from the browser's back/forward cache, where answers get lost.
    pub fn rewind(&mut self) {
        for event in &mut self.events {
            event.request = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue with events of these sizes, all due.
    fn queue(sizes: &[usize]) -> Queue {
        let mut queue = Queue::default();
        for bytes in sizes {
            queue.add(*bytes, 1, -LINGER_MS);
        }
        queue
    }

    fn members(queue: &Queue, request: RequestNumber) -> Vec<EventNumber> {
        let mut members = Vec::new();
        while let Some(event) = queue.member(request, members.last().copied().unwrap_or_default()) {
            members.push(event);
        }
        members
    }

    const fn reply(status: u16) -> Reply {
        Reply {
            status,
            is_edges: true,
            retry_after: 0.0,
        }
    }

    #[test]
    fn events_gather_for_half_a_second() {
        let mut queue = Queue::default();
        assert_eq!(queue.add(9, 1, 0.0), 1);
        assert_eq!(queue.add(9, 1, 300.0), 2);
        assert_eq!(queue.wait(300.0), Some(200.0));
        assert_eq!(queue.take(499.0), None);
        assert_eq!(queue.take(500.0), Some(1));
        assert_eq!(members(&queue, 1), [1, 2]);
    }

    #[test]
    fn one_request_is_in_flight_at_a_time_and_gets_no_more_events() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        queue.add(9, 1, 0.0);
        assert_eq!(queue.wait(9000.0), None);
        assert_eq!(members(&queue, 1), [1]);
        assert!(queue.settle(1, reply(202), 9000.0, 0.5));
        assert_eq!(queue.take(9000.0), Some(2));
        assert_eq!(members(&queue, 2), [2]);
    }

    #[test]
    fn a_late_answer_ends_only_the_events_it_is_about() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        queue.rewind();
        queue.add(9, 2, 0.0);
        queue.take(0.0);
        queue.settle(1, reply(202), 0.0, 0.0);
        assert_eq!(members(&queue, 2), [1, 2]);
    }

    #[test]
    fn twenty_events_or_fifty_thousand_bytes_are_due_at_once() {
        for (last, bytes) in [(20, 9), (2, REQUEST_BYTES / 2)] {
            let mut queue = Queue::default();
            for _ in 1..last {
                queue.add(bytes, 1, 0.0);
            }
            assert_eq!(queue.wait(0.0), Some(500.0));
            queue.add(bytes, 1, 0.0);
            assert_eq!(queue.wait(0.0), Some(0.0));
        }
    }

    #[test]
    fn a_request_is_bounded_and_takes_an_event_that_is_larger_alone() {
        let mut many = queue(&[9; 21]);
        many.take(0.0);
        assert_eq!(members(&many, 1).len(), 20);
        let mut large = queue(&[30_000, 30_000, 20_000]);
        large.take(0.0);
        assert_eq!(members(&large, 1), [1, 3]);
        let mut huge = queue(&[60_000, 9]);
        huge.take(0.0);
        assert_eq!(members(&huge, 1), [1]);
    }

    #[test]
    fn what_failed_waits_and_goes_with_what_came_meanwhile() {
        let mut queue = Queue::default();
        queue.add(9, 1, 0.0);
        queue.take(500.0);
        let away = Reply {
            retry_after: 5.0,
            ..reply(503)
        };
        assert!(!queue.settle(1, away, 600.0, 0.5));
        queue.add(9, 1, 700.0);
        assert_eq!(queue.wait(600.0), Some(7500.0));
        assert_eq!(queue.take_leaving(8099.0, true), None);
        assert_eq!(queue.take(8100.0), Some(2));
        assert_eq!(members(&queue, 2), [1, 2]);
    }

    #[test]
    fn what_nothing_stores_is_sent_by_a_page_that_goes_whatever_the_edge_asked() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        queue.settle(1, reply(503), 0.0, 1.0);
        assert_eq!(queue.take_leaving(0.0, true), None);
        assert_eq!(queue.take_leaving(0.0, false), Some(2));
    }

    #[test]
    fn success_ends_the_back_off() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        queue.settle(1, reply(0), 0.0, 1.0);
        assert_eq!((queue.failures(), queue.not_before()), (1, 1000.0));
        queue.take(1000.0);
        queue.settle(2, reply(202), 1000.0, 1.0);
        assert_eq!((queue.failures(), queue.not_before()), (0, 0.0));
    }

    #[test]
    fn what_another_page_learnt_holds_here_within_reason() {
        let mut queue = queue(&[9]);
        queue.back_off(3, 5000.0, 100.0);
        assert_eq!(queue.wait(100.0), Some(5000.0));
        queue.back_off(3, f64::INFINITY, 100.0);
        assert_eq!(queue.wait(100.0), Some(retry::LONGEST_DELAY_MS));
        queue.back_off(3, -7.0, 100.0);
        assert_eq!(queue.wait(100.0), Some(0.0));
    }

    #[test]
    fn what_is_too_large_together_goes_in_halves_and_alone_is_given_up() {
        let mut queue = queue(&[9; 5]);
        queue.take(0.0);
        assert!(!queue.settle(1, reply(413), 0.0, 0.5));
        queue.take(0.0);
        assert_eq!(members(&queue, 2), [1, 2]);
        assert!(!queue.settle(2, reply(413), 0.0, 0.5));
        queue.take(0.0);
        assert_eq!(members(&queue, 3), [1]);
        assert!(queue.settle(3, reply(413), 0.0, 0.5));
        queue.take(0.0);
        assert_eq!(members(&queue, 4), [2]);
    }

    #[test]
    fn coming_online_shortens_the_wait() {
        let mut queue = queue(&[9]);
        queue.back_off(1, 60_000.0, 0.0);
        queue.online(0.0, 0.25);
        assert_eq!(queue.wait(0.0), Some(500.0));
    }

    #[test]
    fn a_page_that_goes_sends_what_browsers_let_it() {
        let mut queue = queue(&[40_000, 40_000, 9]);
        assert_eq!(queue.take_leaving(0.0, true), Some(1));
        assert_eq!(members(&queue, 1), [1, 3]);
        assert_eq!(queue.take_leaving(0.0, true), None);
        queue.add(17_991, 1, 0.0);
        assert_eq!(
            queue.take_leaving(0.0, true),
            Some(2),
            "two envelopes of a thousand bytes"
        );
        assert_eq!(members(&queue, 2), [4]);
        queue.add(1, 1, 0.0);
        assert_eq!(queue.take_leaving(0.0, true), None);
    }

    #[test]
    fn a_page_that_comes_back_sends_again_what_it_got_no_answer_for() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        assert_eq!(queue.wait(0.0), None);
        queue.rewind();
        assert_eq!(queue.take(0.0), Some(2));
    }

    #[test]
    fn the_least_and_oldest_event_not_in_flight_makes_room() {
        let mut queue = Queue::default();
        for rank in [0, 2, 1, 1, 2] {
            queue.add(400_000, rank, 0.0);
        }
        queue.take(500.0);
        assert_eq!(members(&queue, 1), [1]);
        assert_eq!(queue.overflow(), Some(3));
        assert_eq!(queue.overflow(), Some(4));
        assert_eq!(queue.overflow(), Some(2));
        assert_eq!(queue.overflow(), None);
    }

    #[test]
    fn an_answer_to_forgotten_events_is_about_no_others() {
        let mut queue = queue(&[9]);
        queue.take(0.0);
        queue.clear();
        assert_eq!(queue.add(9, 1, 0.0), 2);
        queue.settle(1, reply(202), 0.0, 0.0);
        assert_eq!(queue.take(500.0), Some(2));
        assert_eq!(members(&queue, 2), [2]);
    }
}
