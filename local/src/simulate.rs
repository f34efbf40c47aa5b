//! `shoptrail simulate`: seeded, believable shoppers who send to the edge as browsers do.
//!
//! Follow a shopper: [`shopper`] says who they are, [`crowd`] when they come, [`journey`] what they do in the [`world`] of
//! the shop, [`send`] posts it. Everything but sending is pure: the same seed and time make the same events.
//!
//! With `--out` nothing is sent: [`crate::answer_key`] writes a world into files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::SeedableRng;
use rand::rngs::StdRng;
use shoptrail_schemas::Event;
use tokio_util::sync::CancellationToken;

pub mod crowd;
pub mod device;
pub mod journey;
mod mistakes;
pub mod send;
pub mod sending;
pub mod shopper;
pub mod world;

use crate::answer_key;
use crowd::{Crowd, Visit};
use send::{EdgeClient, SentReport, VisitBatch};
use sending::{SendPace, Sending, Turn};
use world::World;

const DAY_MS: i64 = 24 * 3_600_000;

/// The last visit of a history starts this long ago, so that it has ended by now.
const VISIT_MS: i64 = 3_600_000;

/// Events of one batch of a history: fewer than the 100 that the edge accepts, as a tracker would send.
const BATCH_EVENTS: usize = 40;

/// Events of an average visit; decides how often live visitors come for a given rate.
const EVENTS_PER_VISIT: f64 = 14.0;

/// A live visitor's events are sent together if they happen within this time, as the tracker does.
const LIVE_WINDOW_MS: i64 = 2_000;

/// Options of `shoptrail simulate`.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// The edge's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    pub edge: String,
    /// The shop's write key
    #[arg(long, default_value = "pk_demo")]
    pub key: String,
    /// The shop's origin, as browsers would name it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub origin: String,
    /// The same seed makes the same shoppers; without it, one is chosen and reported
    #[arg(long)]
    pub seed: Option<u64>,
    /// Sends nothing, and writes into this folder, which is empty or new, records as Kafka has them and what every table must
    /// say of them
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["edge", "key", "origin", "shoppers", "days", "mistakes", "rate", "live"]
    )]
    pub out: Option<PathBuf>,
    /// Number of records in that folder, repetitions included; the last household is finished
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..), requires = "out")]
    pub events: u64,
    /// Number of visits
    #[arg(long, default_value_t = 100, conflicts_with = "live")]
    pub shoppers: usize,
    /// Number of past days over which the visits are spread
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=3650), conflicts_with = "live")]
    pub days: i64,
    /// Sends so many events with mistakes in them as well: most are refused with a reason, some repaired with a warning
    #[arg(long, value_name = "EVENTS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "live")]
    pub mistakes: u8,
    /// Events per second; 0: as fast as the edge accepts them
    #[arg(long, default_value_t = 0.0)]
    pub rate: f64,
    /// Sends visits in real time until it is stopped
    #[arg(long)]
    pub live: bool,
}

/// Sends the shoppers' events, or writes them into files, and prints a report as one line of JSON.
///
/// # Errors
/// Returns an error if the options are wrong, the edge refuses the key or the origin, events could not be delivered, or files
/// not be written.
pub async fn run(args: SimulateArgs, stop: &CancellationToken) -> Result<()> {
    let seed = args.seed.unwrap_or_else(rand::random);
    match &args.out {
        Some(out) => write(out.clone(), args.events, seed, stop.clone()).await,
        None => send(args, seed, stop).await,
    }
}

/// Writes a world into files.
async fn write(out: PathBuf, events: u64, seed: u64, stop: CancellationToken) -> Result<()> {
    let work = tokio::task::spawn_blocking(move || answer_key::write(&out, events, seed, &stop));
    let written = work.await.context("the world was not written")??;
    println!("{}", serde_json::to_string(&written)?);
    Ok(())
}

async fn send(args: SimulateArgs, seed: u64, stop: &CancellationToken) -> Result<()> {
    if !args.rate.is_finite() || args.rate < 0.0 || (args.live && args.rate == 0.0) {
        bail!(
            "`--rate` is {}\nhint: events per second, more than 0 with `--live`",
            args.rate
        );
    }
    let world = World::around(&args.origin)?;
    let edge = EdgeClient::new(&args.edge, &args.key, &args.origin, stop.clone())?;
    let rng = StdRng::seed_from_u64(seed);
    let mut report = match args.live {
        true => live(&world, edge, &args, rng).await?,
        false => history(&world, edge, &args, rng).await?,
    };
    (report.seed, report.currency) = (seed, world.currency.clone());
    println!("{}", serde_json::to_string(&report)?);
    delivered(&report, stop.is_cancelled())
}

