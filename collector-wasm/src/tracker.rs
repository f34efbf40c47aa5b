//! What the loader calls: one object that decides. It has no clock, no randomness, no storage, no network and no text;
//! what it needs of them comes in as numbers and goes out as numbers, for a text that crosses into WASM is copied.
//! `js/fallback.js` is the same object for pages that forbid WASM, and `vectors/core.json` holds the two together.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::consent::{self, Answer, Mode, Settings};
use crate::queue::Queue;
use crate::retry::Reply;
use crate::session;

/// The tracker's decisions for one page.
///
/// Arguments in common: `clock` are milliseconds of a clock that is never set back, `random` is a random number in 0..1.
/// Events and requests are called by numbers from 1; 0 stands for none.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Core {
    queue: Queue,
}

#[wasm_bindgen]
impl Core {
    /// A core with nothing queued.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// What counts of what the visitor said (0 nothing, 1 no, 2 yes), in the same numbers.
    pub fn answer(&self, global_privacy_control: bool, said: u8) -> u8 {
        consent::answer(global_privacy_control, Answer::from(said)) as u8
    }

    /// Decides what may be done from now on: 0 nothing, 1 send with ids that live as long as the page, 2 store too. What
    /// is queued goes when nothing may be done.
    ///
    /// `unasked` is what the shop's tag allows until the visitor chose, `refused` what it allows when the visitor said no
    /// (0, 1 or 2 likewise), `analytics` what counts of what the visitor said.
    pub fn consent(&mut self, unasked: u8, refused: u8, analytics: u8) -> u8 {
        let settings = Settings {
            unasked: Mode::from(unasked),
            refused: Mode::from(refused),
        };
        let mode = consent::mode(settings, Answer::from(analytics));
        if mode == Mode::Off {
            self.queue.clear();
        }
        mode as u8
    }

    /// The number of an event that happens at `now`, when the session's last one was `seq` at `last`: 1 begins a session.
    pub fn session(&self, seq: f64, last: f64, now: f64) -> f64 {
        session::next_seq(seq, last, now) as f64
    }

    /// Queues an event of so many bytes that waits since `since`, and returns its number. The least `rank` goes first
    /// when there are too many.
    pub fn add(&mut self, bytes: u32, rank: u8, since: f64) -> u32 {
        self.queue.add(bytes as usize, rank, since)
    }

    /// Forgets an event while the queue is too large, and returns it.
    pub fn overflow(&mut self) -> u32 {
        self.queue.overflow().unwrap_or_default()
    }

    /// Milliseconds until [`Core::take`] has something; negative when only an event or an answer can change that.
    pub fn wait(&self, clock: f64) -> f64 {
        self.queue.wait(clock).unwrap_or(-1.0)
    }

    /// Puts events into the next request.
    pub fn take(&mut self, clock: f64) -> u32 {
        self.queue.take(clock).unwrap_or_default()
    }

    /// Puts events into the next request of a page that is going; `stored` says whether they outlive it.
    pub fn take_leaving(&mut self, clock: f64, stored: bool) -> u32 {
        self.queue.take_leaving(clock, stored).unwrap_or_default()
    }

    /// The first event of a request whose number is above `after`.
    pub fn member(&self, request: u32, after: u32) -> u32 {
        self.queue.member(request, after).unwrap_or_default()
    }

    /// Takes the answer to a request: HTTP status (0 for no answer), whether the body is the edge's, `Retry-After` in
    /// seconds (0 for none). Returns whether its events are done with; otherwise they are sent again.
    pub fn settle(
        &mut self,
        request: u32,
        status: u16,
        is_edges: bool,
        retry_after: f64,
        clock: f64,
        random: f64,
    ) -> bool {
        let reply = Reply {
            status,
            is_edges,
            retry_after,
        };
        self.queue.settle(request, reply, clock, random)
    }

    /// How many requests failed in a row.
    pub fn failures(&self) -> u32 {
        self.queue.failures()
    }

    /// When the edge may be asked again.
    pub fn not_before(&self) -> f64 {
        self.queue.not_before()
    }

    /// Takes over what another page learnt: so many failures in a row, and that the edge is to be left in peace for so
    /// many milliseconds from now.
    pub fn back_off(&mut self, failures: u32, wait: f64, clock: f64) {
        self.queue.back_off(failures, wait, clock);
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
