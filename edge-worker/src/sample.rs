//! Samples what is kept of refused bodies: an enemy with a shop's public key can make as many as it likes.

/// Most refused bodies of one shop that one instance of the Worker keeps in a window.
const MAX_KEPT: u32 = 20;

/// Length of a window, in milliseconds.
const WINDOW_MS: i64 = 60_000;

/// Counts the refused bodies of one shop.
#[derive(Debug, Default)]
pub struct Sampler {
    window: i64,
    kept: u32,
    skipped: u64,
}

impl Sampler {
    /// Whether a body that is refused `now`, in milliseconds since the epoch, is kept: then how many before it were not.
    pub fn take(&mut self, now: i64) -> Option<u64> {
        let window = now.div_euclid(WINDOW_MS);
        if window != self.window {
            self.window = window;
            self.kept = 0;
        }
        if self.kept >= MAX_KEPT {
            self.skipped = self.skipped.saturating_add(1);
            return None;
        }
        self.kept = self.kept.saturating_add(1);
        Some(std::mem::take(&mut self.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_bodies_of_each_minute_are_kept_and_the_next_says_how_many_were_not() {
        let mut sampler = Sampler::default();
        let kept = |sampler: &mut Sampler, now| {
            (0..50)
                .filter_map(|_| sampler.take(now))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&mut sampler, 60_000), vec![0; 20]);
        assert_eq!(kept(&mut sampler, 119_999), Vec::<u64>::new());
        assert_eq!(sampler.take(120_000), Some(80));
        assert_eq!(sampler.take(120_000), Some(0));
    }
}
