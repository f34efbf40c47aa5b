//! One request, from top to bottom: read, admit, enrich, judge, hand over, reply.

use futures_util::StreamExt as _;
use serde_json::json;
use worker::{Date, Env, Request};

use crate::admit::{self, Refusal};
use crate::config::{Config, Shop};
use crate::enrich::{self, Geography};
use crate::hand_over;
use crate::judge::{self, Answer, Judged, Verdict};
use crate::observe::{self, Level};
use crate::reply::Reply;
use shoptrail_schemas::batch;

/// Takes one batch.
pub async fn collect(mut request: Request, env: &Env, config: &Config) -> Reply {
    let received_at = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
    let origin = header(&request, "Origin");
    let reply = match admitted(&mut request, config, origin.as_deref()).await {
        Ok((shop, body)) => {
            let user_agent = header(&request, "User-Agent");
            let edge = enrich::enrich(
                &shop.shop_id,
                received_at,
                user_agent.as_deref(),
                geography(&request),
            );
            match judge::judge(&body, &edge) {
                Ok(judged) => hand_over_and_answer(config, env, shop, judged).await,
                Err(_) => Reply::unavailable(),
            }
        }
        Err(reply) => {
            log(Level::Info, &reply, None, (0, 0));
            reply
        }
    };
    reply.readable_by(admit::known_origin(&config.shops, origin))
}

/// Reads the body and finds its shop, or says why not.
async fn admitted<'a>(
    request: &mut Request,
    config: &'a Config,
    origin: Option<&str>,
) -> Result<(&'a Shop, Vec<u8>), Reply> {
    let body = read(request).await.map_err(Reply::refusal)?;
    let Some(write_key) = batch::write_key(&body) else {
        let rejections = batch::read_head(&body).err().unwrap_or_default();
        return Err(Reply::answer(&Answer::BadEnvelope(rejections)));
    };
    let shop = admit::shop(&config.shops, &write_key, origin).map_err(Reply::refusal)?;
    Ok((shop, body))
}

/// A body that breaks off is read as far as it came: it will not be JSON.
async fn read(request: &mut Request) -> Result<Vec<u8>, Refusal> {
    admit::announced_length(header(request, "Content-Length").as_deref())?;
    let mut body = Vec::new();
    if let Ok(mut chunks) = request.stream() {
        while let Some(Ok(chunk)) = chunks.next().await {
            admit::extend(&mut body, &chunk)?;
        }
    }
    Ok(body)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

fn geography(request: &Request) -> Geography {
    request
        .cf()
        .map_or_else(Geography::default, |cf| Geography {
            country: cf.country(),
            region: cf.region(),
            city: cf.city(),
        })
}

async fn hand_over_and_answer(config: &Config, env: &Env, shop: &Shop, judged: Judged) -> Reply {
    let (level, reply) = match hand_over::hand_over(config, env, judged.records).await {
        Ok(()) => (Level::Info, Reply::answer(&judged.answer)),
        Err(hand_over::NotDurable) => (Level::Error, Reply::unavailable()),
    };
    log(level, &reply, Some(shop), counts(&judged.answer));
    reply
}

/// Accepted and rejected events; a bad envelope hides how many it has.
fn counts(answer: &Answer) -> (usize, usize) {
    match answer {
        Answer::Verdicts(verdicts) => {
            let accepted = verdicts
                .iter()
                .filter(|verdict| matches!(verdict, Verdict::Accepted { .. }))
                .count();
            (accepted, verdicts.len().saturating_sub(accepted))
        }
        Answer::BadEnvelope(_) => (0, 0),
    }
}

fn log(level: Level, reply: &Reply, shop: Option<&Shop>, (accepted, rejected): (usize, usize)) {
    let fields = json!({
        "http.status": reply.status,
        "shop_id": shop.map(|shop| &shop.shop_id),
        "events.accepted": accepted,
        "events.rejected": rejected,
    });
    observe::log(level, "batch collected", fields);
}
