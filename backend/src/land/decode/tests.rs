use shoptrail_edge::outgoing::Outgoing;
use shoptrail_edge::privacy::Subject;
use shoptrail_edge::replay::Letter;

use super::*;
use crate::judging::JudgingArgs;

const RECORD: &str = r#"{"event":{"event_id":"01a205b3-d000-739b-aea5-966c26f8ad91","event_type":"page_view",
        "event_timestamp":1795392000000,"seq":1,"anonymous_id":"a","session_id":"s","page_url":"https://shop.example/",
        "consent":{"analytics":"granted","ads":"denied"}},"batch":{"sent_at":1795392000100,"tracker":{"name":"t","version":"1"}},
        "edge":{"received_at":1795392000200,"shop_id":"demo","schema_version":1,"device":"desktop","browser":"Chrome",
        "os":"Linux","bot_score":0,"bot_reasons":[]}}"#;

fn decode(value: &[u8]) -> Result<Decoded<'_>, Refusal> {
    super::decode(value, &Judging::default())
}

#[test]
fn record_in_wire_format_is_read_and_kept_as_it_came() {
    let value = wire::encode(7, RECORD.as_bytes());
    let decoded = decode(&value).unwrap();
    assert_eq!(
        (decoded.schema_id, decoded.text),
        (7, Cow::Borrowed(RECORD))
    );
}

#[test]
fn landed_record_tells_what_its_text_tells() {
    let value = wire::encode(7, RECORD.as_bytes());
    let landed = decode(&value).unwrap().understood;
    let read = Understood::read(RECORD, &Judging::default());
    assert_eq!(read.ok(), landed);
    assert!(landed.is_some());
}

/// The record that an edge with these settings makes of an event.
fn of_the_edge(event: &str, judging: &Judging) -> String {
    let text = with_event(event);
    let record: Record<&RawValue> = serde_json::from_str(&text).unwrap();
    let circumstances = judging.circumstances(&record.edge);
    let judged = circumstances
        .judge_events(&[event.as_bytes()], &record.batch, |_| None)
        .unwrap();
    let [Outgoing::Event(accepted)] = &judged.records[..] else {
        panic!("{judged:?}")
    };
    accepted.record()
}

/// What an event tells by way of that edge.
fn by_the_edge(event: &str, judging: &Judging) -> Understood {
    Understood::read(&of_the_edge(event, judging), judging).unwrap()
}

/// What it tells by way of a dead letter.
fn by_a_replay(event: &str, has_consent: bool, judging: Judging) -> Understood {
    let text = with_event(event);
    let record: Record<&RawValue> = serde_json::from_str(&text).unwrap();
    let subject = Subject {
        shop_id: &record.edge.shop_id,
        keeps_user_id: has_consent,
    };
    let kept = judging
        .privacy
        .clean_refused(event.as_bytes(), subject)
        .into_owned();
    let letter = Letter {
        code: "missing",
        batch: Some(&serde_json::to_string(&record.batch).unwrap()),
        edge: Some(&serde_json::to_string(&record.edge).unwrap()),
        value: &kept,
        ..Letter::default()
    };
    let judging = judging.again();
    let again = letter
        .judge(&judging.rules, &judging.privacy, judging.max_age_ms)
        .unwrap();
    Understood::read(&again.accepted[0].record, &judging).unwrap()
}

