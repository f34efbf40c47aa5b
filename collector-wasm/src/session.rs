//! Sessions: a visit ends with 30 minutes without an event. Its events are numbered from 1 without holes, over all
//! pages of the visit, so that whoever counts can tell how many were lost.

/// A session ends when nothing happened for this long (milliseconds): what Google Analytics and Snowplow take too.
const IDLE_MS: f64 = 30.0 * 60.0 * 1000.0;

/// The greatest `seq` of the contract: the last integer that a JSON number holds exactly.
const LAST_SEQ: f64 = 9_007_199_254_740_991.0;

/// The number of an event that happens at `now`, when the last one of the session was `seq` at `last` (both
/// milliseconds since the epoch): 1 begins a new session. What is stored may be damaged; NaN stands for "not a number".
pub fn next_seq(seq: f64, last: f64, now: f64) -> u64 {
    // A clock set back by less than the idle time does not end a visit either.
    let goes_on = (now - last).abs() < IDLE_MS && (1.0..LAST_SEQ).contains(&seq);
    if goes_on { seq as u64 + 1 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_795_392_000_000.0;

    #[test]
    fn thirty_idle_minutes_end_a_session() {
        assert_eq!(next_seq(7.0, NOW - IDLE_MS + 1.0, NOW), 8);
        assert_eq!(next_seq(7.0, NOW - IDLE_MS, NOW), 1);
        assert_eq!(next_seq(7.0, NOW + 60_000.0, NOW), 8);
    }

    #[test]
    fn a_damaged_store_starts_a_new_session() {
        for (seq, last) in [
            (f64::NAN, NOW),
            (7.0, f64::NAN),
            (0.0, NOW),
            (-7.0, NOW),
            (1e300, NOW),
            (LAST_SEQ, NOW),
        ] {
            assert_eq!(next_seq(seq, last, NOW), 1, "{seq} {last}");
        }
        assert_eq!(next_seq(LAST_SEQ - 1.0, NOW, NOW), 9_007_199_254_740_991);
    }
}
