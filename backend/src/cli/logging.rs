//! What the command says of its work: log lines on stderr, readable on a terminal and JSON elsewhere.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use shoptrail_local::progress::{AboveLiveLines, FinishedStep, report_steps_to};
use tracing_subscriber::EnvFilter;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub(super) struct LogArgs {
    /// How log lines are written; without it, text on a terminal and JSON elsewhere
    #[arg(long, global = true, value_enum, env = "SHOPTRAIL_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// Which log lines are written: LEVEL or MODULE=LEVEL, separated by commas
    #[arg(
        long = "log",
        global = true,
        value_name = "FILTER",
        env = "SHOPTRAIL_LOG",
        default_value = "warn,shoptrail_backend=info,shoptrail_local=info",
        value_parser = filter
    )]
    filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// For programs: one object a line
    Json,
}

/// Starts the log.
pub(super) fn start(args: &LogArgs) {
    let on_terminal = io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&args.filter))
        // A line that stderr does not take, as its disk is full, would else be told there, which panics.
        .log_internal_errors(false)
        .with_writer(|| AboveLiveLines);
    match args.log_format {
        Some(LogFormat::Json) => lines.json().init(),
        None if !on_terminal => lines.json().init(),
        _ => lines
            .with_ansi(on_terminal && std::env::var_os("NO_COLOR").is_none())
            .init(),
    }
    if !on_terminal {
        report_steps_to(log_step);
    }
}

fn log_step(step: &FinishedStep<'_>) {
    let duration_ms = u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX);
    let outcome = if step.succeeded { "" } else { ": failed" };
    tracing::info!(duration_ms, "{}{outcome}", step.name);
}

fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{error}\nhint: for example `info` or `warn,shoptrail_backend=debug`"
        )),
    }
}
