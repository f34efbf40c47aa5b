//! Delivery into Kafka by Confluent's REST Produce v3: one streaming call for many records, one report for each record.
//!
//! HTTP 200 says that the gateway listens, not that Kafka has anything: only a record's own report does. Reports come in the
//! order of the records. There is no idempotency key, so what is sent again may arrive twice; the event's id tells.
//! Source: Confluent Cloud API documentation, "Produce records", streaming mode.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::outgoing::{Outgoing, Topic};
use answer::{CallAnswer, RecordResult};
use delivery::Delivery;

pub mod answer;
#[cfg(target_arch = "wasm32")]
pub mod confluent;
pub mod delivery;
pub mod request;

/// Most records of one call: what Confluent's smaller clusters take in a second.
const MAX_CALL_RECORDS: usize = 1_000;

/// Most bytes of one call: what Confluent's smaller clusters take in a second. It bounds the memory of a call as well.
const MAX_CALL_BYTES: usize = 10_000_000;

/// Most calls of one delivery beyond those that its size needs. Two are usual; a gateway that ends its stream at every
/// second record is left to the next delivery.
const MAX_EXTRA_CALLS: usize = 16;

/// A way into Kafka.
pub trait Sink {
    /// Makes one call for records of one topic. Every failure is an answer that reports less.
    fn call(&self, topic: Topic, records: Vec<Rc<Outgoing>>) -> impl Future<Output = CallAnswer>;
}

/// What a delivery came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many records are in the events' topic now.
    pub events: usize,
    /// How many are in the dead letters' topic now.
    pub dead_letters: usize,
    /// How many are not in Kafka.
    pub left: usize,
    /// How long the gateway asks to wait, in seconds.
    pub retry_after: Option<u32>,
    /// What went wrong, counted by kind: for the log.
    pub troubles: BTreeMap<String, usize>,
}

/// Delivers records: the good ones first, then the dead letters together with what Kafka will not take.
pub async fn deliver(deliveries: &mut [&mut Delivery], sink: &impl Sink) -> Tally {
    let mut tally = Tally::default();
    let mut calls = Calls::new(deliveries.len());
    for topic in [Topic::Events, Topic::DeadLetters] {
        if !calls.send(topic, deliveries, sink, &mut tally).await {
            break;
        }
    }
    for delivery in deliveries {
        let count = match (delivery.is_delivered(), delivery.record.topic()) {
            (false, _) => &mut tally.left,
            (true, Topic::Events) => &mut tally.events,
            (true, Topic::DeadLetters) => &mut tally.dead_letters,
        };
        *count = count.saturating_add(1);
    }
    tally
}

/// How large calls may be and how many there may still be.
struct Calls {
    records: usize,
    bytes: usize,
    left: usize,
}

impl Calls {
    fn new(records: usize) -> Self {
        let needed = records.div_ceil(MAX_CALL_RECORDS);
        Self {
            records: MAX_CALL_RECORDS,
            bytes: MAX_CALL_BYTES,
            left: needed.saturating_add(MAX_EXTRA_CALLS),
        }
    }

    /// Sends records to one topic until each is delivered or refused, or calls no longer help. Returns whether another
    /// topic's calls may fare better.
    async fn send(
        &mut self,
        topic: Topic,
        deliveries: &mut [&mut Delivery],
        sink: &impl Sink,
        tally: &mut Tally,
    ) -> bool {
        while self.left > 0 {
            self.left = self.left.saturating_sub(1);
            let mut sent = self.next(topic, deliveries);
            if sent.is_empty() {
                return true;
            }
            let records = sent.iter().map(|delivery| Rc::clone(&delivery.record));
            let answer = sink.call(topic, records.collect()).await;
            if answer.is_too_large() {
                tally.note(&answer, &[]);
                self.shrink(&mut sent);
                continue;
            }
            let results = answer.results(sent.len());
            tally.note(&answer, &results);
            let mut learned = false;
            for (delivery, result) in sent.iter_mut().zip(&results) {
                learned |= delivery.learn(result);
            }
            if answer.trouble().is_some() {
                return false;
            }
            if !learned {
                return true;
            }
        }
        true
    }

    /// Returns what to send next: suspects come last.
    fn next<'a>(&self, topic: Topic, deliveries: &'a mut [&mut Delivery]) -> Vec<&'a mut Delivery> {
        let pending = deliveries
            .iter_mut()
            .filter(|delivery| delivery.is_pending(topic));
        let (suspects, first): (Vec<_>, Vec<_>) =
            pending.partition(|delivery| delivery.is_suspect());
        let mut bytes: usize = 0;
        let mut next: Vec<&mut Delivery> = Vec::new();
        for delivery in first.into_iter().chain(suspects) {
            bytes = bytes.saturating_add(delivery.bytes());
            let has_room = bytes <= self.bytes && next.len() < self.records;
            if !has_room && !next.is_empty() {
                break;
            }
            next.push(delivery);
        }
        next
    }

    /// Halves the calls after one that was too large; a record that is too large alone is refused.
    fn shrink(&mut self, sent: &mut [&mut Delivery]) {
        if let [only] = sent {
            only.refuse("the call for this record alone is too large for the gateway");
            return;
        }
        let bytes: usize = sent.iter().map(|delivery| delivery.bytes()).sum();
        self.records = sent.len().div_ceil(2);
        self.bytes = bytes.div_ceil(2);
    }
}

impl Tally {
    /// Returns what the log says of it.
    #[must_use]
    pub fn fields(&self) -> serde_json::Value {
        serde_json::json!({
            "records.delivered": self.events,
            "records.dead_letters": self.dead_letters,
            "records.left": self.left,
            "kafka.troubles": self.troubles,
        })
    }

    fn note(&mut self, answer: &CallAnswer, results: &[RecordResult]) {
        self.retry_after = self.retry_after.max(answer.retry_after);
        let call = answer.trouble();
        let records = results.iter().filter_map(RecordResult::trouble);
        for trouble in call.into_iter().chain(records) {
            let count = self.troubles.entry(trouble).or_default();
            *count = count.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests;
