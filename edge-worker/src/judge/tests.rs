use super::*;
use crate::config::{rules, shops};
use crate::enrich::{Geography, RequestTraits, enrich};
use crate::outgoing::Payload;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;
use shoptrail_schemas::Record;
use shoptrail_schemas::limits::MAX_TITLE;

const NOW: i64 = 1_795_392_000_123;

fn event(fields: &str) -> String {
    format!(
        r#"{{"event_id":"01a205b3-d000-7000-8000-000000000001","event_type":"page_view","event_timestamp":1795392000000,"seq":1,"anonymous_id":"visitor","session_id":"s","page_url":"https://shop.example/"{fields}}}"#
    )
}

const GRANTED: &str = r#","consent":{"analytics":"granted","ads":"denied"}"#;

fn good() -> String {
    event(GRANTED)
}

fn judged_with(events: &str, gpc: bool) -> Judged {
    judged_under(&PrivacyRules::default(), events, gpc)
}

fn judged_under(privacy: &PrivacyRules, events: &str, gpc: bool) -> Judged {
    let body = format!(
        r#"{{"write_key":"pk_demo","sent_at":{NOW},"tracker":{{"name":"shoptrail-js","version":"0.1.0"}},"events":{events}}}"#
    );
    judged_body(privacy, &body, gpc, |_| Some(0))
}

