//! Delivery into Kafka by Confluent's REST Produce v3: one streaming call for many records, one report for each record.
//!
//! HTTP 200 says that the gateway listens, not that Kafka has anything: only a record's own report does. Reports come in the
//! order of the records. There is no idempotency key, so what is sent again may arrive twice; the event's id tells.
//! Source: Confluent Cloud API documentation, "Produce records", streaming mode.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::dead_letter;
use crate::outgoing::{Outgoing, Topic};
use progress::{Fate, Progress};
use report::{Answer, Outcome};

#[cfg(target_arch = "wasm32")]
pub mod call;
pub mod progress;
pub mod report;
pub mod request;

/// Most calls for one topic in one delivery. Two are usual at most; a gateway that ends its stream at every second record
/// is left to the next delivery.
const MAX_CALLS: usize = 8;

/// What became of records.
#[derive(Debug, Default)]
pub struct Delivery {
    /// What became of each, by position.
    pub fates: Vec<Fate>,
    /// How many are in the events' topic now.
    pub delivered: usize,
    /// How many are in the dead letters' topic now.
    pub dead_letters: usize,
    /// How long the gateway asks to wait, in seconds.
    pub retry_after: Option<u32>,
    /// What went wrong, counted by kind: for the log.
    pub troubles: BTreeMap<String, usize>,
    /// Whether a call failed as a whole or took too long: another would not fare better now.
    gateway_is_away: bool,
}

impl Delivery {
    /// Nothing was delivered yet.
    #[must_use]
    pub fn none(records: usize) -> Self {
        Self {
            fates: vec![Fate::Left; records],
            ..Self::default()
        }
    }

    /// How many records are not in Kafka.
    #[must_use]
    pub fn left(&self) -> usize {
        self.fates
            .iter()
            .filter(|fate| **fate == Fate::Left)
            .count()
    }
}

/// Delivers records: the good ones first, then the dead letters together with what Kafka will not take. `call` makes one
/// call for one topic.
pub async fn deliver(
    records: &[Rc<Outgoing>],
    call: impl AsyncFn(Topic, Vec<Rc<Outgoing>>) -> Answer,
) -> Delivery {
    let mut delivery = Delivery::none(records.len());
    let (events, mut letters) = by_topic(records);
    let progress = delivery.send(Topic::Events, &events, &call).await;
    delivery.delivered = delivery.settle(&events, &progress);
    if delivery.gateway_is_away {
        return delivery;
    }
    for (sent, reason) in progress.refused() {
        if let Some((position, record)) = events.get(sent) {
            letters.push((
                *position,
                Rc::new(dead_letter::refused_by_kafka(record, reason)),
            ));
        }
    }
    let progress = delivery.send(Topic::DeadLetters, &letters, &call).await;
    delivery.dead_letters = delivery.settle(&letters, &progress);
    delivery
}

/// Records with their positions in the delivery.
type Placed = Vec<(usize, Rc<Outgoing>)>;

fn by_topic(records: &[Rc<Outgoing>]) -> (Placed, Placed) {
    records
        .iter()
        .cloned()
        .enumerate()
        .partition(|(_, record)| record.topic == Topic::Events)
}

impl Delivery {
    /// Sends records to one topic until each is delivered or refused, or calls no longer help.
    async fn send(
        &mut self,
        topic: Topic,
        records: &Placed,
        call: &impl AsyncFn(Topic, Vec<Rc<Outgoing>>) -> Answer,
    ) -> Progress {
        let mut progress = Progress::new(records.len());
        for _ in 0..MAX_CALLS {
            let sent = progress.pending();
            if sent.is_empty() {
                break;
            }
            let body = sent
                .iter()
                .filter_map(|index| records.get(*index))
                .map(|(_, record)| Rc::clone(record));
            let answer = call(topic, body.collect()).await;
            let outcomes = answer.outcomes(sent.len());
            self.note(&answer, &outcomes);
            if !progress.learn(&sent, &outcomes) || self.gateway_is_away {
                break;
            }
        }
        progress
    }

    /// Marks what is in Kafka now and returns how many that are.
    fn settle(&mut self, records: &Placed, progress: &Progress) -> usize {
        let mut settled: usize = 0;
        for index in progress.delivered() {
            let position = records.get(index).map(|(position, _)| *position);
            if let Some(fate) = position.and_then(|position| self.fates.get_mut(position)) {
                *fate = Fate::Settled;
                settled = settled.saturating_add(1);
            }
        }
        settled
    }

