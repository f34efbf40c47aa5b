//! What the Worker could not hand to Kafka comes back from Cloudflare's queue to a real Apache Kafka, and only once.

use std::rc::Rc;

use axum::http::StatusCode;
use serde_json::json;
use serde_json::value::RawValue;
use shoptrail_backend::replay::undelivered::{self, UndeliveredSummary};
use shoptrail_backend::replay::{CloudflareArgs, Filter, ReplayArgs};
use shoptrail_edge::outgoing::{Common, DeadLetter, Outgoing, OutgoingEvent, Payload};
use shoptrail_edge::queue_message;

use super::pull_api::{ACCOUNT, FakePullApi, QUEUE, TOKEN};
use super::replay::{self, RECEIVED_AT, event, of_shop, records, topics, values};

fn args(topic: &str, api: &FakePullApi, filter: Filter) -> ReplayArgs {
    ReplayArgs {
        undelivered: true,
        cloudflare: CloudflareArgs {
            cloudflare_account: Some(ACCOUNT.to_owned()),
            cloudflare_queue: Some(QUEUE.to_owned()),
            cloudflare_api_token: Some(TOKEN.to_owned()),
            cloudflare_endpoint: api.endpoint.parse().unwrap(),
        },
        ..replay::args(topic, filter)
    }
}

async fn brought_back(args: &ReplayArgs) -> UndeliveredSummary {
    undelivered::run(args).await.unwrap()
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap()
}

