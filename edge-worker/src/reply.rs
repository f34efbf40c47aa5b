//! What the client is told.

use std::borrow::Cow;

use serde::Serialize;
use shoptrail_schemas::{Rejection, Warning};

use crate::admit::Refusal;
use crate::body::MAX_BODY_BYTES;
use crate::judge::{Finding, Verdict};

/// How long a tracker should keep its events when nothing durable took them, in seconds.
const RETRY_AFTER_SECONDS: u32 = 5;

/// How long one should wait that sends too much, in seconds: half of the limits' period.
const RATE_LIMITED_SECONDS: u32 = 30;

/// How long a browser may remember a preflight's reply, in seconds: Chromium's longest.
const PREFLIGHT_MAX_AGE_SECONDS: &str = "7200";

/// An HTTP reply before it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON or nothing.
    pub body: Option<String>,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// One word for what happened: for metrics.
    pub outcome: &'static str,
}

/// The reply to a batch whose events were judged.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct VerdictsBody<'a> {
    /// How many events were accepted.
    pub accepted: usize,
    /// How many events were rejected.
    pub rejected: usize,
    /// One verdict for each event, in the order of the batch.
    pub events: Vec<EventVerdict<'a>>,
}

/// What became of one event.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum EventVerdict<'a> {
    /// It follows the contract, if need be after repairs.
    Accepted {
        /// Its place in the batch, from 0.
        index: usize,
        /// Its own id.
        event_id: &'a str,
        /// What was unusual with it, and how it was understood.
        #[serde(skip_serializing_if = "<[Warning]>::is_empty")]
        warnings: &'a [Warning],
    },
    /// It does not follow the contract.
    Rejected {
        /// Its place in the batch, from 0.
        index: usize,
        /// Everything that is wrong with it.
        errors: &'a [Rejection],
    },
}

/// The reply to a request that was turned away as a whole.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErrorBody<'a> {
    /// What is wrong.
    pub error: RequestError<'a>,
}

/// What is wrong with a whole request.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RequestError<'a> {
    /// What kind of wrong it is.
    pub code: &'a str,
    /// Where: a JSON Pointer into the batch; empty for the whole of it.
    pub pointer: &'a str,
    /// What is wrong and what to do.
    pub message: &'a str,
}

impl HttpReply {
    /// A JSON reply.
    #[must_use]
    pub fn json(status: u16, outcome: &'static str, body: &impl Serialize) -> Self {
        Self {
            status,
            body: serde_json::to_string(body).ok(),
            headers: Vec::new(),
            outcome,
        }
    }

    /// The reply to a batch that was handed over: 202 all good, 207 some, 400 none.
    #[must_use]
    pub fn finding(finding: &Finding) -> Self {
        match finding {
            Finding::Verdicts(verdicts) => verdicts_reply(verdicts),
            Finding::BadEnvelope(rejections) => Self::bad_envelope(rejections),
        }
    }

    /// The envelope is wrong, or no envelope at all.
    #[must_use]
    pub fn bad_envelope(rejections: &[Rejection]) -> Self {
        const OUTCOME: &str = "bad_envelope";
        match rejections.first() {
            Some(first) => {
                let (code, pointer) = (first.code.as_str(), first.pointer.as_str());
                error(400, OUTCOME, code, pointer, &first.message)
            }
            None => error(
                400,
                OUTCOME,
                "malformed_json",
                "",
                "the batch cannot be read",
            ),
        }
    }

    /// Turned away before the events were looked at.
    #[must_use]
    pub fn refusal(refusal: Refusal) -> Self {
        let (status, code, pointer, message) = match refusal {
            Refusal::TooLarge => {
                let message = format!(
                    "the batch has more than {MAX_BODY_BYTES} bytes: send fewer events at once"
                );
                return error(413, "too_large", "too_large", "", &message);
            }
            Refusal::TooSlow => (
                408,
                "too_slow",
                "",
                "the batch did not arrive in time: send it again",
            ),
            Refusal::BrokenGzip => (
                400,
                "broken_gzip",
                "",
                "the body begins as gzip and cannot be unpacked",
            ),
            Refusal::UnknownWriteKey => (
                401,
                "unknown_write_key",
                "/write_key",
                "no shop has this write key: check the tag's `data-key`",
            ),
            Refusal::OriginNotAllowed => (
                403,
                "origin_not_allowed",
                "/write_key",
                "the write key is not for this page's origin: add the origin to the shop's `origins`",
            ),
            Refusal::KeyRateLimited => (
                429,
                "key_rate_limited",
                "",
                "the shop sends too many batches: wait",
            ),
            Refusal::VisitorRateLimited => (
                429,
                "visitor_rate_limited",
                "",
                "too many batches come from here: wait",
            ),
        };
        let reply = error(status, code, code, pointer, message);
        if status == 429 {
            reply.with("Retry-After", RATE_LIMITED_SECONDS.to_string())
        } else {
            reply
        }
    }

