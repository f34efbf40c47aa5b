//! What becomes of a visit's events on their way: batches, slow networks, spells offline, repetitions.

use rand::Rng;
use rand::rngs::StdRng;

use super::calendar::{DAY, HOUR, MINUTE};
use super::plan::{Browser, Delivery, Step};

/// Most events of one batch.
const BATCH: usize = 8;
/// A tracker sends what it has before so long a pause.
const FLUSH_MS: i64 = MINUTE;
/// A tracker that saw no answer sends again after this time at least, when the first delivery has arrived by any road.
const AGAIN_AFTER: i64 = 3 * MINUTE;

/// Plans how the events of a visit get to Kafka.
pub fn plan(browser: &Browser, steps: &mut [Step], rng: &mut StdRng) {
    let Some(left) = steps.last().map(|step| step.at) else {
        return;
    };
    // What a clock that is off says of an event that waited long is not what the truth says of it.
    let is_right = browser.clock_ahead_ms == 0;
    let back_online = left + rng.random_range(HOUR..5 * DAY);
    let mut is_offline = false;
    let mut rest = steps;
    while !rest.is_empty() {
        let (batch, others) = rest.split_at_mut(batch_length(rest, rng));
        rest = others;
        is_offline |= is_right && rng.random_bool(0.01);
        let last = batch.last().map_or(left, |step| step.at);
        let sent_at = match is_offline {
            true => back_online,
            false => last + rng.random_range(300..2_500),
        };
        let sent = delivery(sent_at, is_right, rng);
        let again = rng.random_bool(0.04).then(|| {
            let later = AGAIN_AFTER + rng.random_range(0..6 * HOUR);
            delivery(sent_at + later, is_right, rng)
        });
        for step in batch {
            step.way.sent = sent;
            step.way.again = again;
            step.way.twice_after_days = rng.random_bool(0.01).then(|| rng.random_range(0..3));
        }
    }
}

fn batch_length(steps: &[Step], rng: &mut StdRng) -> usize {
    let most = rng.random_range(1..=BATCH).min(steps.len());
    let is_pause = |pair: &[Step]| pair[1].at - pair[0].at > FLUSH_MS;
    let before_pause = steps.windows(2).take(most - 1).position(is_pause);
    before_pause.map_or(most, |place| place + 1)
}

/// The way takes seconds, at times a minute or two; by a clock that is off it takes none, so that the corrected time is the
/// true one. Clocks that are right may differ a little.
fn delivery(sent_at: i64, is_right: bool, rng: &mut StdRng) -> Delivery {
    let wire = match rng.random_range(0..100) {
        _ if !is_right => 0,
        0 => rng.random_range(60_000..110_000),
        _ => rng.random_range(-1_000..6_000),
    };
    Delivery {
        sent_at,
        received_at: sent_at + wire,
    }
}
