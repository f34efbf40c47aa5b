//! `shoptrail doctor`: what the stack needs, and how the tables are.

use std::io;
use std::path::PathBuf;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use clap::Args;
use shoptrail_local::doctor::{self, DoctorFinding, Health};

use super::warehouse::WarehouseArgs;
use crate::warehouse::Publication;

/// Flags of `shoptrail doctor`.
#[derive(Args, Clone, Debug)]
pub(super) struct DoctorArgs {
    /// Folder of everything the stack keeps
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Folder of the project, if this is started elsewhere
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Ports that the stack is to have
    #[arg(long = "port", value_name = "PORT", default_values_t = [8080, 8787])]
    ports: Vec<u16>,
}

/// Prints what was found.
///
/// # Errors
/// Returns an error if something is wrong.
pub(super) async fn run(args: &DoctorArgs, warehouse: &WarehouseArgs) -> anyhow::Result<()> {
    let mut findings = doctor::look(args.project.as_deref(), &args.data, &args.ports);
    findings.push(DoctorFinding::of("tables", newest(warehouse).await, said));
    doctor::write(&findings, &mut io::stdout().lock())?;
    let wrong = findings
        .iter()
        .filter(|finding| finding.health == Health::Wrong)
        .count();
    ensure!(wrong == 0, "{wrong} of {} things are wrong", findings.len());
    Ok(())
}

async fn newest(warehouse: &WarehouseArgs) -> anyhow::Result<Publication> {
    Ok(warehouse.open().await?.publication().await?)
}

fn said(publication: Publication) -> String {
    let at: Option<DateTime<Utc>> = DateTime::from_timestamp_millis(publication.published_at);
    match at.filter(|_| publication.version > 0) {
        Some(at) => format!(
            "publication {} of {}",
            publication.version,
            at.format("%F %T UTC")
        ),
        None => "nothing was built yet".to_owned(),
    }
}
