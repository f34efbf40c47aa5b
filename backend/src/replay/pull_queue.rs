//! A queue of Cloudflare's, read from outside by its HTTP pull API.
//!
//! Whoever pulls a message leases it. What is not acknowledged comes again once the lease is over, and each pull counts as an
//! attempt: after the consumer's `max_retries` Cloudflare deletes a message.
//! <https://developers.cloudflare.com/queues/configuration/pull-consumers/>

use std::fmt;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Most messages of one pull, Cloudflare's limit.
const MAX_MESSAGES: usize = 100;
/// How long pulled messages are hidden from others, and from the next replay if this one is killed.
pub(super) const LEASE: Duration = Duration::from_secs(30 * 60);
/// A call that has no answer by then is taken for lost.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest delay before a call is tried again, whatever `Retry-After` says.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
const MAX_TIMES: usize = 6;

/// Flags that say which queue.
#[derive(Args, Clone)]
#[command(next_help_heading = "Cloudflare")]
pub struct CloudflareArgs {
    /// Id of the account
    #[arg(long, value_name = "ID", env = "SHOPTRAIL_CLOUDFLARE_ACCOUNT_ID")]
    pub cloudflare_account: Option<String>,
    /// Id of the Worker's queue of undelivered messages
    #[arg(long, value_name = "ID", env = "SHOPTRAIL_CLOUDFLARE_QUEUE_ID")]
    pub cloudflare_queue: Option<String>,
    /// Token that may read and write queues; only by its variable
    #[arg(
        long,
        env = "SHOPTRAIL_CLOUDFLARE_API_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    pub cloudflare_api_token: Option<String>,
    /// Where the API is
    #[arg(
        long,
        value_name = "URL",
        env = "SHOPTRAIL_CLOUDFLARE_ENDPOINT",
        default_value = "https://api.cloudflare.com/client/v4"
    )]
    pub cloudflare_endpoint: Url,
}

impl fmt::Debug for CloudflareArgs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CloudflareArgs")
            .field("cloudflare_account", &self.cloudflare_account)
            .field("cloudflare_queue", &self.cloudflare_queue)
            .finish_non_exhaustive()
    }
}

/// Why a queue cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A setting is missing, or no URL can be made of it.
    #[error("`{0}` is not set, or cannot be used")]
    Setting(&'static str),
    /// The token is wrong, or may not do this.
    #[error(
        "Cloudflare refuses the token: {0}\nhint: it needs the permission `Queues: Edit` of this account"
    )]
    Token(String),
    /// There is no such account or queue.
    #[error(
        "Cloudflare knows no such queue: {0}\nhint: `npx wrangler queues info NAME` tells its id"
    )]
    Unknown(String),
    /// Anything else that Cloudflare refuses.
    #[error("Cloudflare answers {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Codes and messages of its errors.
        message: String,
        /// When it may be asked again, if it says so.
        after: Option<Duration>,
    },
    /// There was no answer, or half of one.
    #[error("Cloudflare does not answer")]
    Away(#[source] reqwest::Error),
    /// The answer is not what is documented.
    #[error("Cloudflare's answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl QueueError {
    /// Whether the same call may fare better later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            Self::Away(_) => true,
            _ => false,
        }
    }

    fn after(&self) -> Option<Duration> {
        match self {
            Self::Refused { after, .. } => *after,
            _ => None,
        }
    }
}

/// A message that is leased.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pulled {
    /// The same whenever the message is pulled.
    pub(super) id: String,
    body: String,
    /// What it is acknowledged by.
    pub(super) lease_id: String,
    /// When it came into the queue, in milliseconds since the epoch.
    #[serde(default)]
    pub(super) timestamp_ms: Option<i64>,
    #[serde(default)]
    metadata: Value,
}

