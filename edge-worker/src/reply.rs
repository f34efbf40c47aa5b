//! What the client is told.

use serde_json::{Value, json};

use crate::admit::{MAX_BODY_BYTES, Refusal};
use crate::judge::{Answer, Verdict};

/// How long a tracker should keep its events when nothing durable took them, in seconds.
const RETRY_AFTER_SECONDS: u32 = 5;

/// How long a browser may remember a preflight's answer, in seconds: Chromium's longest.
const PREFLIGHT_MAX_AGE_SECONDS: &str = "7200";

/// An HTTP reply before it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON or nothing.
    pub body: Option<String>,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// A JSON reply.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            body: Some(body.to_string()),
            headers: Vec::new(),
        }
    }

    /// The per-event verdicts of a batch that was handed over: 202 all good, 207 some, 400 none.
    #[must_use]
    pub fn answer(answer: &Answer) -> Self {
        match answer {
            Answer::Verdicts(verdicts) => verdicts_reply(verdicts),
            Answer::BadEnvelope(rejections) => match rejections.first() {
                Some(first) => error(400, first.code.as_str(), &first.pointer, &first.message),
                None => error(400, "malformed_json", "", "the batch cannot be read"),
            },
        }
    }

    /// Turned away before the events were looked at.
    #[must_use]
    pub fn refusal(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooLarge => {
                let message = format!(
                    "the batch has more than {MAX_BODY_BYTES} bytes: send fewer events at once"
                );
                error(413, "too_large", "", &message)
            }
            Refusal::UnknownWriteKey => error(
                401,
                "unknown_write_key",
                "/write_key",
                "no shop has this write key: check the tag's `data-key`",
            ),
            Refusal::OriginNotAllowed => error(
                403,
                "origin_not_allowed",
                "/write_key",
                "the write key is not for this page's origin: add the origin to the shop's `origins`",
            ),
        }
    }

    /// Nothing durable took the batch: the client keeps its events.
    #[must_use]
    pub fn unavailable() -> Self {
        let mut reply = error(
            503,
            "unavailable",
            "",
            "nothing durable took the batch: keep the events and send them again",
        );
        reply
            .headers
            .push(("Retry-After", RETRY_AFTER_SECONDS.to_string()));
        reply
    }

    /// No such path.
    #[must_use]
    pub fn not_found() -> Self {
        error(
            404,
            "not_found",
            "",
            "there are `POST /b`, `GET /health` and the tracker's files",
        )
    }

    /// A known path with another method.
    #[must_use]
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let mut reply = error(
            405,
            "method_not_allowed",
            "",
            &format!("this path takes {allowed}"),
        );
        reply.headers.push(("Allow", allowed.to_owned()));
        reply
    }

    /// The answer to a browser's preflight; without [`Reply::readable_by`] it refuses.
    #[must_use]
    pub fn preflight() -> Self {
        let headers = vec![
            ("Access-Control-Allow-Methods", "POST".to_owned()),
            ("Access-Control-Allow-Headers", "Content-Type".to_owned()),
            (
                "Access-Control-Max-Age",
                PREFLIGHT_MAX_AGE_SECONDS.to_owned(),
            ),
        ];
        Self {
            status: 204,
            body: None,
            headers,
        }
    }

    /// Lets pages of this origin read the reply, `Retry-After` too.
    #[must_use]
    pub fn readable_by(mut self, origin: Option<String>) -> Self {
        self.headers.push(("Vary", "Origin".to_owned()));
        if let Some(origin) = origin {
            self.headers.push(("Access-Control-Allow-Origin", origin));
            self.headers
                .push(("Access-Control-Expose-Headers", "Retry-After".to_owned()));
        }
        self
    }
}

fn verdicts_reply(verdicts: &[Verdict]) -> Reply {
    let rejected = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, Verdict::Rejected { .. }))
        .count();
    let accepted = verdicts.len().saturating_sub(rejected);
    let status = match (accepted, rejected) {
        (_, 0) => 202,
        (0, _) => 400,
        _ => 207,
    };
    let events: Vec<Value> = verdicts
        .iter()
        .enumerate()
        .map(|(index, verdict)| verdict_json(index, verdict))
        .collect();
    Reply::json(
        status,
        &json!({"accepted": accepted, "rejected": rejected, "events": events}),
    )
}

fn verdict_json(index: usize, verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Accepted { event_id } => {
            json!({"index": index, "event_id": event_id, "status": "accepted"})
        }
        Verdict::Rejected { errors } => {
            json!({"index": index, "status": "rejected", "errors": errors})
        }
    }
}

fn error(status: u16, code: &str, pointer: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"code": code, "pointer": pointer, "message": message}}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use shoptrail_schemas::{RejectCode, Rejection};

    fn reply(verdicts: &[bool]) -> (u16, Value) {
        let verdict = |accepted: &bool| {
            if *accepted {
                return Verdict::Accepted {
                    event_id: "id".to_owned(),
                };
            }
            let (pointer, message) = ("/seq".to_owned(), "`seq` is missing".to_owned());
            Verdict::Rejected {
                errors: vec![Rejection {
                    code: RejectCode::Missing,
                    pointer,
                    message,
                }],
            }
        };
        let reply = Reply::answer(&Answer::Verdicts(verdicts.iter().map(verdict).collect()));
        (
            reply.status,
            serde_json::from_str(&reply.body.unwrap()).unwrap(),
        )
    }

    #[test]
    fn status_sums_up_the_verdicts() {
        assert_eq!(reply(&[true, true]).0, 202);
        assert_eq!(reply(&[true, false]).0, 207);
        assert_eq!(reply(&[false]).0, 400);
    }

    #[test]
    fn each_event_has_its_verdict_in_the_batchs_order() {
        let expected = json!({"accepted": 1, "rejected": 1, "events": [
            {"index": 0, "event_id": "id", "status": "accepted"},
            {"index": 1, "status": "rejected", "errors": [
                {"code": "missing", "pointer": "/seq", "message": "`seq` is missing"},
            ]},
        ]});
        assert_eq!(reply(&[true, false]).1, expected);
    }

    #[test]
    fn unavailable_says_when_to_come_back() {
        assert!(
            Reply::unavailable()
                .headers
                .contains(&("Retry-After", "5".to_owned()))
        );
    }

    #[test]
    fn origin_is_named_only_if_it_is_known() {
        let named = |origin: Option<&str>| {
            let reply = Reply::preflight().readable_by(origin.map(str::to_owned));
            reply
                .headers
                .iter()
                .any(|(name, _)| *name == "Access-Control-Allow-Origin")
        };
        assert!(named(Some("https://shop.example")));
        assert!(!named(None));
    }
}
