//! The dead letters of a topic, judged again.

use std::collections::hash_map::Entry;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};
use shoptrail_edge::dead_letter::PREFIX;
use shoptrail_edge::replay::Letter;

use super::{DEAD_LETTERS, Events, ReplayArgs, ReplaySummary, identity, topic};
use crate::judging::Judging;

/// Reads the letters that are chosen, and returns the events that the contract accepts now.
///
/// # Errors
/// Returns an error if the topic cannot be read.
pub(super) fn read(
    args: &ReplayArgs,
    judging: &Judging,
    summary: &mut ReplaySummary,
) -> anyhow::Result<Events> {
    let name = format!("{}{DEAD_LETTERS}", args.kafka.topic);
    // A letter is in Kafka after the edge received it, never much before.
    let since = args.filter.since.map(|since| {
        since
            .timestamp_millis()
            .saturating_sub(super::CLOCKS_APART_MS)
    });
    let mut events = Events::new();
    topic::read(&args.kafka, &name, since, |message| {
        let value = message.payload().unwrap_or_default();
        let letter = Letter::read(|name| header(message, name), value);
        if args
            .filter
            .chooses(&letter, message.timestamp().to_millis())
        {
            summary.letters += 1;
            judge(&letter, judging, summary, &mut events);
        }
    })?;
    Ok(events)
}

fn judge(letter: &Letter<'_>, judging: &Judging, summary: &mut ReplaySummary, events: &mut Events) {
    let again = match letter.judge(&judging.rules, &judging.privacy, judging.max_age_ms) {
        Ok(again) => again,
        Err(cause) => {
            tracing::debug!(
                reject.code = letter.code,
                "letter left where it is: {cause}"
            );
            summary.not_replayable += 1;
            return;
        }
    };
    for code in again.refused {
        let count = summary
            .refused_again
            .entry(code.as_str().to_owned())
            .or_default();
        *count += 1;
    }
    for event in again.accepted {
        match events.entry(identity(&event)) {
            Entry::Vacant(place) => drop(place.insert(event)),
            // Sent twice, refused twice.
            Entry::Occupied(_) => summary.already_there += 1,
        }
    }
}

/// Returns one of our headers, by its name without the prefix.
fn header<'m>(message: &'m BorrowedMessage<'_>, name: &str) -> Option<&'m str> {
    let found = message
        .headers()?
        .iter()
        .find(|header| header.key.strip_prefix(PREFIX) == Some(name))?;
    std::str::from_utf8(found.value?).ok()
}
