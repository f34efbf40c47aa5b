//! Posts batches to the edge as browsers do, and keeps count of the verdicts.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::Rng;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, ORIGIN, RETRY_AFTER, USER_AGENT};
use serde::{Deserialize, Serialize};
use shoptrail_schemas::{Batch, BatchHead, BatchInfo, Context, Event, EventType, Tracker, money};
use tokio_util::sync::CancellationToken;

/// The longest wait before the first repetition; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait, also for what the edge asks.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Tries of one batch: with waits of five seconds on average they last through an outage of about a minute.
const TRIES: u32 = 16;

/// Where a shopper is. The local stack's edge believes it, as all come from one address; Cloudflare's network says it
/// itself and knows no such header.
const COUNTRY: &str = "simulated-country";

/// A request that got no answer in this time is tried again.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How many events were sent, and with what result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SentReport {
    /// The seed that makes the same shoppers again.
    pub seed: u64,
    /// Visits begun.
    pub sessions: u64,
    /// Events sent.
    pub events: u64,
    /// Events the edge accepted.
    pub accepted: u64,
    /// Events the edge rejected.
    pub rejected: u64,
    /// Events of batches that the edge never answered.
    pub failed: u64,
    /// Requests that were repeated.
    pub retried: u64,
    /// Purchases among the accepted events.
    pub purchases: u64,
    /// Refunds among the accepted events.
    pub refunds: u64,
    /// The accepted purchases' value, minor units of `currency`.
    pub revenue_minor: i64,
    /// The accepted refunds' value, minor units of `currency`.
    pub refunds_minor: i64,
    /// The currency of the amounts.
    pub currency: String,
}

/// Where batches go.
pub struct EdgeClient {
    client: reqwest::Client,
    url: String,
    key: String,
    origin: String,
    /// Cancelled when nothing more is to be tried.
    pub stop: CancellationToken,
}

/// Events of one visit that go together.
pub struct VisitBatch {
    /// The header `User-Agent`.
    pub user_agent: &'static str,
    /// Where the browser is, ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// What the browser says about itself.
    pub context: Context,
    /// 100 or fewer.
    pub events: Vec<Event>,
}

/// The edge's reply to a batch.
#[derive(Deserialize)]
struct BatchReply {
    accepted: u64,
    #[serde(default)]
    events: Vec<EventVerdict>,
}

#[derive(Deserialize)]
struct EventVerdict {
    index: usize,
    status: String,
}

/// The result of one try.
enum Try {
    Answered(BatchReply),
    Again { reason: String, least: Duration },
}

