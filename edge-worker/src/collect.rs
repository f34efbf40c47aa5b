//! One request, from top to bottom: read, admit, limit, enrich, judge, hand over, reply.

use std::cell::RefCell;

use serde_json::json;
use worker::Date;
use worker::wasm_bindgen::JsValue;
use worker::worker_sys::web_sys;

use crate::admit::{self, Refusal};
use crate::body;
use crate::config::{Config, ShopConfig};
use crate::frame::Frame;
use crate::judge::{self, Circumstances, Finding, Judged};
use crate::observe::{self, LogLevel};
use crate::reply::{self, HttpReply};
use crate::request::{Fact, RequestFacts};
use crate::sample::{Refused, Sampler};
use crate::{enrich, hand_over, identity, limit, platform};

/// What became of a request, for log and metrics.
#[derive(Default)]
struct Account {
    shop_id: Option<String>,
    body_bytes: usize,
    accepted: usize,
    rejected: usize,
    warnings: usize,
    /// What was refused and is not in a dead letter.
    not_kept: usize,
}

/// A request that brings a batch.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The platform's object: it has the body.
    pub request: &'a web_sys::Request,
    /// What is known of it beside its body.
    pub facts: &'a RequestFacts,
    /// What is bound to the Worker.
    pub env: &'a JsValue,
}

/// Takes one batch.
pub async fn collect(incoming: Incoming<'_>, config: &Config) -> HttpReply {
    let mut account = Account::default();
    let taken = take(incoming, config, &mut account).await;
    let reply = taken.unwrap_or_else(|refused| refused);
    account.note(incoming.env, &reply);
    reply.readable_by(incoming.facts.get(Fact::Origin))
}

async fn take(
    incoming: Incoming<'_>,
    config: &Config,
    account: &mut Account,
) -> Result<HttpReply, HttpReply> {
    let Incoming { facts, env, .. } = incoming;
    let received_at = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
    let body = read(incoming).await.map_err(HttpReply::refusal)?;
    account.body_bytes = body.len();
    let frame = Frame::read(&body);
    let write_key = frame
        .write_key(&body)
        .map_err(|rejections| HttpReply::bad_envelope(&rejections))?;
    let origin = facts.get(Fact::Origin);
    let shop = admit::shop(&config.shops, &write_key, origin).map_err(HttpReply::refusal)?;
    account.shop_id = Some(shop.shop_id.clone());
    if config.has_rate_limits {
        limit::check(env, &write_key, facts.get(Fact::Address))
            .await
            .map_err(HttpReply::refusal)?;
    }
    let judged = judged(facts, config, shop, received_at, (&body, &frame))?;
    account.count(&judged.finding);
    let lost = hand_over::hand_over(config, env, judged.records)
        .await
        .map_err(|hand_over::NotDurable| HttpReply::unavailable())?;
    account.not_kept = judged.not_kept.saturating_add(lost);
    let reply = HttpReply::finding(&judged.finding);
    let cookie = identity::set_cookie(
        shop,
        origin,
        facts.host(),
        facts.get(Fact::Cookie),
        judged.visitor.as_ref(),
    );
    Ok(match cookie {
        Some(cookie) => reply.with("Set-Cookie", cookie),
        None => reply,
    })
}

async fn read(incoming: Incoming<'_>) -> Result<Vec<u8>, Refusal> {
    let announced = body::announced_length(incoming.facts.get(Fact::ContentLength))?;
    let body = platform::read(incoming.request, announced.is_some()).await?;
    body::unpack(body)
}

fn judged(
    facts: &RequestFacts,
    config: &Config,
    shop: &ShopConfig,
    received_at: i64,
    (body, frame): (&[u8], &Frame<'_>),
) -> Result<Judged, HttpReply> {
    let edge = enrich::enrich(
        &shop.shop_id,
        received_at,
        &facts.traits(),
        facts.geography(),
    );
    let circumstances = Circumstances {
        edge: &edge,
        privacy: &config.privacy,
        rules: &config.rules,
        max_age_ms: config.max_age_ms,
    };
    let sample = |refused: Refused<'_>| sample(&shop.shop_id, refused, received_at);
    judge::judge(body, frame, circumstances, sample).map_err(|error| {
        let fields = json!({"shop_id": shop.shop_id, "error": error.to_string()});
        observe::log(LogLevel::Error, "batch cannot be judged", fields);
        HttpReply::unavailable()
    })
}

/// Whether this instance keeps one more of what was refused of a shop.
fn sample(shop_id: &str, refused: Refused<'_>, now: i64) -> Option<u64> {
    thread_local! {
        /// By shop: there are few.
        static SAMPLERS: RefCell<Vec<(String, Sampler)>> = RefCell::default();
    }
    SAMPLERS.with_borrow_mut(|samplers| {
        let known = samplers.iter_mut().find(|(known, _)| known == shop_id);
        if let Some((_, sampler)) = known {
            return sampler.take(refused, now);
        }
        let mut sampler = Sampler::default();
        let taken = sampler.take(refused, now);
        samplers.push((shop_id.to_owned(), sampler));
        taken
    })
}

impl Account {
    fn count(&mut self, finding: &Finding) {
        if let Finding::Verdicts(verdicts) = finding {
            (self.accepted, self.rejected) = reply::counts(verdicts);
            self.warnings = verdicts.iter().map(judge::Verdict::warnings).sum();
        }
    }

    /// Counts the request, and logs it where that is worth a line.
    fn note(&self, env: &JsValue, reply: &HttpReply) {
        let figures = [
            self.accepted,
            self.rejected,
            self.warnings,
            self.body_bytes,
            self.not_kept,
        ];
        let is_counted = platform::count(
            env,
            "collect",
            reply.outcome,
            self.shop_id.as_deref().unwrap_or_default(),
            &figures.map(|figure| figure as f64),
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
            "dead_letters.not_kept": self.not_kept,
        });
        observe::log(level, "batch collected", fields);
    }
}
