//! What BigQuery answers when it does not do what was asked, in classes that a caller can act on.
//!
//! Reasons and their meaning: <https://cloud.google.com/bigquery/docs/error-messages>.

use std::collections::HashMap;
use std::fmt;

use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::error_proto::ErrorProto;
use google_cloud_bigquery::Error as GrpcError;

/// Why a call or a job failed.
#[derive(Debug, thiserror::Error)]
pub struct BigQueryError {
    /// The class it belongs to.
    pub class: Class,
    /// What was asked for: a call and what it was about.
    pub what: String,
    /// What the server, or the way to it, says.
    pub message: String,
    /// Whether it has been tried again until the time was up.
    pub(super) gave_up: bool,
}

/// Classes of failures: what to do about them differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// No credentials, or none that are accepted.
    Credentials,
    /// A project, dataset, table or job does not exist.
    NotFound,
    /// The account may not do this.
    Denied,
    /// A quota or rate limit is exceeded.
    Quota,
    /// What was to be made exists.
    Exists,
    /// It would cost more than allowed.
    TooCostly,
    /// The server fails, or is not reached.
    Away,
    /// The request or the job is wrong, and would be again.
    Failed,
}

impl Class {
    /// Whether the same call may succeed a little later; the documented reasons to try again.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Quota | Self::Away)
    }

    fn of_reason(reason: &str, code: i64) -> Self {
        match (reason, code) {
            ("bytesBilledLimitExceeded", _) => Self::TooCostly,
            ("rateLimitExceeded" | "quotaExceeded" | "jobRateLimitExceeded", _) | (_, 429) => {
                Self::Quota
            }
            (
                "backendError" | "internalError" | "jobBackendError" | "jobInternalError"
                | "tableUnavailable",
                _,
            )
            | (_, 500..=599) => Self::Away,
            ("accessDenied", _) | (_, 403) => Self::Denied,
            ("duplicate", _) | (_, 409) => Self::Exists,
            ("notFound", _) | (_, 404 | 410) => Self::NotFound,
            (_, 401) => Self::Credentials,
            _ => Self::Failed,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Credentials => {
                "`gcloud auth application-default login`, or GOOGLE_APPLICATION_CREDENTIALS with a key file"
            }
            Self::NotFound => {
                "check project and dataset in `--warehouse bigquery://PROJECT/DATASET`; both must exist"
            }
            Self::Denied => "grant the roles that docs/deploy-bigquery.md lists",
            Self::Quota => {
                "nothing was published; the next run goes on from here; raise the quota if it comes again"
            }
            Self::Exists => "another process made it just now; run again",
            Self::TooCostly => "raise `--max-bytes-billed` if that is meant",
            Self::Away => {
                "run again: a run begins from what was committed, whatever became of this one"
            }
            Self::Failed => "if the message does not tell, the job's page in the console does",
        }
    }
}

impl fmt::Display for BigQueryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "BigQuery, {}: {}\nhint: {}",
            self.what,
            self.message,
            self.class.hint()
        )
    }
}

impl BigQueryError {
    pub(crate) fn new(class: Class, what: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            what: what.to_owned(),
            message: message.into(),
            gave_up: false,
        }
    }

    /// Whether trying again, now, may help.
    pub(super) fn is_passing(&self) -> bool {
        self.class.is_transient() && !self.gave_up
    }

    /// An answer of the REST API, or its absence.
    pub(super) fn of_rest(what: &str, error: BQError) -> Self {
        match error {
            BQError::ResponseError { error } => {
                let reason = error
                    .error
                    .errors
                    .first()
                    .and_then(|first: &HashMap<_, _>| first.get("reason"));
                let class = Class::of_reason(reason.map_or("", String::as_str), error.error.code);
                Self::new(class, what, error.error.message)
            }
            BQError::NoToken => Self::new(Class::Credentials, what, "no access token"),
            other => Self::new(Class::Away, what, with_causes(&other)),
        }
    }

    /// A job that ended in an error.
    pub(super) fn of_job(what: &str, error: &ErrorProto) -> Self {
        let class = Class::of_reason(error.reason.as_deref().unwrap_or_default(), 0);
        Self::new(
            class,
            what,
            error
                .message
                .clone()
                .unwrap_or_else(|| "the job failed and does not say why".into()),
        )
    }

    /// An answer of the Storage Read API, or its absence.
    pub(super) fn of_grpc(what: &str, error: &GrpcError) -> Self {
        use google_cloud_gax::error::rpc::Code;
        let Some(status) = error.status() else {
            let class = if error.is_authentication() {
                Class::Credentials
            } else {
                Class::Away
            };
            return Self::new(class, what, with_causes(error));
        };
        let class = match status.code {
            Code::Unauthenticated => Class::Credentials,
            Code::PermissionDenied => Class::Denied,
            Code::NotFound => Class::NotFound,
            Code::ResourceExhausted => Class::Quota,
            Code::Unavailable
            | Code::Internal
            | Code::Aborted
            | Code::Cancelled
            | Code::DeadlineExceeded => Class::Away,
            _ => Class::Failed,
        };
        Self::new(class, what, status.message.clone())
    }
}

/// An error and what caused it, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_reasons_have_their_classes() {
        for (reason, code, class) in [
            ("accessDenied", 403, Class::Denied),
            ("rateLimitExceeded", 403, Class::Quota),
            ("quotaExceeded", 403, Class::Quota),
            ("jobRateLimitExceeded", 400, Class::Quota),
            ("backendError", 503, Class::Away),
            ("jobBackendError", 400, Class::Away),
            ("internalError", 500, Class::Away),
            ("bytesBilledLimitExceeded", 400, Class::TooCostly),
            ("duplicate", 409, Class::Exists),
            ("notFound", 404, Class::NotFound),
            ("invalidQuery", 400, Class::Failed),
            ("billingNotEnabled", 403, Class::Denied),
            ("required", 401, Class::Credentials),
        ] {
            assert_eq!(Class::of_reason(reason, code), class, "{reason}");
        }
    }
}