impl Pulled {
    /// The text of the message. The Worker sends bytes, which are base64 here; none of what only the Workers runtime can read.
    pub(super) fn text(&self) -> Option<String> {
        let content_type = self.metadata.get("CF-Content-Type").and_then(Value::as_str);
        match content_type {
            Some("v8") => None,
            Some("text") => Some(self.body.clone()),
            _ => {
                let bytes = BASE64_STANDARD.decode(&self.body).ok()?;
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

/// The queue.
pub(super) struct PullQueue {
    client: reqwest::Client,
    url: Url,
    token: String,
}

impl PullQueue {
    /// # Errors
    /// Returns an error if a setting is missing.
    pub(super) fn new(args: &CloudflareArgs) -> Result<Self, QueueError> {
        let given = |value: &Option<String>, variable| {
            let value = value.clone().filter(|value| !value.is_empty());
            value.ok_or(QueueError::Setting(variable))
        };
        let account = given(&args.cloudflare_account, "SHOPTRAIL_CLOUDFLARE_ACCOUNT_ID")?;
        let queue = given(&args.cloudflare_queue, "SHOPTRAIL_CLOUDFLARE_QUEUE_ID")?;
        let mut url = args.cloudflare_endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| QueueError::Setting("SHOPTRAIL_CLOUDFLARE_ENDPOINT"))?
            .pop_if_empty()
            .extend([
                "accounts",
                account.as_str(),
                "queues",
                queue.as_str(),
                "messages",
            ]);
        // Two of them are compiled in by libraries beneath, and TLS wants to know which. Fails when it knows already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(CALL_TIMEOUT).build();
        Ok(Self {
            client: client.map_err(QueueError::Away)?,
            url,
            token: given(&args.cloudflare_api_token, "SHOPTRAIL_CLOUDFLARE_API_TOKEN")?,
        })
    }

    /// Leases messages for [`LEASE`]; none where the queue has none that are not leased.
    ///
    /// # Errors
    /// Returns an error if Cloudflare does not give them.
    pub(super) async fn pull(&self) -> Result<Vec<Pulled>, QueueError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Batch {
            messages: Option<Vec<Pulled>>,
        }
        let lease_ms = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
        let body = json!({"batch_size": MAX_MESSAGES, "visibility_timeout_ms": lease_ms});
        let batch: Batch = self.call("pull", &body).await?;
        Ok(batch.messages.unwrap_or_default())
    }

    /// Deletes leased messages.
    ///
    /// # Errors
    /// Returns an error if Cloudflare does not take the calls. What it was told before is deleted.
    pub(super) async fn acknowledge(
        &self,
        leases: impl IntoIterator<Item = String>,
    ) -> Result<(), QueueError> {
        self.settle("acks", leases).await
    }

    /// Gives leased messages back at once.
    ///
    /// # Errors
    /// Returns an error if Cloudflare does not take the calls. The leases end in any case.
    pub(super) async fn give_back(
        &self,
        leases: impl IntoIterator<Item = String>,
    ) -> Result<(), QueueError> {
        self.settle("retries", leases).await
    }

    async fn settle(
        &self,
        how: &str,
        leases: impl IntoIterator<Item = String>,
    ) -> Result<(), QueueError> {
        let leases = leases.into_iter().map(|id| json!({"lease_id": id}));
        let leases: Vec<Value> = leases.collect();
        for leases in leases.chunks(MAX_MESSAGES) {
            let body = json!({how: leases});
            let settled: Value = self.call("ack", &body).await?;
            if let Some(warnings) = settled.get("warnings").and_then(Value::as_object)
                && !warnings.is_empty()
            {
                tracing::warn!(
                    queue.messages = warnings.len(),
                    "Cloudflare warns of leases"
                );
            }
        }
        Ok(())
    }

    /// Calls, again and again while that may help.
    async fn call<T: DeserializeOwned>(&self, action: &str, body: &Value) -> Result<T, QueueError> {
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_max_delay(LONGEST_DELAY)
            .with_max_times(MAX_TIMES);
        (|| self.call_once(action, body))
            .retry(backoff)
            .when(QueueError::is_passing)
            .adjust(|error, delay| {
                let asked = error.after().map(|after| after.min(LONGEST_DELAY));
                delay.map(|delay| asked.map_or(delay, |asked| asked.max(delay)))
            })
            .notify(|error, after| {
                let delay_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(%error, delay_ms, "trying again");
            })
            .await
    }

    async fn call_once<T: DeserializeOwned>(
        &self,
        action: &str,
        body: &Value,
    ) -> Result<T, QueueError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(action);
        }
        let call = self.client.post(url).bearer_auth(&self.token).json(body);
        let answer = call.send().await.map_err(QueueError::Away)?;
        let (status, after) = (answer.status(), retry_after(answer.headers()));
        let bytes = answer.bytes().await.map_err(QueueError::Away)?;
        let envelope = serde_json::from_slice::<Envelope<T>>(&bytes);
        match envelope {
            Ok(Envelope {
                success: true,
                result: Some(result),
                ..
            }) if status.is_success() => Ok(result),
            Err(error) if status.is_success() => Err(QueueError::Unreadable(error)),
            envelope => Err(refused(
                status,
                envelope.ok().map(|said| said.errors),
                after,
            )),
        }
    }
}

/// What every answer of Cloudflare's API is in.
#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    #[serde(default)]
    errors: Vec<ApiError>,
    result: Option<T>,
}

#[derive(Deserialize)]
struct ApiError {
    code: i64,
    message: String,
}

fn refused(
    status: StatusCode,
    errors: Option<Vec<ApiError>>,
    after: Option<Duration>,
) -> QueueError {
    let errors = errors.unwrap_or_default();
    let said = errors
        .iter()
        .map(|error| format!("{} ({})", error.message, error.code));
    let message = said.collect::<Vec<_>>().join(", ");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => QueueError::Token(message),
        StatusCode::NOT_FOUND => QueueError::Unknown(message),
        status => QueueError::Refused {
            status,
            message,
            after,
        },
    }
}

/// Seconds; Cloudflare's API does not say dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