/// The queue message of a batch, as the Worker packs it: events by their numbers, and what was refused.
fn message(shop: &str, events: &[u32], refused: Option<&str>) -> String {
    let edge = json!({"received_at": RECEIVED_AT.parse::<i64>().unwrap(), "shop_id": shop, "schema_version": 2,
        "device": "desktop", "browser": "Chrome", "os": "Linux", "bot_score": 0, "bot_reasons": []});
    let batch = json!({"sent_at": 1_795_392_000_100_i64, "tracker": {"name": "t", "version": "1"}});
    let common = Rc::new(Common {
        batch: raw(batch.to_string()),
        edge: raw(edge.to_string()),
    });
    let events = events.iter().map(|number| {
        Outgoing::Event(OutgoingEvent {
            common: Rc::clone(&common),
            key: "visitor".to_owned(),
            event: event(*number).into(),
            derived: "{}".into(),
        })
    });
    let refused = refused.map(|value| {
        Outgoing::DeadLetter(DeadLetter {
            key: None,
            headers: vec![("shoptrail.code".to_owned(), "missing".to_owned())],
            value: Payload::Json(raw(value.to_owned())),
            common: Some(Rc::clone(&common)),
        })
    });
    let packed = queue_message::pack(events.chain(refused).collect(), 0).unwrap();
    packed.sendings[0][0].text.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn undelivered_records_come_back_once_and_are_acknowledged() {
    let topic = "undelivered_once";
    topics(topic).await;
    let api = FakePullApi::start().await;
    for (body, content_type) in [
        (message("demo", &[1, 2], Some(r#"{"seq":1}"#)), "bytes"),
        (message("demo", &[2], None), "bytes"),
        (message("other", &[3], None), "bytes"),
        ("of somebody else".to_owned(), "text"),
        ("of the runtime".to_owned(), "v8"),
    ] {
        api.queue().send(&body, content_type);
    }
    let dry = ReplayArgs {
        dry_run: true,
        ..args(topic, &api, of_shop("demo"))
    };
    let expected = UndeliveredSummary {
        messages: 2,
        replayed: 2,
        already_there: 1,
        dead_letters: 1,
        not_readable: 1,
    };
    assert_eq!(brought_back(&dry).await, expected);
    assert_eq!(
        (records(topic, 0).len(), api.queue().messages.len()),
        (0, 5)
    );
    assert_eq!(
        brought_back(&args(topic, &api, of_shop("demo"))).await,
        expected
    );
    assert_eq!(api.queue().messages.len(), 3);
    let [(key, _, record), _] = &records(topic, 2)[..] else {
        panic!("two records")
    };
    assert_eq!(
        (key.as_str(), record.edge.shop_id.as_str()),
        ("visitor", "demo")
    );
    assert_eq!(record.edge.received_at.to_string(), RECEIVED_AT);
    assert_eq!(values(&format!("{topic}.dlq")), [r#"{"seq":1}"#]);

    let rest = brought_back(&args(topic, &api, Filter::default())).await;
    assert_eq!((rest.messages, rest.replayed, rest.dead_letters), (2, 1, 1));
    let dead_letters = values(&format!("{topic}.dlq"));
    assert_eq!(dead_letters, [r#"{"seq":1}"#, "of somebody else"]);
    let attempts: Vec<u32> = api
        .queue()
        .messages
        .iter()
        .map(|left| left.attempts)
        .collect();
    assert_eq!(attempts, [3], "each replay takes a message once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_has_is_not_sent_again_after_an_acknowledgement_that_failed() {
    let topic = "undelivered_twice";
    topics(topic).await;
    let api = FakePullApi::start().await;
    api.queue().send(&message("demo", &[1], None), "bytes");
    let args = args(topic, &api, Filter::default());
    let refusal = ("ack", StatusCode::NOT_FOUND, 10_104);
    api.queue().refusals.push_back(refusal);
    assert!(undelivered::run(&args).await.is_err());
    assert_eq!(
        (records(topic, 1).len(), api.queue().messages.len()),
        (1, 1)
    );
    let again = brought_back(&args).await;
    assert_eq!(
        (again.messages, again.replayed, again.already_there),
        (1, 0, 1)
    );
    assert_eq!(
        (records(topic, 1).len(), api.queue().messages.len()),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_replay_that_was_killed_come_when_its_leases_end() {
    let topic = "undelivered_later";
    topics(topic).await;
    let api = FakePullApi::start().await;
    api.queue().send(&message("demo", &[1], None), "bytes");
    api.queue()
        .pull(&json!({"visibility_timeout_ms": 1_800_000}));
    let args = args(topic, &api, Filter::default());
    assert_eq!(brought_back(&args).await.messages, 0);
    api.queue().now_ms += 1_800_000;
    assert_eq!(brought_back(&args).await.replayed, 1);
    assert_eq!(
        (records(topic, 1).len(), api.queue().messages.len()),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_the_same_id_in_another_shop_is_another_event() {
    let topic = "undelivered_of_two_shops";
    topics(topic).await;
    let api = FakePullApi::start().await;
    for shop in ["demo", "other", "third"] {
        api.queue().send(&message(shop, &[1], None), "bytes");
    }
    let first = brought_back(&args(topic, &api, of_shop("demo"))).await;
    let rest = brought_back(&args(topic, &api, Filter::default())).await;
    assert_eq!((first.replayed, rest.replayed), (1, 2));
    assert_eq!(rest.already_there, 0);
    let records = records(topic, 3);
    let mut shops: Vec<&str> = records
        .iter()
        .map(|(_, _, record)| record.edge.shop_id.as_str())
        .collect();
    shops.sort_unstable();
    assert_eq!(shops, ["demo", "other", "third"]);
}

/// What a replay holds is free again before it has pulled all.
#[tokio::test(flavor = "multi_thread")]
async fn messages_whose_leases_end_meanwhile_are_taken_once() {
    let topic = "undelivered_slowly";
    topics(topic).await;
    let api = FakePullApi::start().await;
    for _ in 0..250 {
        api.queue().send(&message("demo", &[1], None), "bytes");
    }
    api.queue().pull_ms = 600_000;
    let dry = ReplayArgs {
        dry_run: true,
        ..args(topic, &api, Filter::default())
    };
    let others = args(topic, &api, of_shop("other"));
    let (dry, others) = (brought_back(&dry).await, brought_back(&others).await);
    assert_eq!((dry.messages, others.messages), (250, 0));
    assert_eq!(api.queue().messages.len(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_given_back_where_kafka_does_not_take_them() {
    let api = FakePullApi::start().await;
    api.queue().send(&message("demo", &[1], None), "bytes");
    let args = args("never_made", &api, Filter::default());
    for attempts in 1..=2 {
        let error = undelivered::run(&args).await.unwrap_err();
        assert!(error.to_string().contains("never_made"), "{error}");
        assert_eq!(api.queue().messages[0].attempts, attempts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_cloudflares_is_explained_and_a_passing_one_waited_for() {
    let api = FakePullApi::start().await;
    let args = args("never_made", &api, Filter::default());
    let busy = ("pull", StatusCode::TOO_MANY_REQUESTS, 10_250);
    api.queue().refusals.push_back(busy);
    assert_eq!(brought_back(&args).await, UndeliveredSummary::default());
    assert!(api.queue().refusals.is_empty());

    let refused = async |change: fn(&mut CloudflareArgs)| {
        let mut args = args.clone();
        change(&mut args.cloudflare);
        let error = undelivered::run(&args).await.unwrap_err();
        assert!(!format!("{error:?} {args:?}").contains(TOKEN));
        error.to_string()
    };
    let token = refused(|args| args.cloudflare_api_token = Some("wrong".to_owned())).await;
    assert!(
        token.contains("(10000)") && token.contains("Queues: Edit"),
        "{token}"
    );
    let queue = refused(|args| args.cloudflare_queue = Some("misspelt".to_owned())).await;
    assert!(
        queue.contains("(10104)") && queue.contains("hint: "),
        "{queue}"
    );
    let unset = refused(|args| args.cloudflare_account = None).await;
    assert!(unset.contains("SHOPTRAIL_CLOUDFLARE_ACCOUNT_ID"), "{unset}");
}
