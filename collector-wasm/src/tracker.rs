//! What the loader calls: one object that decides. It has no clock, no randomness, no storage and no network; each of
//! them comes in as an argument or goes out as a value. `js/fallback.js` is the same object for pages that forbid WASM,
//! and `vectors/core.json` holds the two together.

use alloc::borrow::ToOwned;
use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::consent::{self, Choice, Consent, Mode};
use crate::envelope::{self, EventHead};
use crate::id;
use crate::queue::Queue;
use crate::session;

/// The tracker's decisions for one page.
///
/// Arguments in common: `now` is the time in milliseconds since the epoch, `clock` milliseconds of a clock that is never
/// set back, `a`, `b`, `c` are 32 random bits each, `random` is a random number in 0..1. Batches are called by numbers
/// from 1; 0 stands for none.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Core {
    consent: Consent,
    seq: u64,
    queue: Queue,
}

#[wasm_bindgen]
impl Core {
    /// A core that may do nothing until [`Core::consent`] says so.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides what may be done from now on: 0 nothing, 1 send with ids that live as long as the page, 2 store too.
    ///
    /// `setting` is what the shop's tag allows until the visitor chose (0, 1 or 2 likewise), `choice` what the visitor
    /// chose: 1 for analytics plus 2 for advertising, negative for no choice yet. What is queued goes when nothing may
    /// be done.
    pub fn consent(&mut self, setting: u8, global_privacy_control: bool, choice: i8) -> u8 {
        self.consent = consent::decide(
            Mode::from(setting),
            global_privacy_control,
            Choice::from_bits(choice),
        );
        if self.consent.mode == Mode::Off {
            self.queue.clear();
        }
        self.consent.mode as u8
    }

    /// A new id, for a visitor or a session.
    pub fn id(&self, now: f64, a: u32, b: u32, c: u32) -> String {
        id::uuid7(now, [a, b, c])
    }

    /// Takes the next place in the session whose last event was number `seq` at `last`, and returns its number: 1 when
    /// a new session begins.
    pub fn session(&mut self, seq: f64, last: f64, now: f64) -> f64 {
        self.seq = session::next_seq(seq, last, now);
        self.seq as f64
    }

    /// Queues an event at the place that [`Core::session`] took, and returns its batch. `fields` is a JSON object with
    /// everything but what the core adds: id, time, number and consent.
    pub fn event(&mut self, fields: &str, now: f64, clock: f64, a: u32, b: u32, c: u32) -> u32 {
        let head = EventHead {
            now,
            random: [a, b, c],
            seq: self.seq,
            analytics: self.consent.mode == Mode::Full,
            ads: self.consent.ads,
        };
        self.queue.add(&head.with_fields(fields), clock)
    }

    /// Queues a batch that an earlier page stored.
    pub fn adopt(&mut self, events: &str, clock: f64) -> u32 {
        self.queue.adopt(events, clock)
    }

    /// The events of a batch, as they are stored.
    pub fn events(&self, batch: u32) -> String {
        self.queue.events(batch).to_owned()
    }

    /// Forgets a batch that another page took over.
    pub fn remove(&mut self, batch: u32) {
        self.queue.remove(batch);
    }

    /// Forgets the oldest batch while the queue is too large, and returns it.
    pub fn overflow(&mut self) -> u32 {
        self.queue.overflow().unwrap_or_default()
    }

    /// Milliseconds until [`Core::take`] has something; negative when only an event or an answer can change that.
    pub fn wait(&self, clock: f64) -> f64 {
        self.queue.wait(clock).unwrap_or(-1.0)
    }

    /// Takes the next batch to be sent.
    pub fn take(&mut self, clock: f64) -> u32 {
        self.queue.take(clock).unwrap_or_default()
    }

    /// Takes the next batch to be sent by a page that is going.
    pub fn take_leaving(&mut self, clock: f64) -> u32 {
        self.queue.take_leaving(clock).unwrap_or_default()
    }

    /// The body of the request that sends a batch. `head` is a JSON object with what is not the core's: write key,
    /// tracker, context.
    pub fn body(&self, batch: u32, now: f64, head: &str) -> String {
        envelope::batch(now, head, self.queue.events(batch))
    }

    /// Takes the answer to a batch: HTTP status (0 for no answer), `Retry-After` in seconds (0 for none). Returns 0 when
    /// the batch is kept to be sent again, 1 when the edge has it, 2 when the edge will never take it.
    pub fn settle(
        &mut self,
        batch: u32,
        status: u16,
        retry_after: f64,
        clock: f64,
        random: f64,
    ) -> u8 {
        self.queue.settle(batch, status, retry_after, clock, random) as u8
    }

    /// Says that the browser is online again.
    pub fn online(&mut self, clock: f64, random: f64) {
        self.queue.online(clock, random);
    }

    /// Says that the page came back from the back/forward cache.
    pub fn rewind(&mut self) {
        self.queue.rewind();
    }
}
