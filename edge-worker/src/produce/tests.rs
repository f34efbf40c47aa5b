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

fn delivered_by(records: Vec<Outgoing>, answer: impl Fn(usize, usize) -> CallAnswer) -> Delivered {
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
