//! The command line: parses, starts the log, opens the warehouse, calls one command, maps to an exit code.

mod building;
mod config;
mod doctor;
mod logging;
mod man;
mod stop;
mod warehouse;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use shoptrail_local::progress::live_line;
use shoptrail_local::simulate::{self, SimulateArgs};
use shoptrail_local::warehouse_address::WarehouseAddress;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use self::building::{BuildArgs, RunArgs};
use self::config::ConfigFormat;
use self::doctor::DoctorArgs;
use self::logging::LogArgs;
use self::stop::{Ended, OnStop};
use self::warehouse::WarehouseArgs;
use crate::build;
use crate::config::Reporting;
use crate::exit;
use crate::forget::{self, ForgetArgs};
use crate::judging::JudgingArgs;
use crate::kafka::KafkaArgs;
use crate::land::{self, LandArgs};
use crate::laptop::{self, LocalArgs};
use crate::replay::{self, CloudflareArgs, ReplayArgs};
use crate::runs::{self, RunsArgs};
use crate::show::{self, ShowArgs};
use crate::tables::{self, ListFormat};
use crate::telemetry::MetricsArgs;

/// What is in hand when a command is asked to stop: a landing, a report, a batch on its way.
const GRACE: Duration = Duration::from_millis(500);

/// Plans of polars are turned by recursion, for which the usual 2 MiB are not always enough in unoptimized code.
const STACK_BYTES: usize = 8 << 20;

const EXIT_CODES: &str = "\
Exit codes:
  0    success; for commands that go on until they are stopped, a stop as well
  1    failure, explained on stderr
  2    wrong command line or setting
  10-19  failures of the warehouse, each with a code of its own: docs/deploy-bigquery.md
  130  stopped by Ctrl-C before it was done
  143  stopped by SIGTERM before it was done";