fn judged_body(
    privacy: &PrivacyRules,
    body: &str,
    gpc: bool,
    sample: impl FnMut(Refused<'_>) -> Option<u64>,
) -> Judged {
    let traits = RequestTraits {
        gpc,
        ..RequestTraits::default()
    };
    let edge = enrich("demo", NOW, &traits, Geography::default());
    let circumstances = Circumstances {
        edge: &edge,
        privacy,
        rules: &Rules::default(),
        max_age_ms: 604_800_000,
    };
    let frame = Frame::read(body.as_bytes());
    judge(body.as_bytes(), &frame, circumstances, sample).unwrap()
}

fn judged(events: &str) -> Judged {
    judged_with(events, false)
}

fn verdicts(judged: &Judged) -> Vec<Result<usize, RejectCode>> {
    let Finding::Verdicts(verdicts) = &judged.finding else {
        panic!("the envelope is good")
    };
    let short = |verdict: &Verdict| match verdict {
        Verdict::Accepted { warnings, .. } => Ok(warnings.len()),
        Verdict::Rejected { errors } => Err(errors[0].code),
    };
    verdicts.iter().map(short).collect()
}

fn record(judged: &Judged, position: usize) -> (String, Record<Box<RawValue>>) {
    let Outgoing::Event(event) = &judged.records[position] else {
        panic!("it is a good event")
    };
    let record = event.record();
    let read = serde_json::from_str(&record).unwrap();
    (record, read)
}

fn letter(judged: &Judged, position: usize) -> String {
    let Outgoing::DeadLetter(letter) = &judged.records[position] else {
        panic!("it is a dead letter")
    };
    match &letter.value {
        Payload::Json(json) => json.get().to_owned(),
        Payload::Base64(text) => text.clone(),
    }
}

#[test]
fn each_event_has_its_own_verdict_and_record() {
    let judged = judged(&format!(r#"[{},{{"event_type":"nope"}},17]"#, good()));
    let found = verdicts(&judged);
    assert_eq!(found[0], Ok(0));
    assert!(found[1].is_err() && found[2].is_err());
    assert_eq!(judged.records.len(), 3);
    let Outgoing::Event(event) = &judged.records[0] else {
        panic!("the first is good")
    };
    assert_eq!(event.key, "visitor");
    assert_eq!(letter(&judged, 2), "17");
}

#[test]
fn events_that_are_no_json_take_nobody_along() {
    let judged = judged(&format!("[01,NaN,{},,{{\"a\":", good()));
    assert_eq!(
        verdicts(&judged),
        [
            Err(RejectCode::MalformedJson),
            Err(RejectCode::MalformedJson),
            Ok(0),
            Err(RejectCode::MalformedJson),
        ]
    );
    assert_eq!(judged.records.len(), 4);
}

#[test]
fn clients_text_goes_in_untouched_beside_what_the_edge_says() {
    let text = good().replace("\":", "\" : ");
    let (json, record) = record(&judged(&format!("[{text}]")), 0);
    assert!(
        json.starts_with(&format!(r#"{{"event":{text},"batch":{{"sent_at":{NOW},"#)),
        "{json}"
    );
    assert_eq!(
        (record.edge.shop_id.as_str(), record.edge.received_at),
        ("demo", NOW)
    );
    let derived = record.edge.derived.unwrap();
    assert_eq!(
        (derived.page_host.as_str(), derived.event_time),
        ("shop.example", NOW - 123)
    );
}

#[test]
fn repaired_event_is_accepted_with_warnings_that_travel_on() {
    let judged = judged(&format!(
        "[{}]",
        event(&format!(r#","user_id":42{GRANTED}"#))
    ));
    assert_eq!(verdicts(&judged), [Ok(1)]);
    let (_, record) = record(&judged, 0);
    assert!(
        record.event.get().contains(r#""user_id":"42""#),
        "{}",
        record.event
    );
    assert_eq!(record.edge.warnings.len(), 1);
}

#[test]
fn warnings_and_reasons_name_no_person() {
    let denied =
        r#","user_id":471147,"search_term":471199,"consent":{"analytics":"denied","ads":"denied"}"#;
    let judged = judged(&format!("[{}]", event(denied)));
    let (_, record) = record(&judged, 0);
    let warnings = format!("{:?}", record.edge.warnings);
    assert_eq!(record.edge.warnings.len(), 2);
    assert!(!warnings.contains("4711"), "{warnings}");
}

#[test]
fn card_that_only_cutting_makes_is_masked() {
    let title = format!("{} 411111111111111100000000", "x".repeat(MAX_TITLE - 17));
    for analytics in ["granted", "denied"] {
        let fields = format!(
            r#","page_title":"{title}","consent":{{"analytics":"{analytics}","ads":"denied"}}"#
        );
        let judged = judged(&format!("[{}]", event(&fields)));
        assert_eq!(verdicts(&judged), [Ok(1)]);
        let (_, record) = record(&judged, 0);
        let text = record.event.get();
        assert!(
            text.contains("x [card]") && !text.contains("4111"),
            "{text}"
        );
        assert_eq!(record.edge.warnings.len(), 1);
    }
}

#[test]
fn event_of_another_time_is_refused() {
    let old = good().replace("1795392000000", "0");
    assert!(verdicts(&judged(&format!("[{old}]")))[0].is_err());
}

#[test]
fn customer_is_named_with_consent_or_unasked_and_never_when_it_is_denied() {
    let named = |consent: &str, gpc| {
        let event = event(&format!(r#","user_id":"c-42","consent":{consent}"#));
        record(&judged_with(&format!("[{event}]"), gpc), 0)
            .0
            .contains("c-42")
    };
    assert!(named(r#"{"analytics":"granted","ads":"denied"}"#, false));
    assert!(named(
        r#"{"analytics":"not_asked","ads":"not_asked"}"#,
        false
    ));
    assert!(!named(r#"{"analytics":"denied","ads":"denied"}"#, false));
    assert!(!named(r#"{"analytics":"granted","ads":"granted"}"#, true));
}

#[test]
fn visitor_has_one_hash_whatever_the_consent() {
    let rules = r#"{"fields":{"anonymous_id":"hash"}}"#;
    let key = "0123456789abcdef0123456789abcdef";
    let privacy = PrivacyRules::read(Some(rules), Some(key)).unwrap();
    let visitor = |consent: &str, gpc| {
        let fields =
            format!(r#","user_id":"c-42","consent":{{"analytics":"{consent}","ads":"denied"}}"#);
        let judged = judged_under(&privacy, &format!("[{}]", event(&fields)), gpc);
        let (_, record) = record(&judged, 0);
        let event: shoptrail_schemas::Event = serde_json::from_str(record.event.get()).unwrap();
        event.anonymous_id
    };
    let consenting = visitor("granted", false);
    assert_ne!(consenting, "visitor");
    assert_eq!(visitor("granted", true), consenting);
    assert_eq!(visitor("denied", false), consenting);
}

#[test]
fn customer_is_not_named_in_a_dead_letter_without_consent() {
    let letter_of = |consent: &str, gpc| {
        letter(
            &judged_with(&format!(r#"[{{"user_id":"c-42"{consent}}}]"#), gpc),
            0,
        )
    };
    assert!(letter_of(r#","consent":{"analytics":true}"#, false).contains("c-42"));
    assert!(letter_of(r#","consent":{"analytics":"not_asked"}"#, false).contains("c-42"));
    assert!(!letter_of(r#","consent":{"analytics":true}"#, true).contains("c-42"));
    assert!(!letter_of(r#","consent":{"analytics":false}"#, false).contains("c-42"));
    assert!(!letter_of("", false).contains("c-42"));
}

#[test]
fn tokens_reach_no_record_and_no_dead_letter() {
    let address = r#""page_url":"https://shop.example/?token=s3cret""#;
    let with_token = good().replace(r#""page_url":"https://shop.example/""#, address);
    let judged = judged(&format!("[{with_token},{{{address}}}]"));
    assert_eq!(verdicts(&judged)[0], Ok(0));
    assert!(!record(&judged, 0).0.contains("s3cret"));
    assert!(!letter(&judged, 1).contains("s3cret"));
}

#[test]
fn batch_says_whether_its_visitors_id_may_be_kept() {
    let visitor = |consent: &str, gpc| {
        let event = event(&format!(
            r#","consent":{{"analytics":"{consent}","ads":"denied"}}"#
        ));
        judged_with(&format!("[{event}]"), gpc).visitor
    };
    assert_eq!(
        visitor("granted", false),
        Some(Visitor::MayBeKept("visitor".to_owned()))
    );
    assert_eq!(visitor("granted", true), Some(Visitor::MustBeForgotten));
    assert_eq!(visitor("denied", false), Some(Visitor::MustBeForgotten));
    assert_eq!(visitor("not_asked", false), None);
}

#[test]
fn bad_envelope_is_one_dead_letter_or_none() {
    let judged_body = judged("[]");
    let Finding::BadEnvelope(rejections) = &judged_body.finding else {
        panic!("there are no events")
    };
    assert_eq!(rejections[0].pointer, "/events");
    assert_eq!(judged_body.records.len(), 1);
    let edge = enrich("demo", NOW, &RequestTraits::default(), Geography::default());
    let circumstances = Circumstances {
        edge: &edge,
        privacy: &PrivacyRules::default(),
        rules: &Rules::default(),
        max_age_ms: 1,
    };
    let unsampled = judge(b"{}", &Frame::read(b"{}"), circumstances, |_| None).unwrap();
    assert_eq!((unsampled.records.len(), unsampled.not_kept), (0, 1));
}

#[test]
fn refused_event_that_is_not_kept_has_its_verdict_all_the_same() {
    let body = format!(
        r#"{{"write_key":"pk_demo","sent_at":{NOW},"tracker":{{"name":"n","version":"1"}},"events":[1,{},2]}}"#,
        good()
    );
    let mut is_first = true;
    let sample = |_: Refused<'_>| std::mem::take(&mut is_first).then_some(0);
    let judged = judged_body(&PrivacyRules::default(), &body, false, sample);
    assert_eq!(verdicts(&judged).len(), 3);
    assert_eq!((judged.records.len(), judged.not_kept), (2, 1));
    assert_eq!(letter(&judged, 0), "1");
}

#[test]
fn customer_is_not_named_in_a_refused_body() {
    let body = br#"{"write_key":"pk_demo","events":[{"user_id":"c-42","consent":{"analytics":"denied"}}]}"#;
    let edge = enrich("demo", NOW, &RequestTraits::default(), Geography::default());
    let circumstances = Circumstances {
        edge: &edge,
        privacy: &PrivacyRules::default(),
        rules: &Rules::default(),
        max_age_ms: 604_800_000,
    };
    let judged = judge(body, &Frame::read(body), circumstances, |_| Some(0)).unwrap();
    let kept = BASE64.decode(letter(&judged, 0)).unwrap();
    let kept = String::from_utf8(kept).unwrap();
    assert!(kept.contains(r#""user_id":null"#), "{kept}");
}

/// The page that tells how to configure the Worker.
const GUIDE: &str = include_str!("../../../docs/deploy-edge.md");

/// The example in one of its sections.
fn example(heading: &str) -> &'static str {
    let (_, section) = GUIDE.split_once(&format!("### {heading}\n")).unwrap();
    let (_, block) = section.split_once("```json\n").unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn examples_of_the_guide_can_be_used() {
    let (shops, problems) = shops::read(&format!("[{}]", example("A shop"))).unwrap();
    assert_eq!((shops.len(), problems), (1, Vec::new()));
    assert!(shops[0].identity_cookie.is_some());
    let key = Some("0123456789abcdef0123456789abcdef");
    assert!(PrivacyRules::read(Some(example("Privacy rules")), key).is_ok());
}

/// The channel of an event of a shop under rules.
fn channel(rules: &Rules, shop_id: &str, fields: &str, page: &str) -> &'static str {
    let edge = enrich(
        shop_id,
        NOW,
        &RequestTraits::default(),
        Geography::default(),
    );
    let circumstances = Circumstances {
        edge: &edge,
        privacy: &PrivacyRules::default(),
        rules,
        max_age_ms: 604_800_000,
    };
    let info = r#"{"sent_at":1795392000123,"tracker":{"name":"n","version":"1"}}"#;
    let info: BatchInfo = serde_json::from_str(info).unwrap();
    let event = event(&format!("{fields}{GRANTED}")).replace("https://shop.example/", page);
    let judged = circumstances.judge_events(&[event.as_bytes()], &info, |_| Some(0));
    let derived = record(&judged.unwrap(), 0).1.edge.derived.unwrap();
    derived.channel.as_str()
}

/// The rows of the guide's table under this head, each as what stands between backticks in it.
fn promised(head: &str) -> Vec<Vec<&'static str>> {
    let columns = head.matches('|').count() - 1;
    let (_, table) = GUIDE
        .split_once(&format!("{head}\n|{}\n", "---|".repeat(columns)))
        .unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').skip(1).step_by(2).collect())
        .collect()
}

#[test]
fn rules_of_the_guide_make_the_channels_that_it_promises() {
    let (rules, problems) = rules::read(example("Channels"));
    assert_eq!(problems, Vec::new());
    let rows = promised("| an event comes from | channel |");
    assert_eq!(rows.len(), 5);
    for row in rows {
        let (from, promised) = (row[0], row[1]);
        let found = if from.starts_with('?') {
            channel(&rules, "demo", "", &format!("https://shop.example/{from}"))
        } else {
            let referrer = format!(r#","referrer_url":"{from}""#);
            channel(&rules, "demo", &referrer, "https://shop.example/")
        };
        assert_eq!(found, promised, "{row:?}");
    }
}

#[test]
fn rules_of_single_shops_in_the_guide_hold_for_these_alone() {
    let (rules, problems) = rules::read(example("Several shops"));
    assert_eq!(problems, Vec::new());
    let rows = promised("| an event of | comes from | channel |");
    assert_eq!(rows.len(), 5);
    for row in rows {
        let referrer = format!(r#","referrer_url":"{}""#, row[1]);
        let found = channel(&rules, row[0], &referrer, "https://shop.example/");
        assert_eq!(found, row[2], "{row:?}");
    }
}

#[test]
fn what_the_batch_says_is_cleaned_like_the_event() {
    let body = format!(
        r#"{{"write_key":"pk_demo","sent_at":{NOW},"tracker":{{"name":"jo@x.example","version":1}},"context":{{"language":"jo@x.example","time_zone":"4111 1111 1111 1111","screen_width":"wide"}},"events":[{}]}}"#,
        good()
    );
    let judged = judged_body(&PrivacyRules::default(), &body, false, |_| Some(0));
    let (_, record) = record(&judged, 0);
    assert_eq!(record.batch.tracker.name, "[email]");
    let context = record.batch.context.unwrap();
    assert_eq!(context.language.as_deref(), Some("[email]"));
    assert_eq!(context.time_zone.as_deref(), Some("[card]"));
    assert_eq!(context.screen_width, None);
}
