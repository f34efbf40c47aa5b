//! Throws mutated bodies at all that a stranger's bytes go through before they are durable: unpacking, the frame, the
//! privacy rules, the contract, dead letters, queue messages, produce objects. A panic ends it, and so does a rule that does
//! not hold.
//!
//! ```sh
//! cargo run --release -p shoptrail-edge --example fuzz -- [executions] [seed]
//! ```

use std::path::Path;

use shoptrail_edge::body;
use shoptrail_edge::enrich::{Geography, RequestTraits, enrich};
use shoptrail_edge::frame::Frame;
use shoptrail_edge::judge::{self, Circumstances, Finding, Verdict};
use shoptrail_edge::outgoing::{Outgoing, Topic};
use shoptrail_edge::privacy::{PrivacyRules, Subject};
use shoptrail_edge::produce::{answer::CallAnswer, request};
use shoptrail_edge::queue_message;
use shoptrail_edge::reply::HttpReply;
use shoptrail_schemas::Record;
use shoptrail_schemas::derive::Rules;

const NOW: i64 = 1_795_392_000_123;
const KEY: &str = "0123456789abcdef0123456789abcdef";
const PRIVACY: &str = r#"{"fields":{"user_id":"hash","demographics":"drop"}}"#;

/// What mutations put in: what parsers and rules stumble over.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"01",
    b"NaN",
    b"1e400",
    b"-0",
    b"\\ud83c",
    b"\\u0000",
    b"\xff",
    b"\xf0\x9f",
    b"jo@x.example",
    b"%40",
    b"4111 1111 1111 1111",
    b"https://",
    b"?token=1",
    b"#",
    b"//u:p@",
    b"\"events\":[",
    b"\"write_key\":",
    b"\"user_id\":",
    b"\"consent\":{\"analytics\":false}",
    b"\x1f\x8b\x08",
    b"  ",
    b"9007199254740993",
    b"0.1",
    b"\"4,245.42\"",
    b"utm_source=",
    b"&amp;",
    b"(at)",
    b"%2525",
    b"%3f",
    b"\"userId\":",
    b"\"context\":",
    b"\"quantity\":0",
    b"\"2026-11-23T00:00:00Z\"",
    b"\"\xe2\x82\xac5\"",
    b"\xef\xbc\x94",
    b"\xe2\x80\xa8",
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| {
        arguments
            .next()
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (executions, seed) = (number(100_000), number(1));
    let seeds = seeds();
    let privacy = PrivacyRules::read(Some(PRIVACY), Some(KEY)).expect("the rules are good");
    let mut random = Random(seed);
    let (mut accepted, mut rejected, mut refused) = (0_u64, 0_u64, 0_u64);
    for execution in 0..executions {
        let body = mutated(&seeds[random.below(seeds.len())], &mut random);
        match execute(&body, &privacy) {
            Some((good, bad)) => {
                accepted += good as u64;
                rejected += bad as u64;
            }
            None => refused += 1,
        }
        if (execution + 1) % 1_000_000 == 0 {
            println!("{} executions", execution + 1);
        }
    }
    println!(
        "{executions} executions from seed {seed}: {accepted} events accepted, {rejected} rejected, {refused} bodies refused"
    );
}

/// The contract's batches, and one around each of its examples.
fn seeds() -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/corpus");
    let read = |folder: &str| {
        let entries = std::fs::read_dir(corpus.join(folder)).expect("the corpus is there");
        let texts =
            entries.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file"));
        texts.collect::<Vec<_>>()
    };
    let mut seeds = read("batches");
    for event in read("valid") {
        let mut body = br#"{"write_key":"pk_demo","sent_at":1795392000000,"tracker":{"name":"n","version":"1"},"events":["#.to_vec();
        body.extend_from_slice(event.trim_ascii());
        body.extend_from_slice(b"]}");
        seeds.push(body);
    }
    seeds
}

fn mutated(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut body = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(body.len() + 1);
        let to = (at + random.below(12)).min(body.len());
        match random.below(6) {
            0 => drop(body.drain(at..to)),
            1 => body.truncate(at),
            2 => {
                let copy = body[at..to].to_vec();
                let place = random.below(body.len() + 1);
                body.splice(place..place, copy);
            }
            3 if at < body.len() => body[at] = random.next() as u8,
            4 => {
                body.splice(at..to, TOKENS[random.below(TOKENS.len())].iter().copied());
            }
            _ => {
                body.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied());
            }
        }
    }
    body
}

/// Runs one body through. Returns how many events were accepted and rejected, or nothing if the envelope is wrong.
fn execute(bytes: &[u8], privacy: &PrivacyRules) -> Option<(usize, usize)> {
    let body = body::unpack(bytes.to_vec()).ok()?;
    let frame = Frame::read(&body);
    let _ = frame.write_key(&body);
    let traits = RequestTraits {
        user_agent: std::str::from_utf8(&body).ok(),
        ..RequestTraits::default()
    };
    let edge = enrich("demo", NOW, &traits, Geography::default());
    let circumstances = Circumstances {
        edge: &edge,
        privacy,
        rules: &Rules::default(),
        max_age_ms: 604_800_000,
    };
    let judged = judge::judge(&body, &frame, circumstances, |_| Some(0))
        .expect("what is judged can be written");
    HttpReply::finding(&judged.finding)
        .body
        .expect("a reply has a body");
    let counts = match &judged.finding {
        Finding::Verdicts(verdicts) => {
            assert_eq!(
                verdicts.len(),
                judged.records.len(),
                "each event has a verdict and a record"
            );
            let good = verdicts
                .iter()
                .filter(|verdict| matches!(verdict, Verdict::Accepted { .. }))
                .count();
            Some((good, verdicts.len() - good))
        }
        Finding::BadEnvelope(rejections) => {
            assert!(!rejections.is_empty(), "a refusal has a reason");
            None
        }
    };
    judged.records.iter().for_each(check_record);
    let count = judged.records.len();
    let packed = queue_message::pack(judged.records, 0).expect("records can be packed");
    assert!(
        packed.oversized.is_empty(),
        "everything fits a queue message"
    );
    let messages = packed.sendings.iter().flatten();
    let opened = messages.map(|message| {
        queue_message::open(&message.text)
            .expect("a message opens")
            .records
            .len()
    });
    assert_eq!(opened.sum::<usize>(), count, "what is packed is opened");
    let answer = CallAnswer {
        status: Some(200),
        body,
        ..CallAnswer::default()
    };
    assert_eq!(answer.results(3).len(), 3, "each record has a result");
    counts
}

fn check_record(record: &Outgoing) {
    let mut object = String::new();
    request::write(&mut object, record, 1);
    serde_json::from_str::<serde_json::Value>(&object).expect("a produce object is JSON");
    let Outgoing::Event(event) = record else {
        assert_eq!(record.topic(), Topic::DeadLetters);
        return;
    };
    let written = event.record();
    serde_json::from_str::<Record>(&written).expect("a record is one of the contract's");
    let subject = Subject {
        shop_id: "demo",
        keeps_user_id: true,
    };
    let without_hash = PrivacyRules::default();
    let again = without_hash.clean(&event.event, subject);
    assert_eq!(again, &*event.event, "what was cleaned is clean");
}
