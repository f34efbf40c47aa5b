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
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::outgoing::Payload;
    use crate::outgoing::tests::{event, letter};

    const GOOD: &str = r#"{"error_code":200}"#;

    fn named(name: &str) -> Outgoing {
        event(name, &format!("\"{name}\""))
    }

    fn name(record: &Outgoing) -> String {
        match record {
            Outgoing::Event(event) => event.key.clone(),
            Outgoing::DeadLetter(letter) => match (&letter.key, &letter.value) {
                (Some(key), _) => key.clone(),
                (None, Payload::Json(json)) => json.get().to_owned(),
                (None, Payload::Base64(text)) => text.clone(),
            },
        }
    }

    /// A gateway that gives answers in order and writes down what it was sent.
    struct Script<F> {
        answer: F,
        calls: RefCell<Vec<String>>,
    }

    impl<F: Fn(usize, usize) -> CallAnswer> Sink for Script<F> {
        async fn call(&self, topic: Topic, records: Vec<Rc<Outgoing>>) -> CallAnswer {
            let names: Vec<String> = records.iter().map(|record| name(record)).collect();
            let mut calls = self.calls.borrow_mut();
            calls.push(format!("{topic:?}: {}", names.join(" ")));
            (self.answer)(calls.len() - 1, records.len())
        }
    }

    struct Delivered {
        tally: Tally,
        calls: Vec<String>,
        states: Vec<bool>,
    }

    fn delivered_by(
        records: Vec<Outgoing>,
        answer: impl Fn(usize, usize) -> CallAnswer,
    ) -> Delivered {
        let calls = RefCell::new(Vec::new());
        let sink = Script { answer, calls };
        let mut deliveries: Vec<_> = records.into_iter().map(Delivery::new).collect();
        let mut all: Vec<_> = deliveries.iter_mut().collect();
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(tally) = pin!(deliver(&mut all, &sink)).poll(&mut context) else {
            panic!("the gateway answers at once")
        };
        Delivered {
            tally,
            calls: sink.calls.into_inner(),
            states: deliveries.iter().map(Delivery::is_delivered).collect(),
        }
    }

    /// Delivers to a gateway that gives these answers and no more.
    fn delivered(records: Vec<Outgoing>, answers: Vec<CallAnswer>) -> Delivered {
        delivered_by(records, |call, _| answers[call].clone())
    }

    fn counts(delivered: &Delivered) -> (usize, usize, usize) {
        let Tally {
            events,
            dead_letters,
            left,
            ..
        } = delivered.tally;
        (events, dead_letters, left)
    }

    fn reports(reports: &[&str]) -> CallAnswer {
        CallAnswer {
            status: Some(200),
            body: reports.concat().into_bytes(),
            ..CallAnswer::default()
        }
    }

    fn status(status: u16) -> CallAnswer {
        CallAnswer {
            status: Some(status),
            ..CallAnswer::default()
        }
    }

    fn events(names: &[&str]) -> Vec<Outgoing> {
        names.iter().map(|name| named(name)).collect()
    }

    #[test]
    fn each_topic_has_one_call() {
        let records = vec![letter("\"x\""), named("a"), named("b")];
        let done = delivered(records, vec![reports(&[GOOD, GOOD]), reports(&[GOOD])]);
        assert_eq!(done.calls, ["Events: a b", "DeadLetters: \"x\""]);
        assert_eq!(counts(&done), (2, 1, 0));
    }

    #[test]
    fn failed_record_is_left_and_the_others_are_not_sent_again() {
        let failed = r#"{"error_code":429,"message":"Request rate limit exceeded"}"#;
        let done = delivered(
            events(&["a", "b", "c"]),
            vec![reports(&[GOOD, failed, GOOD])],
        );
        assert_eq!(done.calls.len(), 1);
        assert_eq!(done.states, [true, false, true]);
        assert_eq!(done.tally.troubles.get("report 429"), Some(&1));
    }

    #[test]
    fn stream_that_ends_at_a_record_goes_on_without_it() {
        let too_large = r#"{"error_code":400,"message":"record too large"}"#;
        let answers = vec![
            reports(&[GOOD, too_large]),
            // The suspect comes last, so that it stops nobody.
            reports(&[GOOD, GOOD, too_large]),
            reports(&[GOOD]),
        ];
        let done = delivered(events(&["a", "b", "c", "d"]), answers);
        assert_eq!(
            done.calls,
            ["Events: a b c d", "Events: c d b", "DeadLetters: b"]
        );
        assert_eq!(counts(&done), (3, 1, 0));
    }

    #[test]
    fn record_refused_once_by_a_damaged_stream_is_delivered() {
        let damaged = r#"{"error_code":400,"message":"Bad Request: Error processing JSON"}"#;
        let done = delivered(events(&["a"]), vec![reports(&[damaged]), reports(&[GOOD])]);
        assert_eq!(done.calls, ["Events: a", "Events: a"]);
        assert_eq!(counts(&done), (1, 0, 0));
    }

    #[test]
    fn gateway_that_is_away_is_called_once() {
        for answer in [
            CallAnswer::default(),
            CallAnswer {
                is_late: true,
                ..reports(&[])
            },
            status(503),
            CallAnswer {
                body: b"<html>".to_vec(),
                retry_after: Some(9),
                ..status(429)
            },
        ] {
            let retry_after = answer.retry_after;
            let done = delivered(vec![named("a"), letter("\"x\"")], vec![answer]);
            assert_eq!((done.calls.len(), counts(&done)), (1, (0, 0, 2)));
            assert_eq!(done.tally.retry_after, retry_after);
        }
    }

    #[test]
    fn dead_letter_that_is_refused_is_kept() {
        let refused = reports(&[r#"{"error_code":400,"message":"too large"}"#]);
        let done = delivered(vec![letter("\"x\"")], vec![refused.clone(), refused]);
        assert_eq!((done.calls.len(), counts(&done)), (2, (0, 0, 1)));
    }

    #[test]
    fn connection_that_breaks_leaves_what_has_no_report() {
        let answers = vec![reports(&[GOOD]), CallAnswer::default()];
        let done = delivered(events(&["a", "b"]), answers);
        assert_eq!(done.calls, ["Events: a b", "Events: b"]);
        assert_eq!(done.states, [true, false]);
    }

    fn all_good(_: usize, records: usize) -> CallAnswer {
        reports(&vec![GOOD; records])
    }

    #[test]
    fn calls_are_cut_at_a_thousand_records() {
        let records = (0..2_001).map(|number| named(&number.to_string()));
        let done = delivered_by(records.collect(), all_good);
        let sizes = done.calls.iter().map(|call| call.split(' ').count() - 1);
        assert_eq!(sizes.collect::<Vec<_>>(), [1_000, 1_000, 1]);
        assert_eq!(counts(&done), (2_001, 0, 0));
    }

    #[test]
    fn calls_are_cut_at_ten_megabytes() {
        let large = format!("\"{}\"", "x".repeat(90_000));
        let records = (0..100).map(|number| event(&number.to_string(), &large));
        let done = delivered_by(records.collect(), all_good);
        let sizes = done.calls.iter().map(|call| call.split(' ').count() - 1);
        assert_eq!(sizes.collect::<Vec<_>>(), [83, 17]);
    }

    #[test]
    fn call_that_is_too_large_as_a_whole_is_split_until_it_passes() {
        let done = delivered_by(events(&["a", "b", "c", "d", "e"]), |call, records| {
            if records > 2 {
                status(413)
            } else {
                all_good(call, records)
            }
        });
        assert_eq!(
            done.calls,
            [
                "Events: a b c d e",
                "Events: a b",
                "Events: c d",
                "Events: e"
            ]
        );
        assert_eq!(counts(&done), (5, 0, 0));
    }

    #[test]
    fn record_that_is_too_large_alone_becomes_a_dead_letter() {
        let done = delivered_by(events(&["a"]), |call, records| {
            if call == 0 {
                status(413)
            } else {
                all_good(call, records)
            }
        });
        assert_eq!(done.calls, ["Events: a", "DeadLetters: a"]);
        assert_eq!(counts(&done), (0, 1, 0));
    }

    #[test]
    fn gateway_that_ends_every_stream_early_is_left_after_some_calls() {
        let records = (0..100).map(|number| named(&number.to_string()));
        let done = delivered_by(records.collect(), |_, _| reports(&[GOOD]));
        assert_eq!(done.calls.len(), 1 + MAX_EXTRA_CALLS);
        assert_eq!(counts(&done), (17, 0, 83));
    }
}
