//! `shoptrail land`: Kafka to bronze.
//!
//! One lander reads all partitions of the topic from the offsets that bronze itself holds, and appends rows and offsets
//! in one step, so that a kill at any instant loses nothing and doubles nothing. Kafka's own committed offsets are not
//! used for anything.

mod decode;
mod limits;
mod rows;
mod source;
mod start;

use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub use self::limits::Limits;
use self::rows::Rows;
use self::source::{Polled, Source};
use crate::attention::Attention;
use crate::judging::JudgingArgs;
use crate::kafka::KafkaArgs;
use crate::telemetry;
use crate::warehouse::{Landing, Offsets, Warehouse};

/// Flags of `shoptrail land`.
#[derive(Args, Clone, Debug)]
pub struct LandArgs {
    /// Takes what is in the topic now, prints what was done, then ends
    #[arg(long)]
    pub once: bool,
    /// Continues with the oldest record there is where Kafka has deleted records that never landed
    #[arg(long)]
    pub skip_gone: bool,
    /// Number of times the topic has been deleted and created again; offsets are kept apart for each
    #[arg(
        long,
        value_name = "N",
        env = "SHOPTRAIL_LAND_GENERATION",
        default_value_t = 0
    )]
    pub generation: u32,
    /// Whether landings hurry
    #[command(flatten)]
    pub attention: Attention,
    /// When a landing is made
    #[command(flatten)]
    pub limits: Limits,
    /// How events are judged
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// Where Kafka is and how to reach it
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

impl LandArgs {
    /// The topic as bronze names it: one that was made again is another one.
    fn stream(&self) -> String {
        match self.generation {
            0 => self.kafka.topic.clone(),
            generation => format!("{}#{generation}", self.kafka.topic),
        }
    }
}

/// What a run of landings did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LandSummary {
    /// Rows that landed in bronze.
    pub rows: usize,
    /// Rows that landed in quarantine.
    pub quarantined: usize,
    /// Landings made.
    pub landings: usize,
    /// Offsets between what has landed and the end of the topic, when it was last looked at.
    pub lag: i64,
}

/// Lands until `stop` is cancelled (with `--once`: until the end that the topic has now).
///
/// # Errors
/// Returns an error if a setting has a fault, Kafka or the warehouse fails for good, records are gone that never landed, or
/// another lander is at work.
pub async fn run(
    args: &LandArgs,
    warehouse: &dyn Warehouse,
    stop: &CancellationToken,
) -> anyhow::Result<LandSummary> {
    let judging = args.judging.read()?;
    let stream = args.stream();
    let mut landed = warehouse.offsets(&stream).await?;
    let mut source = blocking(|| Source::start(args, &landed))?;
    let mut summary = LandSummary::default();
    while !(stop.is_cancelled() || args.once && source.is_through(&landed)) {
        telemetry::reads(source.lag(&landed), source.is_in_reach());
        let mut rows = Rows::new(&stream, &judging);
        let collected = blocking(|| collect(&source, args, &landed, &mut rows, stop));
        // What came before a fault lands before it is told.
        if !rows.is_empty() {
            (summary.rows, summary.quarantined) = (
                summary.rows + rows.events(),
                summary.quarantined + rows.quarantined(),
            );
            summary.landings += 1;
            landed = land(warehouse, &source, &stream, landed, rows).await?;
        }
        match collected? {
            Collected::Enough => {}
            // Everything that was read has landed, so that reading can begin again at the landed offsets.
            Collected::Restart => source = blocking(|| Source::start(args, &landed))?,
        }
    }
    summary.lag = source.lag(&landed);
    Ok(summary)
}

/// Waiting for Kafka blocks the thread, which has nothing else to do.
fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(wait)
}

async fn land(
    warehouse: &dyn Warehouse,
    source: &Source,
    stream: &str,
    landed: Offsets,
    rows: Rows<'_>,
) -> anyhow::Result<Offsets> {
    let start = Instant::now();
    let mut up_to = landed.clone();
    up_to.extend(rows.offsets());
    let (events, quarantine) = rows.into_frames()?;
    let (landed_rows, quarantined_rows) = (events.height(), quarantine.height());
    let landing = Landing {
        topic: stream.to_owned(),
        after: landed,
        up_to: up_to.clone(),
        events,
        quarantine,
    };
    warehouse.land(landing).await?;
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    telemetry::landed(landed_rows, quarantined_rows);
    tracing::info!(
        rows.landed = landed_rows,
        rows.quarantined = quarantined_rows,
        kafka.lag = source.lag(&up_to),
        duration_ms,
        "landed"
    );
    Ok(up_to)
}

/// Why no more is collected.
enum Collected {
    /// There is enough, or nothing comes.
    Enough,
    /// The topic has other partitions, or other offsets, than reading began with.
    Restart,
}

/// Collects records until there are enough, the first has waited long enough, or nothing comes.
fn collect(
    source: &Source,
    args: &LandArgs,
    landed: &Offsets,
    rows: &mut Rows<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Collected> {
    let mut first: Option<Instant> = None;
    while !stop.is_cancelled() {
        let age = first.map(|at| at.elapsed());
        let limits = args.limits.unhurried(!args.attention.is_paid());
        if limits.is_reached(rows, age) {
            break;
        }
        let wait = limits.wait(age);
        match source.poll(wait)? {
            Polled::Record(message) => {
                rows.push(&message)?;
                first.get_or_insert_with(Instant::now);
            }
            Polled::Changed => return Ok(Collected::Restart),
            Polled::Nothing if first.is_none() => break,
            Polled::Nothing if args.once && source.is_through(&rows.reached(landed)) => break,
            Polled::Nothing => {}
        }
    }
    Ok(Collected::Enough)
}
