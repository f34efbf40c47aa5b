//! The command line: parses, starts logging, opens the warehouse, calls one command, maps to an exit code.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use shoptrail_local::simulate::{self, SimulateArgs};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::build::{self, Mode};
use crate::config::Reporting;
use crate::exit;
use crate::land::{self, LandArgs};
use crate::laptop::{self, LocalArgs};
use crate::show::{self, ShowArgs};
use crate::tables::{self, ListFormat};
use crate::warehouse::bigquery::{BigQuery, BigQueryArgs, Settings};
use crate::warehouse::lake::{Lake, LakeArgs};
use crate::warehouse::{Warehouse, WarehouseError};

/// Clickstream analytics that a shop owns end to end
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lands events from Kafka in bronze
    Land {
        #[command(flatten)]
        warehouse: WarehouseArgs,
        #[command(flatten)]
        land: LandArgs,
    },
    /// Builds the silver and gold tables from what is new in bronze
    Build {
        #[command(flatten)]
        warehouse: WarehouseArgs,
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Prints the rows of a table
    Show {
        #[command(flatten)]
        warehouse: WarehouseArgs,
        #[command(flatten)]
        show: ShowArgs,
    },
    /// Runs everything on this machine: Kafka, the Confluent surface, the Worker, landing, builds, shop and dashboard
    Local {
        #[command(flatten)]
        local: Box<LocalArgs>,
    },
    /// Sends simulated shoppers through the edge
    Simulate {
        #[command(flatten)]
        simulate: SimulateArgs,
    },
    /// Lists the tables and their columns
    Tables {
        /// How to print them
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

#[derive(Args, Clone, Debug)]
struct WarehouseArgs {
    /// Where the tables live: `lake:DIR` or `bigquery://PROJECT/DATASET`
    #[arg(long, env = "SHOPTRAIL_WAREHOUSE", default_value = "lake:data/lake")]
    warehouse: String,
    #[command(flatten)]
    bigquery: BigQueryArgs,
    #[command(flatten)]
    lake: LakeArgs,
}

#[derive(Args, Clone, Debug)]
struct BuildArgs {
    #[command(flatten)]
    reporting: Reporting,
    /// Replaces every table, from all of bronze
    #[arg(long, conflicts_with = "every_ms")]
    rebuild: bool,
    /// Goes on, looking for new rows at this interval, milliseconds
    #[arg(long, value_name = "MS")]
    every_ms: Option<u64>,
    /// Reads and builds, says what would be written, and writes nothing
    #[arg(long, conflicts_with = "every_ms")]
    dry_run: bool,
}

/// Runs the command line.
pub async fn run(cli: Cli) -> ExitCode {
    start_logging();
    match dispatch(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Land { warehouse, land } => {
            let warehouse = warehouse.open_to_write().await?;
            let summary = land::run(&land, warehouse.as_ref(), &stop_signal()).await?;
            if land.once {
                println!("{}", serde_json::to_string(&summary)?);
            }
            Ok(())
        }
        Command::Build { warehouse, build } => {
            let warehouse = if build.dry_run {
                warehouse.open().await?
            } else {
                warehouse.open_to_write().await?
            };
            run_build(warehouse.as_ref(), &build, &stop_signal()).await
        }
        Command::Show { warehouse, show } => {
            show::run(
                &show,
                warehouse.open().await?.as_ref(),
                &mut io::stdout().lock(),
            )
            .await
        }
        Command::Local { local } => {
            let bigquery = local.bigquery.clone();
            let warehouse = WarehouseArgs {
                warehouse: local.warehouse(),
                bigquery,
                lake: local.lake,
            }
            .open()
            .await?;
            laptop::run(&local, warehouse, &stop_signal()).await
        }
        Command::Simulate { simulate } => simulate::run(simulate, &stop_signal()).await,
        Command::Tables { format } => Ok(tables::write(format, &mut io::stdout().lock())?),
    }
}

impl WarehouseArgs {
    async fn open(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        let address = |reason: &str| WarehouseError::Address {
            url: self.warehouse.clone(),
            reason: reason.to_owned(),
        };
        let (kind, place) = self
            .warehouse
            .split_once(':')
            .ok_or_else(|| address("has no kind"))?;
        Ok(match kind {
            "lake" if !place.is_empty() => Arc::new(Lake::with(&PathBuf::from(place), self.lake)),
            "lake" => return Err(address("names no folder")),
            "bigquery" => {
                let settings = Settings::new(place, &self.bigquery).map_err(address)?;
                Arc::new(BigQuery::connect(settings).await?)
            }
            _ => return Err(address("is of an unknown kind")),
        })
    }

    /// Opens the warehouse and makes the tables that are missing.
    async fn open_to_write(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        let warehouse = self.open().await?;
        warehouse.prepare(&build::tables()).await?;
        Ok(warehouse)
    }
}

/// Builds once, or again and again until stopped; a stop is taken between runs.
async fn run_build(
    warehouse: &dyn Warehouse,
    args: &BuildArgs,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mode = if args.rebuild {
        Mode::Rebuild
    } else {
        Mode::Increment
    };
    if args.dry_run {
        println!(
            "{}",
            serde_json::to_string(&build::forecast(warehouse, &args.reporting, mode).await?)?
        );
        return Ok(());
    }
    loop {
        let summary = build::run(warehouse, &args.reporting, mode).await?;
        if summary.tables > 0 {
            tracing::info!(
                publication = summary.publication,
                bronze.rows = summary.bronze_rows,
                tables = summary.tables,
                days = summary.days,
                bytes.read = summary.traffic.bytes_read,
                bytes.written = summary.traffic.bytes_written,
                bytes.billed = summary.traffic.bytes_billed,
                duration_ms = u64::try_from(summary.duration_ms).unwrap_or(u64::MAX),
                "published"
            );
        }
        let Some(every_ms) = args.every_ms else {
            println!("{}", serde_json::to_string(&summary)?);
            return Ok(());
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(every_ms)) => {}
        }
    }
}

/// Readable lines on a terminal, JSON elsewhere; always on stderr.
fn start_logging() {
    let filter = EnvFilter::try_from_env("SHOPTRAIL_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,shoptrail_backend=info,shoptrail_local=info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    if io::stderr().is_terminal() {
        lines
            .with_ansi(std::env::var_os("NO_COLOR").is_none())
            .init();
    } else {
        lines.json().init();
    }
}

/// Cancelled by Ctrl-C or SIGTERM.
fn stop_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        stopped().await;
        cancelled.cancel();
    });
    stop
}

async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = interrupt.await;
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |error: &(dyn std::error::Error + 'static)| {
        error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(pipe)
}
