//! Samples what is kept of what was refused: an enemy with a shop's public key can make as much of it as it likes.

/// What was refused, with its bytes.
#[derive(Debug, Clone, Copy)]
pub enum Refused<'a> {
    /// One event of a batch.
    Event(&'a [u8]),
    /// A whole body, because of its envelope.
    Body(&'a [u8]),
}

/// What one instance of the Worker keeps of one shop in a window.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    letters: u32,
    bytes: usize,
}

/// A body says what is wrong with a tag, and tags are few: some are enough.
const BODIES: Bounds = Bounds {
    letters: 20,
    bytes: 20 * crate::body::MAX_BODY_BYTES,
};

/// Events can be brought back by a replay, so an honest shop's should all be kept: 20 a second are a fiftieth of what
/// Confluent's smaller clusters take.
const EVENTS: Bounds = Bounds {
    letters: 1_200,
    bytes: 6_000_000,
};

/// Length of a window, in milliseconds.
const WINDOW_MS: i64 = 60_000;

/// Counts what was refused of one shop.
#[derive(Debug)]
pub struct Sampler {
    bodies: Kept,
    events: Kept,
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            bodies: Kept::new(BODIES),
            events: Kept::new(EVENTS),
        }
    }
}

impl Sampler {
    /// Whether what is refused `now`, in milliseconds since the epoch, is kept: then how many of its kind before it were not.
    pub fn take(&mut self, refused: Refused<'_>, now: i64) -> Option<u64> {
        match refused {
            Refused::Event(bytes) => self.events.take(bytes.len(), now),
            Refused::Body(bytes) => self.bodies.take(bytes.len(), now),
        }
    }
}

/// What was kept of one kind.
#[derive(Debug)]
struct Kept {
    bounds: Bounds,
    window: i64,
    letters: u32,
    bytes: usize,
    skipped: u64,
}

impl Kept {
    const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            window: 0,
            letters: 0,
            bytes: 0,
            skipped: 0,
        }
    }

    fn take(&mut self, bytes: usize, now: i64) -> Option<u64> {
        let window = now.div_euclid(WINDOW_MS);
        if window != self.window {
            self.window = window;
            (self.letters, self.bytes) = (0, 0);
        }
        let (letters, bytes) = (
            self.letters.saturating_add(1),
            self.bytes.saturating_add(bytes),
        );
        if letters > self.bounds.letters || bytes > self.bounds.bytes {
            self.skipped = self.skipped.saturating_add(1);
            return None;
        }
        (self.letters, self.bytes) = (letters, bytes);
        Some(std::mem::take(&mut self.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sampler: &mut Sampler, refused: Refused<'_>, now: i64) -> Vec<u64> {
        let taken = (0..1_500).filter_map(|_| sampler.take(refused, now));
        taken.collect()
    }

    #[test]
    fn some_of_each_minute_is_kept_and_the_next_says_how_many_were_not() {
        let mut sampler = Sampler::default();
        for (refused, bound) in [(Refused::Body(b"{"), 20), (Refused::Event(b"{}"), 1_200)] {
            assert_eq!(kept(&mut sampler, refused, 60_000), vec![0; bound]);
            assert_eq!(kept(&mut sampler, refused, 119_999), Vec::<u64>::new());
            let skipped = 3_000 - bound as u64;
            assert_eq!(sampler.take(refused, 120_000), Some(skipped));
            assert_eq!(sampler.take(refused, 120_000), Some(0));
        }
    }

    #[test]
    fn large_events_are_bounded_by_their_bytes_and_small_ones_still_have_room() {
        let mut sampler = Sampler::default();
        let large = vec![b'x'; 100_000];
        assert_eq!(kept(&mut sampler, Refused::Event(&large), 0), vec![0; 60]);
        let mut sampler = Sampler::default();
        let larger = vec![b'x'; 350_000];
        assert_eq!(kept(&mut sampler, Refused::Event(&larger), 0).len(), 17);
        assert_eq!(sampler.take(Refused::Event(b"{}"), 0), Some(1_483));
    }
}