    /// Nothing durable took the batch: the client keeps its events.
    #[must_use]
    pub fn unavailable() -> Self {
        let message = "nothing durable took the batch: keep the events and send them again";
        error(503, "unavailable", "unavailable", "", message)
            .with("Retry-After", RETRY_AFTER_SECONDS.to_string())
    }

    /// No such path.
    #[must_use]
    pub fn not_found() -> Self {
        let message = "there are `POST /b`, `GET /health` and the tracker's files";
        error(404, "not_found", "not_found", "", message)
    }

    /// A known path with another method.
    #[must_use]
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let message = format!("this path takes {allowed}");
        error(
            405,
            "method_not_allowed",
            "method_not_allowed",
            "",
            &message,
        )
        .with("Allow", allowed)
    }

    /// The reply to a browser's preflight. It has no write key to go by: the post is judged, and its refusal can be read.
    #[must_use]
    pub fn preflight() -> Self {
        let empty = Self {
            status: 204,
            body: None,
            headers: Vec::new(),
            outcome: "preflight",
        };
        empty
            .with("Access-Control-Allow-Methods", "POST")
            .with("Access-Control-Allow-Headers", "Content-Type")
            .with("Access-Control-Max-Age", PREFLIGHT_MAX_AGE_SECONDS)
    }

    /// Lets pages of this origin read the reply, `Retry-After` too. A refusal is readable by the page that is refused, so
    /// that it stops: it says nothing of anybody else.
    #[must_use]
    pub fn readable_by(self, origin: Option<&str>) -> Self {
        let reply = self
            .with("Vary", "Origin")
            .with("Cross-Origin-Resource-Policy", "cross-origin");
        match origin {
            Some(origin) => reply
                .with("Access-Control-Allow-Origin", origin.to_owned())
                .with("Access-Control-Allow-Credentials", "true")
                .with("Access-Control-Expose-Headers", "Retry-After"),
            None => reply,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns names and values of all headers, a line each.
    #[must_use]
    pub fn header_lines(&self) -> String {
        let own = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_ref()));
        let content_type = self
            .body
            .as_ref()
            .map(|_| ("Content-Type", "application/json"));
        let mut lines = String::with_capacity(320);
        for (name, value) in own.chain(content_type) {
            lines.extend([name, "\n", value, "\n"]);
        }
        lines
    }
}

fn verdicts_reply(verdicts: &[Verdict]) -> HttpReply {
    let events: Vec<EventVerdict<'_>> = verdicts
        .iter()
        .enumerate()
        .map(|(index, verdict)| match verdict {
            Verdict::Accepted { event_id, warnings } => EventVerdict::Accepted {
                index,
                event_id,
                warnings,
            },
            Verdict::Rejected { errors } => EventVerdict::Rejected { index, errors },
        })
        .collect();
    let (accepted, rejected) = counts(verdicts);
    let (status, outcome) = match (accepted, rejected) {
        (_, 0) => (202, "accepted"),
        (0, _) => (400, "rejected"),
        _ => (207, "partly_accepted"),
    };
    let body = VerdictsBody {
        accepted,
        rejected,
        events,
    };
    HttpReply::json(status, outcome, &body)
}

/// Counts accepted and rejected events.
#[must_use]
pub fn counts(verdicts: &[Verdict]) -> (usize, usize) {
    let is_accepted = |verdict: &&Verdict| matches!(verdict, Verdict::Accepted { .. });
    let accepted = verdicts.iter().filter(is_accepted).count();
    (accepted, verdicts.len().saturating_sub(accepted))
}

fn error(
    status: u16,
    outcome: &'static str,
    code: &str,
    pointer: &str,
    message: &str,
) -> HttpReply {
    let error = RequestError {
        code,
        pointer,
        message,
    };
    HttpReply::json(status, outcome, &ErrorBody { error })
}

#[cfg(test)]
mod tests;