impl EdgeClient {
    /// The edge at `url`, for the shop with this write key and origin.
    ///
    /// # Errors
    /// Returns an error if no HTTP client can be made.
    pub fn new(url: &str, key: &str, origin: &str, stop: CancellationToken) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .context("cannot make an HTTP client")?;
        let url = format!("{}/b", url.trim_end_matches('/'));
        Ok(Self {
            client,
            url,
            key: key.to_owned(),
            origin: origin.trim_end_matches('/').to_owned(),
            stop,
        })
    }

    /// Posts a batch until the edge answers, and reports the result.
    ///
    /// # Errors
    /// Returns an error if the edge refuses the write key or the origin: trying again would not help.
    pub async fn send(&self, batch: &VisitBatch) -> Result<SentReport> {
        let mut report = SentReport {
            events: count(batch.events.len()),
            ..SentReport::default()
        };
        for tried in 0..TRIES {
            let body = self.body(batch)?;
            match self.post(batch.user_agent, batch.country, body).await? {
                Try::Answered(reply) => {
                    report.add_reply(batch, &reply);
                    return Ok(report);
                }
                Try::Again { reason, least } => {
                    tracing::debug!(reason, tried, "the batch was not accepted");
                    report.retried += 1;
                    tokio::select! {
                        () = self.stop.cancelled() => break,
                        () = tokio::time::sleep(wait(tried, least)) => {}
                    }
                }
            }
        }
        tracing::warn!(events = report.events, "gave up on a batch");
        report.failed = report.events;
        Ok(report)
    }

    /// Posts events as they are, once, and reports the result.
    ///
    /// # Errors
    /// Returns an error if the edge does not answer, or refuses the write key or the origin.
    pub async fn send_as_they_are(
        &self,
        user_agent: &'static str,
        country: &'static str,
        events: &[serde_json::Value],
    ) -> Result<SentReport> {
        let batch = serde_json::json!({
            "write_key": self.key,
            "sent_at": super::now(),
            "tracker": tracker(),
            "events": events,
        });
        let events = count(events.len());
        match self.post(user_agent, country, batch.to_string()).await? {
            Try::Answered(reply) => Ok(SentReport {
                events,
                accepted: reply.accepted,
                rejected: events.saturating_sub(reply.accepted),
                ..SentReport::default()
            }),
            Try::Again { reason, .. } => bail!("the edge took no events with mistakes: {reason}"),
        }
    }

    async fn post(
        &self,
        user_agent: &'static str,
        country: &'static str,
        body: String,
    ) -> Result<Try> {
        let request = self
            .client
            .post(&self.url)
            .header(USER_AGENT, user_agent)
            // As browsers send them: the edge takes what lacks them for a program, the more the surer.
            .header(ACCEPT_LANGUAGE, "de,en;q=0.8")
            .header("sec-fetch-site", "cross-site")
            .header(ORIGIN, &self.origin)
            .header(COUNTRY, country)
            .header(CONTENT_TYPE, "text/plain;charset=UTF-8")
            .body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return Ok(Try::Again {
                    reason: error.to_string(),
                    least: Duration::ZERO,
                });
            }
        };
        let status = response.status();
        let least = retry_after(&response);
        let Ok(text) = response.text().await else {
            return Ok(Try::Again {
                reason: "the reply broke off".to_owned(),
                least,
            });
        };
        self.judge(status, &text, least)
    }

    fn judge(&self, status: StatusCode, text: &str, least: Duration) -> Result<Try> {
        match status {
            StatusCode::ACCEPTED | StatusCode::MULTI_STATUS => {
                let reply = serde_json::from_str(text)
                    .with_context(|| format!("the edge's reply has no verdicts: {text}"))?;
                Ok(Try::Answered(reply))
            }
            StatusCode::BAD_REQUEST => {
                tracing::warn!(reply = text, "the edge refused a whole batch");
                Ok(Try::Answered(BatchReply {
                    accepted: 0,
                    events: Vec::new(),
                }))
            }
            StatusCode::TOO_MANY_REQUESTS => Ok(Try::Again {
                reason: status.to_string(),
                least,
            }),
            _ if status.is_server_error() => Ok(Try::Again {
                reason: status.to_string(),
                least,
            }),
            _ => bail!(
                "the edge answers {status} to key `{}` from `{}`: {text}",
                self.key,
                self.origin
            ),
        }
    }

    /// Written again for each try: `sent_at` tells the pipeline when the events happened.
    fn body(&self, batch: &VisitBatch) -> Result<String> {
        let info = BatchInfo {
            sent_at: super::now(),
            tracker: tracker(),
            context: Some(batch.context.clone()),
        };
        let head = BatchHead {
            write_key: self.key.clone(),
            info,
        };
        serde_json::to_string(&Batch {
            head,
            events: batch.events.clone(),
        })
        .context("cannot write a batch")
    }
}