/// Batches that a stop cut off are no failure.
fn delivered(report: &SentReport, stopped: bool) -> Result<()> {
    if report.failed > 0 && !stopped {
        bail!(
            "the edge did not answer for {} of {} events\nhint: is it running, and at the address that `--edge` names?",
            report.failed,
            report.events
        );
    }
    Ok(())
}

/// Sends a bounded number of visits that lie in the past.
async fn history(
    world: &World,
    edge: EdgeClient,
    args: &SimulateArgs,
    mut rng: StdRng,
) -> Result<SentReport> {
    let now = now();
    let visits = crowd::history(
        world,
        args.shoppers,
        now - args.days * DAY_MS,
        now - VISIT_MS,
        &mut rng,
    );
    let total: usize = visits.iter().map(|visit| visit.events.len()).sum();
    let mut sending = Sending::new(&format!("of {total} events"));
    sending.report.sessions = u64::try_from(visits.len())?;
    if let (true, Some(visit)) = (args.mistakes > 0, visits.first()) {
        let events = mistakes::events(args.mistakes.into(), now, &args.origin, &mut rng);
        let report = edge
            .send_as_they_are(visit.user_agent, visit.country, &events)
            .await?;
        sending.report.add(&report);
    }
    let stop = edge.stop.clone();
    let edge = Arc::new(edge);
    let mut pace = SendPace::new(args.rate);
    for batch in visits.into_iter().flat_map(batches) {
        if pace.turn(batch.events.len(), &stop).await == Turn::Stopped {
            break;
        }
        let edge = Arc::clone(&edge);
        sending
            .start(async move { edge.send(&batch).await })
            .await?;
    }
    sending.finish().await
}

/// A visit's events in batches.
fn batches(visit: Visit) -> Vec<VisitBatch> {
    let Visit {
        user_agent,
        country,
        context,
        events,
    } = visit;
    let batch = |events: &[Event]| VisitBatch {
        user_agent,
        country,
        context: context.clone(),
        events: events.to_vec(),
    };
    events.chunks(BATCH_EVENTS).map(batch).collect()
}

/// Sends visits in real time until stopped.
async fn live(
    world: &World,
    edge: EdgeClient,
    args: &SimulateArgs,
    mut rng: StdRng,
) -> Result<SentReport> {
    let mut crowd = Crowd::default();
    let mut sending = Sending::new("events; Ctrl-C stops");
    let stop = edge.stop.clone();
    let edge = Arc::new(edge);
    let mut pace = SendPace::new(args.rate / EVENTS_PER_VISIT);
    while pace.turn(1, &stop).await == Turn::Come {
        let visit = crowd.next(world, now(), &mut rng);
        sending.report.sessions += 1;
        sending.start_beside(stroll(visit, Arc::clone(&edge)))?;
    }
    sending.finish().await
}

/// Sends one visit's events when they happen.
async fn stroll(visit: Visit, edge: Arc<EdgeClient>) -> Result<SentReport> {
    let Visit {
        user_agent,
        country,
        context,
        events,
    } = visit;
    let mut report = SentReport::default();
    let mut rest = events.into_iter().peekable();
    while let Some(first) = rest.next() {
        let until = first.event_timestamp + LIVE_WINDOW_MS;
        let mut events = vec![first];
        while let Some(next) = rest.next_if(|event| event.event_timestamp <= until) {
            events.push(next);
        }
        let wait = Duration::from_millis((until - now()).max(0).unsigned_abs());
        tokio::select! {
            () = edge.stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
        report.add(
            &edge
                .send(&VisitBatch {
                    user_agent,
                    country,
                    context: context.clone(),
                    events,
                })
                .await?,
        );
    }
    Ok(report)
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: SimulateArgs,
    }

    #[test]
    fn world_in_files_has_no_flags_of_sending_and_sending_has_none_of_files() {
        Command::command().debug_assert();
        let parse = |flags: &str| {
            let words = ["simulate"].into_iter().chain(flags.split_whitespace());
            Command::try_parse_from(words).map(|command| command.args)
        };
        let args = parse("--out world --seed 3").expect("all that is needed");
        assert_eq!((args.events, args.seed), (200_000, Some(3)));
        assert!(args.out.is_some());
        assert!(parse("--shoppers 3").is_ok_and(|args| args.out.is_none()));
        for wrong in [
            "--events 3",
            "--out world --live --rate 3",
            "--out world --days 3",
            "--out world --edge http://127.0.0.1:1",
            "--out world --events 0",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_without_an_answer_are_a_failure_unless_the_run_was_stopped() {
        let report = SentReport {
            events: 5,
            failed: 2,
            ..SentReport::default()
        };
        let error = delivered(&report, false).expect_err("two are missing");
        assert!(error.to_string().contains("2 of 5 events"), "{error}");
        assert!(delivered(&report, true).is_ok());
        assert!(delivered(&SentReport::default(), false).is_ok());
    }
}
