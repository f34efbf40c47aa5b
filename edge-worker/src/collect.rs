//! One request, from top to bottom: read, admit, limit, enrich, judge, hand over, reply.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use serde_json::json;
use worker::{Date, Delay, Env, Request};

use crate::admit::{self, Refusal};
use crate::body;
use crate::config::{Config, ShopConfig};
use crate::frame::Frame;
use crate::judge::{self, Circumstances, Finding, Judged};
use crate::metrics::{self, Point};
use crate::observe::{self, LogLevel};
use crate::reply::{self, HttpReply};
use crate::request::{self, header};
use crate::sample::Sampler;
use crate::{enrich, hand_over, identity, limit};

/// What became of a request, for log and metrics.
#[derive(Default)]
struct Account {
    shop_id: Option<String>,
    body_bytes: usize,
    accepted: usize,
    rejected: usize,
    warnings: usize,
}

/// Takes one batch.
pub async fn collect(mut request: Request, env: &Env, config: &Config) -> HttpReply {
    let mut account = Account::default();
    let taken = take(&mut request, env, config, &mut account).await;
    let reply = taken.unwrap_or_else(|refused| refused);
    account.note(env, &reply);
    reply.readable_by(header(&request, "Origin"))
}

async fn take(
    request: &mut Request,
    env: &Env,
    config: &Config,
    account: &mut Account,
) -> Result<HttpReply, HttpReply> {
    let received_at = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
    let body = read(request).await.map_err(HttpReply::refusal)?;
    account.body_bytes = body.len();
    let frame = Frame::read(&body);
    let write_key = frame
        .write_key(&body)
        .map_err(|rejections| HttpReply::bad_envelope(&rejections))?;
    let origin = header(request, "Origin");
    let shop =
        admit::shop(&config.shops, &write_key, origin.as_deref()).map_err(HttpReply::refusal)?;
    account.shop_id = Some(shop.shop_id.clone());
    if config.has_rate_limits {
        limit::check(env, &write_key, request)
            .await
            .map_err(HttpReply::refusal)?;
    }
    let judged = judged(request, config, shop, received_at, (&body, &frame))?;
    account.count(&judged.finding);
    hand_over::hand_over(config, env, judged.records)
        .await
        .map_err(|hand_over::NotDurable| HttpReply::unavailable())?;
    let reply = HttpReply::finding(&judged.finding);
    let cookie = identity::set_cookie(
        shop,
        request::host(request).as_deref(),
        header(request, "Cookie").as_deref(),
        judged.visitor.as_ref(),
    );
    Ok(match cookie {
        Some(cookie) => reply.with("Set-Cookie", cookie),
        None => reply,
    })
}

/// Reads the body, but neither too much of it nor for too long. One that breaks off is read as far as it came.
async fn read(request: &mut Request) -> Result<Vec<u8>, Refusal> {
    body::announced_length(header(request, "Content-Length").as_deref())?;
    let all = pin!(read_all(request));
    match select(all, Delay::from(body::PATIENCE)).await {
        Either::Left((body, _)) => body::unpack(body?),
        Either::Right(_) => Err(Refusal::TooSlow),
    }
}

async fn read_all(request: &mut Request) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    if let Ok(mut chunks) = request.stream() {
        while let Some(Ok(chunk)) = chunks.next().await {
            body::extend(&mut body, &chunk)?;
        }
    }
    Ok(body)
}

fn judged(
    request: &Request,
    config: &Config,
    shop: &ShopConfig,
    received_at: i64,
    (body, frame): (&[u8], &Frame<'_>),
) -> Result<Judged, HttpReply> {
    let headers = request::Headers::read(request);
    let edge = enrich::enrich(
        &shop.shop_id,
        received_at,
        &headers.traits(),
        request::geography(request),
    );
    let circumstances = Circumstances {
        edge: &edge,
        privacy: &config.privacy,
        rules: &config.rules,
        max_age_ms: config.max_age_ms,
    };
    let sample = || sample(&shop.shop_id, received_at);
    judge::judge(body, frame, circumstances, sample).map_err(|error| {
        let fields = json!({"shop_id": shop.shop_id, "error": error.to_string()});
        observe::log(LogLevel::Error, "batch cannot be judged", fields);
        HttpReply::unavailable()
    })
}

/// Whether this instance keeps one more refused body of a shop.
fn sample(shop_id: &str, now: i64) -> Option<u64> {
    thread_local! {
        static SAMPLERS: RefCell<HashMap<String, Sampler>> = RefCell::default();
    }
    SAMPLERS.with_borrow_mut(|samplers| samplers.entry(shop_id.to_owned()).or_default().take(now))
}

impl Account {
    fn count(&mut self, finding: &Finding) {
        if let Finding::Verdicts(verdicts) = finding {
            (self.accepted, self.rejected) = reply::counts(verdicts);
            self.warnings = verdicts.iter().map(judge::Verdict::warnings).sum();
        }
    }

    /// Counts the request, and logs it where that is worth a line.
    fn note(&self, env: &Env, reply: &HttpReply) {
        let is_counted = metrics::write(
            env,
            &Point {
                about: "collect",
                outcome: reply.outcome,
                shop_id: self.shop_id.as_deref(),
                figures: &[self.accepted, self.rejected, self.warnings, self.body_bytes],
            },
        );
        // Strangers and good batches are in the metrics; a line for each would cost more than the rest of the work.
        let is_ordinary = reply.status == 202 || self.shop_id.is_none();
        if is_counted && is_ordinary {
            return;
        }
        let level = if reply.status >= 500 {
            LogLevel::Error
        } else {
            LogLevel::Info
        };
        let fields = json!({
            "http.status": reply.status,
            "outcome": reply.outcome,
            "shop_id": self.shop_id,
            "events.accepted": self.accepted,
            "events.rejected": self.rejected,
            "events.warnings": self.warnings,
        });
        observe::log(level, "batch collected", fields);
    }
}
