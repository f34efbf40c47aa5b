//! `shoptrail forget`: erases a person from bronze to gold.
//!
//! The person's records are deleted from bronze and every other table is built again, so that all tables are as if the person
//! had never come. What replaced files and old versions still hold is deleted too. Then every table is looked at again.

mod ids;
mod look;
mod uncleaned;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::bronze;
use crate::build::{self, Mode};
use crate::config::Reporting;
use crate::judging::JudgingArgs;
use crate::warehouse::{Person, Warehouse};

/// Flags of `shoptrail forget`.
#[derive(Args, Clone, Debug)]
pub struct ForgetArgs {
    /// Visitor to forget, by the tracker's id (`anonymous_id`); may be given several times
    #[arg(long = "visitor", value_name = "ID", required_unless_present = "users")]
    pub visitors: Vec<String>,
    /// Customer to forget, by the shop's number (`user_id`), with the visitors who were last known as this customer; may be given
    /// several times
    #[arg(long = "user", value_name = "ID")]
    pub users: Vec<String>,
    /// Shop that the ids are of; without it all shops
    #[arg(long, value_name = "SHOP")]
    pub shop: Option<String>,
    /// Counts the rows that would go, and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How the tables are built again
    #[command(flatten)]
    pub reporting: Reporting,
    /// How events are judged then
    #[command(flatten)]
    pub judging: JudgingArgs,
}

/// What `forget` found and did. It names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// Ids of visitors that the person is known as, the hashes of them among these.
    pub visitors: usize,
    /// Rows that told of the person, by table; tables without one are left out.
    pub found: BTreeMap<String, usize>,
    /// Tables that were looked at afterwards and have no row of the person; none in a dry run.
    pub looked_at: usize,
    /// Version of the publication without the person; none in a dry run.
    pub publication: Option<u64>,
    /// Where the person's data may still be, and until when.
    pub remains: Vec<&'static str>,
}

/// What this command cannot reach: Kafka deletes no single record.
const KAFKA: &str = "Kafka: the topic of the events, and the dead letters of refused ones (`.dlq`), keep their records until the \
    retention time of each topic has passed; do not replay dead letters of the person before that";

/// Erases a person, or counts what would go.
///
/// # Errors
/// Returns an error if a setting has a fault, the warehouse fails, another writer was faster, or a row of the person is still there at the end.
pub async fn run(warehouse: &dyn Warehouse, args: &ForgetArgs) -> anyhow::Result<Erasure> {
    let reporting = args.reporting.with(&args.judging)?;
    let person = ids::of(warehouse, args, &reporting.judging.privacy).await?;
    let found = look::everywhere(warehouse, &person).await?;
    let mut erasure = Erasure {
        visitors: person.visitors.len(),
        found: found.clone(),
        remains: vec![KAFKA],
        ..Erasure::default()
    };
    if args.dry_run {
        return Ok(erasure);
    }
    erase(warehouse, &person).await?;
    let built = build::run(warehouse, &reporting, Mode::Rebuild);
    built.await.context("building every table again")?;
    build::drop_samples(warehouse, |samples| ids::tells(samples, &person)).await?;
    erasure
        .remains
        .extend(warehouse.purge(&build::tables()).await?);
    let left = look::everywhere(warehouse, &person).await?;
    ensure!(
        left.is_empty(),
        "rows of the person are still there, by table: {left:?}\nhint: events have landed meanwhile; stop `shoptrail land` and run again"
    );
    erasure.looked_at = build::tables().len();
    erasure.publication = Some(warehouse.publication().await?.version);
    tracing::info!(rows = found.values().sum::<usize>(), "erased");
    Ok(erasure)
}

/// Deletes the person's records from bronze.
async fn erase(warehouse: &dyn Warehouse, person: &Person) -> anyhow::Result<()> {
    for table in [&bronze::EVENTS, &bronze::QUARANTINE] {
        let keys = look::rows(warehouse, table, person).await?;
        if keys.height() > 0 {
            warehouse.delete(table, keys).await?;
        }
    }
    warehouse.sink_rows(person, true).await?;
    Ok(())
}