fn tracker() -> Tracker {
    Tracker {
        name: "shoptrail-simulate".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

impl SentReport {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.events += other.events;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.retried += other.retried;
        self.purchases += other.purchases;
        self.refunds += other.refunds;
        self.revenue_minor += other.revenue_minor;
        self.refunds_minor += other.refunds_minor;
    }

    fn add_reply(&mut self, batch: &VisitBatch, reply: &BatchReply) {
        self.accepted += reply.accepted;
        self.rejected += self.events.saturating_sub(reply.accepted);
        for (index, event) in batch.events.iter().enumerate() {
            let refused = reply
                .events
                .iter()
                .any(|verdict| verdict.index == index && verdict.status != "accepted");
            if reply.accepted > 0 && !refused {
                self.add_sale(event);
            }
        }
    }

    fn add_sale(&mut self, event: &Event) {
        let amount = event.value.zip(event.currency.as_deref());
        let minor = amount
            .and_then(|(value, currency)| money::minor_units(value, currency).ok())
            .unwrap_or(0);
        match event.event_type {
            EventType::Purchase => {
                self.purchases += 1;
                self.revenue_minor += minor;
            }
            EventType::Refund => {
                self.refunds += 1;
                self.refunds_minor += minor;
            }
            _ => {}
        }
    }
}

/// Full jitter: anything up to the doubled wait, so that many that failed together do not come back together; but not
/// before the edge asks.
fn wait(tried: u32, least: Duration) -> Duration {
    let most = FIRST_WAIT
        .saturating_mul(2_u32.saturating_pow(tried))
        .min(LONGEST_WAIT);
    least.min(LONGEST_WAIT) + most.mul_f64(rand::rng().random())
}

fn retry_after(response: &reqwest::Response) -> Duration {
    let header = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    header
        .and_then(|seconds| seconds.trim().parse().ok())
        .map_or(Duration::ZERO, Duration::from_secs)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge() -> EdgeClient {
        EdgeClient::new(
            "http://127.0.0.1:1/",
            "pk_demo",
            "http://127.0.0.1:8080/",
            CancellationToken::new(),
        )
        .expect("a client")
    }

    #[test]
    fn waits_grow_to_their_limit_and_honour_the_edge() {
        assert!(wait(0, Duration::ZERO) <= FIRST_WAIT);
        assert!(wait(40, Duration::ZERO) <= LONGEST_WAIT);
        assert!(wait(0, Duration::from_secs(5)) >= Duration::from_secs(5));
        assert!(wait(0, Duration::from_secs(9_999)) <= 2 * LONGEST_WAIT);
    }

    #[test]
    fn unknown_key_is_named_and_not_tried_again() {
        let answer = edge().judge(StatusCode::UNAUTHORIZED, "{}", Duration::ZERO);
        let error = answer.err().expect("a wrong key is an error").to_string();
        assert_eq!(
            error,
            "the edge answers 401 Unauthorized to key `pk_demo` from `http://127.0.0.1:8080`: {}"
        );
    }

    #[test]
    fn busy_edge_is_tried_again() {
        for status in [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::BAD_GATEWAY,
        ] {
            assert!(
                matches!(
                    edge().judge(status, "", Duration::ZERO),
                    Ok(Try::Again { .. })
                ),
                "{status}"
            );
        }
    }

    #[test]
    fn refused_purchase_is_no_revenue() {
        let world = crate::simulate::world::World::around("http://127.0.0.1:8080")
            .expect("the catalogue is whole");
        let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
        let visits = crate::simulate::crowd::history(&world, 100, 0, 86_400_000, &mut rng);
        let mut events = visits.into_iter().flat_map(|visit| visit.events);
        let purchase = events
            .find(|event| event.event_type == EventType::Purchase)
            .expect("one of a hundred bought");
        let view = Event {
            event_type: EventType::PageView,
            ..purchase.clone()
        };
        let batch = VisitBatch {
            user_agent: "",
            country: "DE",
            context: Context::default(),
            events: vec![view, purchase],
        };
        let verdicts = |second: &str| BatchReply {
            accepted: 1,
            events: vec![
                EventVerdict {
                    index: 0,
                    status: "accepted".to_owned(),
                },
                EventVerdict {
                    index: 1,
                    status: second.to_owned(),
                },
            ],
        };
        let mut report = SentReport {
            events: 2,
            ..SentReport::default()
        };
        report.add_reply(&batch, &verdicts("rejected"));
        assert_eq!(
            (
                report.accepted,
                report.rejected,
                report.purchases,
                report.revenue_minor
            ),
            (1, 1, 0, 0)
        );
        report.add_reply(&batch, &verdicts("accepted"));
        assert_eq!(report.purchases, 1);
        assert!(report.revenue_minor > 0);
    }
}
