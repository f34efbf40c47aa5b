//! Time: what the clocks of a browser and of the edge together say about when an event happened.
//!
//! Time on the wire is not a wrong clock. A browser whose clock agrees with ours keeps its own times; only a clock that is
//! clearly off is corrected, by how long the event waited until it was sent. Within a tracker's session `seq` decides the
//! order.

use crate::limits::{CLOCK_JUMP_MS, CLOCK_TOLERANCE_MS, ID_TOLERANCE_MS, MAX_AGE_MS};

/// What the clocks said about one batch. All in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// When the edge received the batch, by its own clock.
    pub received_at: i64,
    /// When the browser sent the batch, by the browser's clock.
    pub sent_at: i64,
    /// The oldest event that is accepted.
    pub max_age_ms: i64,
}

/// When an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// In milliseconds since the epoch.
    pub ms: i64,
    /// Whether the browser's clock was wrong.
    pub corrected: bool,
}

/// On which side of the bounds a moment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    TooOld,
    InFuture,
}

impl Clock {
    /// Returns a clock with the default age limit.
    #[must_use]
    pub const fn new(received_at: i64, sent_at: i64) -> Self {
        Self {
            received_at,
            sent_at,
            max_age_ms: MAX_AGE_MS,
        }
    }

    /// Returns when an event of the batch happened.
    pub(crate) fn moment(&self, event_timestamp: i64) -> Moment {
        let offset = self.received_at.saturating_sub(self.sent_at);
        let waited = self.sent_at.saturating_sub(event_timestamp);
        let agrees = offset.saturating_abs() <= CLOCK_TOLERANCE_MS;
        // A clock that was set between event and sending says nothing about how long the event waited.
        let was_set =
            !(0..=self.max_age_ms).contains(&waited) || self.has_jumped_ahead(event_timestamp);
        if agrees || was_set {
            return Moment {
                ms: event_timestamp,
                corrected: false,
            };
        }
        Moment {
            ms: self.received_at.saturating_sub(waited),
            corrected: true,
        }
    }

    /// Whether the clock was right when the event happened, and far ahead when it was sent. A clock that was ahead all the time
    /// says the same only of an event that waited as long as the clock is ahead, to the minute.
    fn has_jumped_ahead(&self, event_timestamp: i64) -> bool {
        let ahead = self.sent_at.saturating_sub(self.received_at);
        let ago = self.received_at.saturating_sub(event_timestamp);
        ahead >= CLOCK_JUMP_MS && (0..=CLOCK_TOLERANCE_MS).contains(&ago)
    }

    /// Returns why a moment cannot be that of an event of this batch.
    pub(crate) fn judge(&self, ms: i64) -> Option<Outside> {
        if ms < self.received_at.saturating_sub(self.max_age_ms) {
            Some(Outside::TooOld)
        } else if ms > self.received_at.saturating_add(CLOCK_TOLERANCE_MS) {
            Some(Outside::InFuture)
        } else {
            None
        }
    }
}