/// Clickstream analytics that a shop owns end to end
#[derive(Debug, Parser)]
#[command(name = "shoptrail", version, about, after_long_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    log: LogArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lands events from Kafka in bronze
    Land {
        #[command(flatten)]
        land: LandArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
        #[command(flatten)]
        metrics: MetricsArgs,
    },
    /// Lands events and builds the tables, in one process
    Run {
        #[command(flatten)]
        run: Box<RunArgs>,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Builds the silver and gold tables from what is new in bronze
    Build {
        #[command(flatten)]
        build: BuildArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Brings events back: refused ones that are accepted now, or what the Worker could not deliver
    Replay {
        #[command(flatten)]
        replay: ReplayArgs,
    },
    /// Erases a person from every table
    Forget {
        #[command(flatten)]
        forget: ForgetArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Prints the rows of a table
    Show {
        #[command(flatten)]
        show: ShowArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Lists what the builds did, the newest first
    Runs {
        #[command(flatten)]
        runs: RunsArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Lists the tables and their columns
    Tables {
        /// Only this table
        table: Option<String>,
        /// Lists the tables that each is made from instead
        #[arg(long)]
        lineage: bool,
        /// How to print them
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Runs everything on this machine: Kafka, Confluent's APIs, the Worker, landing, builds, shop and dashboard
    Local {
        #[command(flatten)]
        local: Box<LocalArgs>,
    },
    /// Looks at what `shoptrail local` needs and at the tables, and says what is missing or wrong
    Doctor {
        #[command(flatten)]
        doctor: DoctorArgs,
        #[command(flatten)]
        warehouse: WarehouseArgs,
    },
    /// Sends simulated shoppers through the edge, or writes them into files with the truth about them
    Simulate {
        #[command(flatten)]
        simulate: SimulateArgs,
    },
    /// Prints the settings in effect and where each comes from: a flag, a variable or a default
    Config {
        /// How to print them
        #[arg(long, value_enum, default_value_t = ConfigFormat::Text)]
        format: ConfigFormat,
        #[command(flatten)]
        warehouse: WarehouseArgs,
        #[command(flatten)]
        kafka: KafkaArgs,
        #[command(flatten)]
        reporting: Reporting,
        #[command(flatten)]
        judging: JudgingArgs,
        #[command(flatten)]
        cloudflare: CloudflareArgs,
    },
    /// Prints a shell's completion script for this command
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page of this command or one of its commands, for `man -l -`
    Man {
        /// The command, for example `build`
        command: Option<String>,
    },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli, matches) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}

fn run(cli: Cli, matches: ArgMatches) -> anyhow::Result<ExitCode> {
    logging::start(&cli.log);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .context("cannot start threads")?;
    let stop = CancellationToken::new();
    let on_stop = cli.command.on_stop();
    let work = dispatch(cli.command, matches, stop.clone());
    let ended = stop::run(runtime.handle(), work, &stop, on_stop);
    // A plan that polars works on cannot be cancelled: it must not hold up the end.
    runtime.shutdown_background();
    Ok(match ended? {
        Ended::ByItself(result) => {
            result?;
            ExitCode::SUCCESS
        }
        Ended::Stopped => ExitCode::SUCCESS,
        Ended::Abandoned(signal) => {
            eprintln!("error: stopped by {}", signal.name());
            ExitCode::from(signal.exit_code())
        }
    })
}

impl Command {
    fn on_stop(&self) -> OnStop {
        let (grace, is_regular) = match self {
            Self::Local { .. } => (None, true),
            Self::Land { land, .. } => (Some(GRACE), !land.once),
            Self::Simulate { simulate } => (Some(GRACE), simulate.live),
            Self::Run { run, .. } => (Some(GRACE), run.goes_on()),
            Self::Build { build, .. } => (Some(Duration::ZERO), build.goes_on()),
            _ => (Some(Duration::ZERO), false),
        };
        OnStop { grace, is_regular }
    }
}

async fn dispatch(
    command: Command,
    matches: ArgMatches,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    match command {
        Command::Land {
            warehouse,
            land,
            metrics,
        } => {
            let _metrics = match land.once {
                true => None,
                false => metrics.serve().await?,
            };
            let _live = live_line("land");
            let warehouse = warehouse.open_to_land().await?;
            let summary = land::run(&land, warehouse.as_ref(), &stop).await?;
            if land.once {
                println!("{}", serde_json::to_string(&summary)?);
            }
            Ok(())
        }
        Command::Run { run, warehouse } => building::run(*run, &warehouse, &stop).await,
        Command::Build { build, warehouse } => building::build(&build, &warehouse, &stop).await,
        Command::Replay { replay } => {
            let _live = live_line("replay");
            match replay.undelivered {
                false => print_json(&replay::run(&replay).await?),
                true => print_json(&replay::undelivered::run(&replay).await?),
            }
        }
        Command::Forget { warehouse, forget } => {
            let _live = live_line("forget");
            let warehouse = if forget.dry_run {
                warehouse.open().await?
            } else {
                warehouse.open_to_build().await?
            };
            print_json(&forget::run(warehouse.as_ref(), &forget).await?)
        }
        Command::Show { warehouse, show } => {
            let mut out = BufWriter::new(io::stdout());
            show::run(&show, warehouse.open().await?.as_ref(), &mut out).await?;
            Ok(out.flush()?)
        }
        Command::Runs { runs, warehouse } => {
            let mut out = BufWriter::new(io::stdout());
            runs::run(&runs, warehouse.open().await?.as_ref(), &mut out).await?;
            Ok(out.flush()?)
        }
        Command::Tables {
            table,
            lineage,
            format,
        } => {
            let tables = match table {
                Some(name) => vec![show::find(&name)?],
                None => build::tables(),
            };
            let mut out = io::stdout().lock();
            match lineage {
                true => tables::write_lineage(&tables, format, &mut out)?,
                false => tables::write(&tables, format, &mut out)?,
            }
            Ok(())
        }
        Command::Local { local } => {
            if let WarehouseAddress::Lake(folder) = local.warehouse() {
                laptop::make_data_folder(&local)?;
                warehouse::make_lake(&folder)?;
            }
            let warehouse =
                warehouse::connect(&local.warehouse(), &local.bigquery, local.lake).await?;
            laptop::run(&local, warehouse, &stop).await
        }
        Command::Doctor { doctor, warehouse } => doctor::run(&doctor, &warehouse).await,
        Command::Simulate { simulate } => simulate::run(simulate, &stop).await,
        Command::Config { format, .. } => print_config(format, &matches),
        Command::Completions { shell } => print_completions(shell),
        Command::Man { command } => {
            man::write(Cli::command(), command.as_deref(), &mut io::stdout().lock())
        }
    }
}

fn print_config(format: ConfigFormat, matches: &ArgMatches) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let (name, matches) = matches.subcommand().context("no command")?;
    let command = command.find_subcommand(name).context("no command")?;
    Ok(config::write(
        format,
        command,
        matches,
        &mut io::stdout().lock(),
    )?)
}

fn print_completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shoptrail", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(value)?)?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let pipe = |error: &(dyn std::error::Error + 'static)| {
        error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(pipe)
}
