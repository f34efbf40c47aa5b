//! The produce call's answer: delivery reports, read by position.

use serde::Deserialize;

/// What came back from one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallAnswer {
    /// The HTTP status; none if there was no answer at all, or not in time.
    pub status: Option<u16>,
    /// As much of the body as came: it counts even if the connection broke then.
    pub body: Vec<u8>,
    /// How long the gateway asks to wait, in seconds.
    pub retry_after: Option<u32>,
    /// Whether patience ended before the answer did.
    pub is_late: bool,
}

/// What one report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordResult {
    /// Kafka has the record.
    Delivered,
    /// The record itself is refused, for this reason.
    Refused(String),
    /// Kafka cannot take it now: this code.
    Failed(u32),
    /// Nobody knows. Kafka may have it.
    Unreported,
}

/// A delivery report; its other fields say where the record went.
#[derive(Deserialize)]
struct DeliveryReport {
    error_code: u32,
    #[serde(default)]
    message: String,
}

impl CallAnswer {
    /// Reads what became of each of `sent` records.
    #[must_use]
    pub fn results(&self, sent: usize) -> Vec<RecordResult> {
        let mut results = match self.status {
            Some(200) => self
                .reports()
                .map(DeliveryReport::result)
                .take(sent)
                .collect(),
            _ => Vec::new(),
        };
        results.resize(sent, RecordResult::Unreported);
        results
    }

    /// Whether the call had too many bytes: its records may pass in smaller calls.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.status == Some(413)
    }

    /// Names what is wrong with the call as a whole, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self.status {
            _ if self.is_late => Some("call late".to_owned()),
            Some(200) => None,
            Some(status) => {
                let code = self
                    .reports()
                    .next()
                    .map(|report| format!(" code {}", report.error_code));
                Some(format!("call status {status}{}", code.unwrap_or_default()))
            }
            None => Some("call unanswered".to_owned()),
        }
    }

    /// The reports up to the first that is incomplete or is something else: limits are answered in HTML.
    fn reports(&self) -> impl Iterator<Item = DeliveryReport> {
        let text = self.body.utf8_chunks().next();
        let text = text.map_or("", |beginning| beginning.valid());
        serde_json::Deserializer::from_str(text)
            .into_iter::<DeliveryReport>()
            .map_while(Result::ok)
    }
}

impl DeliveryReport {
    fn result(self) -> RecordResult {
        match self.error_code {
            200 => RecordResult::Delivered,
            400 | 413 | 422 => RecordResult::Refused(self.message),
            code => RecordResult::Failed(code),
        }
    }
}

impl RecordResult {
    /// Names what is wrong with the record's delivery, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Delivered => None,
            Self::Refused(_) => Some("report refused".to_owned()),
            Self::Failed(code) => Some(format!("report {code}")),
            Self::Unreported => Some("report missing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> CallAnswer {
        CallAnswer {
            status: Some(status),
            body: body.as_bytes().to_vec(),
            ..CallAnswer::default()
        }
    }

    #[test]
    fn reports_are_read_by_position() {
        let body = r#"{"error_code":200,"cluster_id":"lkc-1","topic_name":"t","partition_id":3,"offset":9,"timestamp":"2026-11-22T00:00:00Z","key":{"type":"BINARY","size":7}}
            {"error_code":40401,"message":"Topic t not present"}{"error_code":400,"message":"too large"}"#;
        let results = answer(200, body).results(4);
        assert_eq!(
            results,
            [
                RecordResult::Delivered,
                RecordResult::Failed(40401),
                RecordResult::Refused("too large".to_owned()),
                RecordResult::Unreported
            ]
        );
    }

    #[test]
    fn report_that_is_cut_short_is_none() {
        let results = answer(200, r#"{"error_code":200}{"error_code":20"#).results(2);
        assert_eq!(results, [RecordResult::Delivered, RecordResult::Unreported]);
    }

    #[test]
    fn other_statuses_report_nothing_whatever_the_body_says() {
        for (status, body, trouble) in [
            (
                429,
                "<html><body>Too Many Requests</body></html>",
                "call status 429",
            ),
            (
                503,
                r#"{"error_code":50003,"message":"away"}"#,
                "call status 503 code 50003",
            ),
            (401, r#"{"error_code":200}"#, "call status 401 code 200"),
        ] {
            let answer = answer(status, body);
            assert_eq!(answer.results(1), [RecordResult::Unreported]);
            assert_eq!(answer.trouble().as_deref(), Some(trouble));
        }
        assert_eq!(
            CallAnswer::default().trouble().as_deref(),
            Some("call unanswered")
        );
    }

    #[test]
    fn late_answer_counts_as_far_as_it_came() {
        let late = CallAnswer {
            is_late: true,
            ..answer(200, r#"{"error_code":200}"#)
        };
        assert_eq!(
            late.results(2),
            [RecordResult::Delivered, RecordResult::Unreported]
        );
        assert_eq!(late.trouble().as_deref(), Some("call late"));
    }

    #[test]
    fn more_reports_than_records_change_nothing() {
        assert_eq!(
            answer(200, r#"{"error_code":200}{"error_code":429}"#).results(1),
            [RecordResult::Delivered]
        );
    }
}
