use serde_json::json;

use super::*;

const QUEUE: &str = "events";

fn consumer() -> QueueConsumer {
    let settings = json!({
        "deliver_to": "", "max_batch_size": 2, "max_batch_timeout": 1, "max_retries": 1, "retry_delay": 60,
        "dead_letter_queue": "undelivered",
    });
    serde_json::from_value(settings).expect("a consumer")
}

fn sent(id: u64, due: i64) -> JournalEntry {
    JournalEntry::Sent {
        id,
        queue: QUEUE.to_owned(),
        at: due,
        due,
        format: "text".to_owned(),
        body: String::new(),
    }
}

fn backlog(due: &[i64]) -> Backlog {
    let mut backlog = Backlog::default();
    for (id, due) in (1..).zip(due) {
        backlog.apply(Place::default(), sent(id, *due));
    }
    backlog
}

fn result(text: serde_json::Value) -> HandlerResult {
    serde_json::from_value(text).expect("workerd's form")
}

#[test]
fn batch_goes_out_when_it_is_full_or_its_first_message_has_waited() {
    assert_eq!(backlog(&[]).next_delivery(QUEUE, &consumer()), None);
    assert_eq!(
        backlog(&[100]).next_delivery(QUEUE, &consumer()),
        Some(1_100)
    );
    assert_eq!(
        backlog(&[100, 300]).next_delivery(QUEUE, &consumer()),
        Some(300)
    );
    assert_eq!(
        backlog(&[100, 9_000]).next_delivery(QUEUE, &consumer()),
        Some(1_100)
    );
}

#[test]
fn large_messages_come_in_smaller_batches_but_each_of_them_comes() {
    let mut backlog = backlog(&[]);
    for id in 1..=4 {
        backlog.apply(Place::of_length(600_000), sent(id, 1));
    }
    backlog.apply(Place::of_length(2_000_000), sent(5, 1));
    let consumer = QueueConsumer {
        max_batch_size: Some(100),
        ..consumer()
    };
    for id in 1..=5 {
        assert_eq!(backlog.take(QUEUE, &consumer, 10), [id]);
    }
}

#[test]
fn message_is_in_one_delivery_at_a_time_and_comes_back_when_it_was_not_made() {
    let mut backlog = backlog(&[1, 2, 3, 400]);
    assert_eq!(backlog.take(QUEUE, &consumer(), 10), [1, 2]);
    assert_eq!(backlog.take(QUEUE, &consumer(), 10), [3]);
    assert!(backlog.take(QUEUE, &consumer(), 10).is_empty());
    assert!(backlog.is_busy(QUEUE, 10));
    backlog.release(&[1, 2]);
    assert_eq!(backlog.take(QUEUE, &consumer(), 10), [1, 2]);
}

#[test]
fn worker_decides_on_each_message() {
    let backlog = backlog(&[1, 2, 3]);
    let answer = result(json!({
        "outcome": "ok", "ackAll": false, "retryBatch": {"retry": false}, "explicitAcks": [message_id(1)],
        "retryMessages": [{"msgId": message_id(2), "delaySeconds": 7}],
    }));
    let entries = backlog.settle(&[1, 2, 3], &answer, &consumer(), 1_000);
    let failed = JournalEntry::Failed {
        id: 2,
        attempts: 1,
        due: 8_000,
    };
    assert_eq!(entries, [failed, JournalEntry::Done { ids: vec![1, 3] }]);
}

#[test]
fn what_an_exception_left_comes_again_after_the_queues_delay() {
    let backlog = backlog(&[1, 2]);
    let answer = result(json!({"outcome": "exception", "explicitAcks": [message_id(1)]}));
    let entries = backlog.settle(&[1, 2], &answer, &consumer(), 0);
    let failed = JournalEntry::Failed {
        id: 2,
        attempts: 1,
        due: 60_000,
    };
    assert_eq!(entries, [failed, JournalEntry::Done { ids: vec![1] }]);
}

#[test]
fn message_that_has_used_up_its_attempts_goes_to_the_dead_letter_queue() {
    let mut backlog = backlog(&[1]);
    for entry in backlog.settle(&[1], &HandlerResult::exception(), &consumer(), 0) {
        backlog.apply(Place::default(), entry);
    }
    let entries = backlog.settle(&[1], &HandlerResult::exception(), &consumer(), 0);
    let queue = "undelivered".to_owned();
    assert_eq!(entries, [JournalEntry::Moved { id: 1, queue }]);
    for entry in entries {
        backlog.apply(Place::default(), entry);
    }
    assert_eq!(backlog.metrics(QUEUE), BacklogMetrics::default());
    assert_eq!(backlog.metrics("undelivered").backlog_count, 1);
}