#[test]
fn event_tells_the_same_on_every_road_under_the_same_settings() {
    let args = JudgingArgs {
            rules: Some(
                r#"{"sources":{"prices.example":"email"},"shops":{"demo":{"sources":{"prices.example":"shopping"}}}}"#
                    .to_owned(),
            ),
            privacy: Some(
                r#"{"fields":{"anonymous_id":"hash","user_id":"hash","demographics":"drop"},"query_parameters":["shade"]}"#
                    .to_owned(),
            ),
            hash_key: Some("0123456789abcdef0123456789abcdef".to_owned()),
            ..JudgingArgs::default()
        };
    let judging = args.read().unwrap();
    let (start, _) = RECORD.split_once(r#","batch""#).unwrap();
    let (_, event) = start.split_once(r#""event":"#).unwrap();
    for has_consent in [true, false] {
        let consent = if has_consent { "granted" } else { "denied" };
        let event = event
                .replace(r#""analytics":"granted""#, &format!(r#""analytics":"{consent}""#))
                .replace(
                    r#""https://shop.example/""#,
                    r#""https://shop.example/?shade=red&token=s3cret","referrer_url":"https://www.prices.example/",
                    "user_id":"c-42","page_title":"for jo@x.example","demographics":{"gender":"f"}"#,
                );
        let at_the_edge = by_the_edge(&event, &judging);
        let bare = with_event(&event);
        let value = wire::encode(1, bare.as_bytes());
        let landed = super::decode(&value, &judging).unwrap();
        assert_eq!(landed.understood.as_ref(), Some(&at_the_edge));
        assert_eq!(
            Understood::read(&landed.text, &judging).unwrap(),
            at_the_edge
        );
        assert_eq!(Understood::read(&bare, &judging).unwrap(), at_the_edge);
        let replayed = by_a_replay(&event, has_consent, args.read().unwrap());
        assert_eq!(replayed, at_the_edge);

        let text = landed.text;
        assert!(text.contains(r#""channel":"Organic Shopping""#), "{text}");
        assert!(text.contains("shade=red"), "{text}");
        for gone in ["s3cret", "c-42", "jo@", "gender"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }
}

#[test]
fn warning_about_what_stays_as_it_is_does_not_come_twice() {
    let (start, _) = RECORD.split_once(r#","batch""#).unwrap();
    let (_, event) = start.split_once(r#""event":"#).unwrap();
    let event = event.replace(
        r#""page_view""#,
        r#""purchase","transaction_id":"o","currency":"EUR","value":18.5,
            "items":[{"item_id":"cheese","price":10,"quantity":1.85}]"#,
    );
    let judging = Judging::default();
    let text = of_the_edge(&event, &judging);
    assert!(text.contains("decimal_quantity"), "{text}");
    let value = wire::encode(1, text.as_bytes());
    let landed = super::decode(&value, &judging).unwrap();
    assert_eq!(landed.text, text);
    assert_eq!(
        landed.understood,
        Some(Understood::read(&text, &judging).unwrap())
    );
}

#[test]
fn event_that_needs_repair_is_kept_repaired_and_says_so() {
    let record = RECORD.replace(r#""seq":1"#, r#""seq":1,"user_id":"undefined""#);
    let value = wire::encode(7, record.as_bytes());
    let kept = decode(&value).unwrap().text;
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert!(kept["event"]["user_id"].is_null(), "{kept}");
    assert_eq!(kept["edge"]["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(kept["batch"]["sent_at"], 1_795_392_000_100_i64);
}

#[test]
fn panic_over_a_record_refuses_it_and_stops_nothing() {
    let refused = caught::<()>(|| panic!("a library's fault")).unwrap_err();
    assert_eq!(refused.code, "unreadable");
    assert_eq!(caught(|| Ok(1)).unwrap(), 1);
}

#[test]
fn undecodable_record_says_what_and_where() {
    let refused = |value: &[u8]| {
        decode(value)
            .map_err(|refusal| (refusal.code, refusal.pointer))
            .unwrap_err()
    };
    assert_eq!(
        refused(b"\x01xxxxxx"),
        ("wire_format".to_owned(), String::new())
    );
    assert_eq!(
        refused(b"\0\0\0\0\x01\xff"),
        ("not_utf8".to_owned(), String::new())
    );
    assert_eq!(
        refused(&wire::encode(1, b"{}")),
        ("malformed_record".to_owned(), String::new())
    );
    let wrong = RECORD.replace("page_view", "no_such_type");
    let wrong = refused(&wire::encode(1, wrong.as_bytes()));
    assert_eq!(
        wrong,
        (
            "unknown_event_type".to_owned(),
            "/event/event_type".to_owned()
        )
    );
}

#[test]
fn corpus_gets_the_verdicts_it_names() {
    for (name, case) in corpus("valid") {
        let value = wire::encode(1, with_event(&case).as_bytes());
        assert!(decode(&value).is_ok(), "{name}");
    }
    for (name, case) in corpus("invalid") {
        let case: serde_json::Value = serde_json::from_str(&case).unwrap();
        // Some cases are texts that JSON cannot hold, and no record could hold them either.
        let Some(event) = case.get("event") else {
            continue;
        };
        let value = wire::encode(1, with_event(&event.to_string()).as_bytes());
        let refused = decode(&value).unwrap_err();
        let found = serde_json::json!({"code": refused.code, "pointer": refused.pointer.strip_prefix("/event")});
        assert!(
            case["verdict"].as_array().unwrap().contains(&found),
            "{name}: {found}"
        );
    }
}

fn corpus(kind: &str) -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/corpus/");
    let files = std::fs::read_dir(format!("{folder}{kind}"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let cases: Vec<_> = files
        .map(|file| {
            (
                file.display().to_string(),
                std::fs::read_to_string(&file).unwrap(),
            )
        })
        .collect();
    assert!(!cases.is_empty());
    cases
}

/// The example record with another event in it, received when the event happened.
fn with_event(event: &str) -> String {
    let (_, after) = RECORD.split_once(r#","batch""#).unwrap();
    let value: serde_json::Value = serde_json::from_str(event).unwrap();
    let happened = value["event_timestamp"].as_i64().filter(|ms| *ms >= 0);
    let happened = happened.unwrap_or(1_795_392_000_200).to_string();
    let after = after
        .replace("1795392000100", &happened)
        .replace("1795392000200", &happened);
    format!(r#"{{"event":{event},"batch"{after}"#)
}