    fn note(&mut self, answer: &Answer, outcomes: &[Outcome]) {
        self.retry_after = self.retry_after.max(answer.retry_after);
        let call = answer.trouble();
        self.gateway_is_away |= call.is_some();
        for trouble in call
            .into_iter()
            .chain(outcomes.iter().filter_map(Outcome::trouble))
        {
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

    use serde_json::value::RawValue;

    use super::*;
    use crate::outgoing::Payload;

    const GOOD: &str = r#"{"error_code":200}"#;

    fn record(topic: Topic, name: &str) -> Rc<Outgoing> {
        let value = Payload::Json(RawValue::from_string(format!("\"{name}\"")).unwrap());
        Rc::new(Outgoing {
            topic,
            key: None,
            headers: Vec::new(),
            value,
        })
    }

    fn name(record: &Outgoing) -> String {
        match &record.value {
            Payload::Json(json) => json.get().trim_matches('"').to_owned(),
            Payload::Base64(text) => text.clone(),
        }
    }

    /// Delivers to a gateway that gives `answers` in order, and returns what each call was sent.
    fn delivered(records: &[Rc<Outgoing>], answers: Vec<Answer>) -> (Delivery, Vec<String>) {
        let answers = RefCell::new(answers.into_iter());
        let calls = RefCell::new(Vec::new());
        let call = async |topic: Topic, records: Vec<Rc<Outgoing>>| {
            let names: Vec<String> = records.iter().map(|record| name(record)).collect();
            calls
                .borrow_mut()
                .push(format!("{topic:?}: {}", names.join(" ")));
            answers
                .borrow_mut()
                .next()
                .expect("no more calls than answers")
        };
        let mut context = Context::from_waker(Waker::noop());
        let delivery = match pin!(deliver(records, call)).poll(&mut context) {
            Poll::Ready(delivery) => delivery,
            Poll::Pending => panic!("the gateway answers at once"),
        };
        (delivery, calls.into_inner())
    }

    fn reports(reports: &[&str]) -> Answer {
        Answer {
            status: Some(200),
            body: reports.concat().into_bytes(),
            ..Answer::default()
        }
    }

    fn events(names: &[&str]) -> Vec<Rc<Outgoing>> {
        names
            .iter()
            .map(|name| record(Topic::Events, name))
            .collect()
    }

    #[test]
    fn each_topic_has_one_call() {
        let records = [
            record(Topic::DeadLetters, "x"),
            record(Topic::Events, "a"),
            record(Topic::Events, "b"),
        ];
        let (delivery, calls) = delivered(&records, vec![reports(&[GOOD, GOOD]), reports(&[GOOD])]);
        assert_eq!(calls, ["Events: a b", "DeadLetters: x"]);
        assert_eq!(
            (delivery.delivered, delivery.dead_letters, delivery.left()),
            (2, 1, 0)
        );
    }

    #[test]
    fn failed_record_is_left_and_the_others_are_not_sent_again() {
        let failed = r#"{"error_code":429,"message":"Request rate limit exceeded"}"#;
        let (delivery, calls) = delivered(
            &events(&["a", "b", "c"]),
            vec![reports(&[GOOD, failed, GOOD])],
        );
        assert_eq!(calls.len(), 1);
        assert_eq!(delivery.fates, [Fate::Settled, Fate::Left, Fate::Settled]);
        assert_eq!(delivery.troubles.get("report 429"), Some(&1));
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
        let (delivery, calls) = delivered(&events(&["a", "b", "c", "d"]), answers);
        assert_eq!(
            calls,
            ["Events: a b c d", "Events: c d b", "DeadLetters: b"]
        );
        assert_eq!(
            (delivery.delivered, delivery.dead_letters, delivery.left()),
            (3, 1, 0)
        );
    }

    #[test]
    fn record_refused_once_by_a_damaged_stream_is_delivered() {
        let damaged = r#"{"error_code":400,"message":"Bad Request: Error processing JSON"}"#;
        let (delivery, calls) =
            delivered(&events(&["a"]), vec![reports(&[damaged]), reports(&[GOOD])]);
        assert_eq!(calls, ["Events: a", "Events: a"]);
        assert_eq!((delivery.delivered, delivery.dead_letters), (1, 0));
    }

    #[test]
    fn gateway_that_is_away_is_called_once() {
        let records = [record(Topic::Events, "a"), record(Topic::DeadLetters, "x")];
        for answer in [
            Answer::default(),
            Answer {
                is_late: true,
                ..reports(&[])
            },
            Answer {
                status: Some(503),
                ..Answer::default()
            },
            Answer {
                status: Some(429),
                body: b"<html>".to_vec(),
                retry_after: Some(9),
                is_late: false,
            },
        ] {
            let retry_after = answer.retry_after;
            let (delivery, calls) = delivered(&records, vec![answer]);
            assert_eq!(
                (calls.len(), delivery.left(), delivery.retry_after),
                (1, 2, retry_after)
            );
        }
    }

    #[test]
    fn dead_letter_that_is_refused_is_kept() {
        let refused = reports(&[r#"{"error_code":400,"message":"too large"}"#]);
        let (delivery, calls) = delivered(
            &[record(Topic::DeadLetters, "x")],
            vec![refused.clone(), refused],
        );
        assert_eq!((calls.len(), delivery.left()), (2, 1));
    }

    #[test]
    fn connection_that_breaks_leaves_what_has_no_report() {
        let (delivery, calls) = delivered(
            &events(&["a", "b"]),
            vec![reports(&[GOOD]), Answer::default()],
        );
        assert_eq!(calls, ["Events: a b", "Events: b"]);
        assert_eq!(delivery.fates, [Fate::Settled, Fate::Left]);
    }
}
