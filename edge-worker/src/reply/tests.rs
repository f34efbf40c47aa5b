use super::*;
use serde_json::{Value, json};
use shoptrail_schemas::{RejectCode, WarningCode};

fn verdict(is_accepted: bool) -> Verdict {
    if is_accepted {
        let message = "`seq` is odd".to_owned();
        return Verdict::Accepted {
            event_id: "id".to_owned(),
            warnings: vec![Warning {
                code: WarningCode::ALL[0],
                pointer: "/seq".to_owned(),
                message,
            }],
        };
    }
    Verdict::Rejected {
        errors: vec![Rejection {
            code: RejectCode::Missing,
            pointer: "/seq".to_owned(),
            message: "`seq` is missing".to_owned(),
        }],
    }
}

fn reply(verdicts: &[bool]) -> (u16, Value) {
    let verdicts = verdicts.iter().copied().map(verdict).collect();
    let reply = HttpReply::finding(&Finding::Verdicts(verdicts));
    (
        reply.status,
        serde_json::from_str(&reply.body.unwrap()).unwrap(),
    )
}

fn header<'a>(reply: &'a HttpReply, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(header, _)| *header == name);
    found.map(|(_, value)| value.as_ref())
}

#[test]
fn status_sums_up_the_verdicts() {
    assert_eq!(reply(&[true, true]).0, 202);
    assert_eq!(reply(&[true, false]).0, 207);
    assert_eq!(reply(&[false]).0, 400);
}

#[test]
fn each_event_has_its_verdict_in_the_batchs_order() {
    let code = WarningCode::ALL[0].as_str();
    let expected = json!({"accepted": 1, "rejected": 1, "events": [
        {"index": 0, "event_id": "id", "status": "accepted", "warnings": [
            {"code": code, "pointer": "/seq", "message": "`seq` is odd"},
        ]},
        {"index": 1, "status": "rejected", "errors": [
            {"code": "missing", "pointer": "/seq", "message": "`seq` is missing"},
        ]},
    ]});
    assert_eq!(reply(&[true, false]).1, expected);
}

#[test]
fn client_is_told_when_to_come_back() {
    assert_eq!(header(&HttpReply::unavailable(), "Retry-After"), Some("5"));
    for refusal in [Refusal::KeyRateLimited, Refusal::VisitorRateLimited] {
        let reply = HttpReply::refusal(refusal);
        assert_eq!(
            (reply.status, header(&reply, "Retry-After")),
            (429, Some("30"))
        );
    }
    assert_eq!(
        header(&HttpReply::refusal(Refusal::TooLarge), "Retry-After"),
        None
    );
}

#[test]
fn every_refusal_has_its_status() {
    for (refusal, status) in [
        (Refusal::TooLarge, 413),
        (Refusal::TooSlow, 408),
        (Refusal::BrokenGzip, 400),
        (Refusal::UnknownWriteKey, 401),
        (Refusal::OriginNotAllowed, 403),
    ] {
        assert_eq!(HttpReply::refusal(refusal).status, status);
    }
}

#[test]
fn origin_is_named_only_if_there_is_one_to_read() {
    let named = |origin: Option<&str>| {
        let reply = HttpReply::preflight().readable_by(origin);
        header(&reply, "Access-Control-Allow-Origin").map(str::to_owned)
    };
    assert_eq!(
        named(Some("https://shop.example")).as_deref(),
        Some("https://shop.example")
    );
    assert_eq!(named(None), None);
}

#[test]
fn headers_are_lines_of_names_and_values() {
    assert_eq!(
        HttpReply::not_found().with("Vary", "Origin").header_lines(),
        "Vary\nOrigin\nContent-Type\napplication/json\n"
    );
    assert!(!HttpReply::preflight().header_lines().contains("json"));
}
