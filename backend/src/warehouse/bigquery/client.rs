//! The way to BigQuery: one set of credentials for its three faces (REST, upload, Storage Read), and one way to try again.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder as Credentials, anonymous};
use google_cloud_bigquery::client::Read;

use super::super::Traffic;
use super::error::{BigQueryError, Class, with_causes};
use super::settings::Settings;

/// What the backend does: tables, jobs and Storage Read sessions.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";
/// A call that has no answer by then is taken for lost. Calls here start jobs and look at them; none waits for one.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Asking for a token may try several sources, each with its own retries.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(20);
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(32);

/// Clients of one dataset's server.
pub(super) struct Client {
    pub(super) settings: Settings,
    pub(super) rest: gcp_bigquery_client::Client,
    pub(super) http: reqwest::Client,
    pub(super) storage: Read,
    /// Base of the REST API with its host only.
    pub(super) host: String,
    /// Where the dataset lies; jobs must run there.
    pub(super) location: Option<String>,
    pub(super) counted: Counters,
    token: Token,
}

/// What has gone over the line since the start.
#[derive(Default)]
pub(super) struct Counters {
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    bytes_billed: AtomicU64,
    jobs: AtomicU64,
    requests: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn written(&self, bytes: usize) {
        self.bytes_written
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn job(&self, bytes_billed: u64) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
        self.bytes_billed.fetch_add(bytes_billed, Ordering::Relaxed);
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            bytes_billed: self.bytes_billed.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
        }
    }
}

/// Where access tokens come from: Google's Application Default Credentials, or nowhere for another server.
#[derive(Clone)]
struct Token(Option<AccessTokenCredentials>);

impl Token {
    async fn get(&self) -> Result<String, BigQueryError> {
        let Some(credentials) = &self.0 else {
            return Ok("none".to_owned());
        };
        let refused = |message: String| {
            BigQueryError::new(Class::Credentials, "asking for an access token", message)
        };
        match tokio::time::timeout(TOKEN_TIMEOUT, credentials.access_token()).await {
            Ok(Ok(token)) => Ok(token.token),
            Ok(Err(error)) => Err(refused(with_causes(&error))),
            Err(_) => Err(refused(format!(
                "no answer within {} s",
                TOKEN_TIMEOUT.as_secs()
            ))),
        }
    }
}

#[async_trait]
impl Authenticator for Token {
    async fn access_token(&self) -> Result<String, BQError> {
        // Every call asks once before, and keeps what is said there.
        self.get().await.map_err(|_| BQError::NoToken)
    }
}

impl Client {
    /// Connects and looks the dataset up.
    ///
    /// # Errors
    /// Returns an error if there are no credentials, the server cannot be reached, or the dataset does not exist or may
    /// not be seen.
    pub(super) async fn connect(settings: Settings) -> Result<Self, BigQueryError> {
        let what = "connecting";
        let broken = |error: &dyn std::error::Error| {
            BigQueryError::new(Class::Failed, what, with_causes(error))
        };
        // Two of them are compiled in by libraries beneath, and TLS wants to know which. Fails when it knows already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut rest = ClientBuilder::new();
        let mut storage = Read::builder();
        let (host, token) = match &settings.server {
            Some(server) => {
                let host = server.rest.as_str().trim_end_matches('/').to_owned();
                rest.with_v2_base_url(format!("{host}/bigquery/v2"));
                storage = storage
                    .with_endpoint(server.grpc.as_str().trim_end_matches('/'))
                    .with_credentials(anonymous::Builder::new().build());
                (host, Token(None))
            }
            None => {
                let credentials = Credentials::default()
                    .with_scopes([SCOPE])
                    .build_access_token_credentials()
                    .map_err(|error| {
                        BigQueryError::new(
                            Class::Credentials,
                            "reading credentials",
                            with_causes(&error),
                        )
                    })?;
                storage = storage.with_credentials(credentials.clone());
                (
                    "https://bigquery.googleapis.com".to_owned(),
                    Token(Some(credentials)),
                )
            }
        };
        let rest = rest
            .build_from_authenticator(Arc::new(token.clone()))
            .await
            .map_err(|error| BigQueryError::of_rest(what, error))?;
        let http = reqwest::Client::builder()
            .timeout(CALL_TIMEOUT)
            .build()
            .map_err(|error| broken(&error))?;
        let storage = storage.build().await.map_err(|error| broken(&error))?;
        let counted = Counters::default();
        let mut client = Self {
            settings,
            rest,
            http,
            storage,
            host,
            location: None,
            counted,
            token,
        };
        let Settings {
            project, dataset, ..
        } = client.settings.clone();
        let found = client
            .call(&format!("looking up dataset `{project}.{dataset}`"), || {
                client.rest.dataset().get(&project, &dataset)
            })
            .await?;
        client.location = found.location;
        Ok(client)
    }

    /// The full name of a table, as SQL has it between backticks.
    pub(super) fn full_name(&self, table: &str) -> String {
        format!(
            "{}.{}.{table}",
            self.settings.project, self.settings.dataset
        )
    }

    /// Calls the REST API, again and again while that may help.
    pub(super) async fn call<T, F, A>(&self, what: &str, call: F) -> Result<T, BigQueryError>
    where
        F: Fn() -> A + Sync,
        A: Future<Output = Result<T, BQError>> + Send,
        T: Send,
    {
        let attempt = || async {
            self.token.get().await?;
            self.counted.request();
            match tokio::time::timeout(CALL_TIMEOUT, call()).await {
                Ok(answer) => answer.map_err(|error| BigQueryError::of_rest(what, error)),
                Err(_) => Err(no_answer(what)),
            }
        };
        self.again(attempt).await
    }

    /// An access token for a call made by hand.
    pub(super) async fn access_token(&self) -> Result<String, BigQueryError> {
        self.token.get().await
    }

    /// Tries until it works, fails for good, or the time is up; says then how long it was tried.
    pub(super) async fn again<T, F, A>(&self, attempt: F) -> Result<T, BigQueryError>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, BigQueryError>>,
    {
        let start = Instant::now();
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(LONGEST_DELAY)
            .without_max_times()
            .with_total_delay(Some(self.settings.retry_for));
        let tried = attempt
            .retry(backoff)
            .when(BigQueryError::is_passing)
            .notify(|error, after| {
                let delay_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    call = error.what,
                    reason = error.message,
                    delay_ms,
                    "trying again"
                );
            })
            .await;
        tried.map_err(|error| match error.is_passing() {
            true => BigQueryError {
                message: format!(
                    "{} (tried for {} s)",
                    error.message,
                    start.elapsed().as_secs()
                ),
                gave_up: true,
                ..error
            },
            false => error,
        })
    }
}

/// The call may have been carried out or not.
pub(super) fn no_answer(what: &str) -> BigQueryError {
    BigQueryError::new(
        Class::Away,
        what,
        format!("no answer within {} s", CALL_TIMEOUT.as_secs()),
    )
}
