//! When a build that goes on runs again: when something landed, and, while nobody looks, not before it has rested.

use std::time::{Duration, Instant};

use crate::attention::Attention;
use crate::telemetry;
use crate::warehouse::{BronzeMark, Warehouse};

/// While nobody looks, building takes one part of this many, …
const REST_PARTS: u32 = 50;
/// … and the tables are no older than this.
const LONGEST_REST: Duration = Duration::from_secs(120);
/// A warehouse that cannot say cheaply whether something landed is asked at most this seldom while nothing does.
const LONGEST_DOUBT: Duration = Duration::from_secs(30);

/// The pace of one process.
#[derive(Debug)]
pub struct Pace {
    look: Duration,
    attention: Attention,
    /// Looks in a row that found nothing.
    in_vain: u32,
}

impl Pace {
    /// Looks for something new at the interval `look`.
    #[must_use]
    pub fn new(look: Duration, attention: Attention) -> Self {
        Self {
            look,
            attention,
            in_vain: 0,
        }
    }

    /// Waits after a run that took so long and read so many rows, until the next is due. `seen` is bronze's mark from before
    /// that run.
    pub async fn until_due(
        &mut self,
        warehouse: &dyn Warehouse,
        seen: Option<BronzeMark>,
        took: Duration,
        rows: usize,
    ) {
        self.in_vain = if rows == 0 { self.in_vain + 1 } else { 0 };
        let ended = Instant::now();
        loop {
            tokio::time::sleep(self.look).await;
            let mark = warehouse.bronze_mark();
            let has_news = mark.is_none() || mark != seen;
            if !has_news {
                telemetry::is_up_to_date();
            }
            let rest = match mark {
                None if rows == 0 => self.doubt(),
                _ => (took * REST_PARTS).min(LONGEST_REST),
            };
            if has_news && (self.attention.is_paid() || ended.elapsed() >= rest) {
                return;
            }
        }
    }

    fn doubt(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.in_vain);
        self.look.saturating_mul(doubled).min(LONGEST_DOUBT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_seldom_up_to_a_bound() {
        let mut pace = Pace::new(Duration::from_secs(1), Attention::default());
        let doubt = |in_vain| {
            pace.in_vain = in_vain;
            pace.doubt().as_secs()
        };
        assert_eq!([0, 1, 2, 3, 40].map(doubt), [1, 2, 4, 8, 30]);
    }
}