/// Whether a UUIDv7 was made when the event happened: both are by the browser's clock.
pub(crate) fn id_fits(event_id: &str, event_timestamp: i64) -> bool {
    let part = |digits| i64::from_str_radix(event_id.get(digits)?, 16).ok();
    let made_at = part(0..8)
        .zip(part(9..13))
        .map(|(high, low)| (high << 16) | low);
    made_at.is_some_and(|ms| ms.abs_diff(event_timestamp) <= ID_TOLERANCE_MS.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_392_000_000;
    const DAY: i64 = 86_400_000;
    const MINUTE: i64 = 60_000;

    fn moment(received_at: i64, sent_at: i64, event_timestamp: i64) -> (i64, bool) {
        let moment = Clock::new(received_at, sent_at).moment(event_timestamp);
        (moment.ms, moment.corrected)
    }

    #[test]
    fn time_on_the_wire_is_no_wrong_clock() {
        for on_the_way in [-2 * MINUTE, -1, 0, 4_000, 2 * MINUTE] {
            assert_eq!(moment(NOW + on_the_way, NOW, NOW - 500), (NOW - 500, false));
        }
    }

    #[test]
    fn clock_that_is_clearly_off_is_corrected_by_the_wait() {
        for off in [-400 * DAY, -2 * MINUTE - 1, 2 * MINUTE + 1, 3 * DAY] {
            assert_eq!(moment(NOW, NOW + off, NOW + off - 500), (NOW - 500, true));
        }
        let clock = Clock::new(NOW, NOW + DAY);
        assert_eq!(clock.moment(NOW + DAY).ms, NOW);
        assert_eq!(clock.moment(NOW + DAY - MAX_AGE_MS).ms, NOW - MAX_AGE_MS);
    }

    #[test]
    fn clock_that_was_set_between_event_and_sending_corrects_nothing() {
        assert_eq!(moment(NOW, NOW + 365 * DAY, NOW - 500), (NOW - 500, false));
        assert_eq!(moment(NOW, NOW - DAY, NOW - 500), (NOW - 500, false));
        assert_eq!(moment(NOW, NOW, 3_000), (3_000, false));
    }

    #[test]
    fn clock_that_jumped_ahead_after_the_event_makes_no_other_day() {
        const HOUR: i64 = 60 * MINUTE;
        for ahead in [HOUR, 5 * HOUR, DAY, 3 * DAY, MAX_AGE_MS - 500] {
            for ago in [0, 500, 2 * MINUTE] {
                assert_eq!(moment(NOW, NOW + ahead, NOW - ago), (NOW - ago, false));
            }
        }
        // Ahead all the time: sent at once, and after a wait that is no coincidence.
        assert_eq!(moment(NOW, NOW + DAY, NOW + DAY - 500), (NOW - 500, true));
        assert_eq!(
            moment(NOW, NOW + DAY, NOW - 5 * HOUR),
            (NOW - DAY - 5 * HOUR, true)
        );
        // A few minutes: clocks are often off so much, and events often wait so long.
        assert_eq!(
            moment(NOW, NOW + 5 * MINUTE, NOW - MINUTE),
            (NOW - 6 * MINUTE, true)
        );
    }

    #[test]
    fn event_that_waited_three_days_stays_on_its_day() {
        assert_eq!(moment(NOW, NOW, NOW - 3 * DAY), (NOW - 3 * DAY, false));
    }

    #[test]
    fn bounds_are_inclusive() {
        let clock = Clock::new(NOW, NOW);
        for (ms, outside) in [
            (NOW - MAX_AGE_MS - 1, Some(Outside::TooOld)),
            (NOW - MAX_AGE_MS, None),
            (NOW, None),
            (NOW + 2 * MINUTE, None),
            (NOW + 2 * MINUTE + 1, Some(Outside::InFuture)),
        ] {
            assert_eq!(clock.judge(ms), outside, "{ms}");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        for received_at in [i64::MIN, 0, i64::MAX] {
            for sent_at in [i64::MIN, 0, i64::MAX] {
                let clock = Clock::new(received_at, sent_at);
                for ms in [i64::MIN, 0, i64::MAX] {
                    let _ = clock.judge(clock.moment(ms).ms);
                }
            }
        }
    }

    #[test]
    fn ids_time_is_the_events() {
        let id = "01a205b3-d000-7000-8000-000000000001";
        assert!(id_fits(id, NOW));
        assert!(id_fits(id, NOW + ID_TOLERANCE_MS));
        assert!(id_fits(id, NOW - ID_TOLERANCE_MS));
        assert!(!id_fits(id, NOW + ID_TOLERANCE_MS + 1));
        assert!(!id_fits(id, NOW - ID_TOLERANCE_MS - 1));
        for id in ["", "01a205b3", "ä1a205b3-d000-7000", "01a205b3-d0"] {
            assert!(!id_fits(id, NOW), "{id}");
        }
    }
}
