//! `cargo xtask`: the commands a person who works on Shoptrail needs, one file each.
//!
//! `demo` shows the product, `test` tests it; both set the machine up first and do nothing twice. Exit code 0 is
//! success, 1 a failure that is explained on stderr, 2 a wrong command line, 130 an interrupted `demo --once`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use shoptrail_local::progress;

mod bench;
mod demo;
mod inputs;
mod interrupt;
mod pictures;
mod powerbi;
mod process;
mod schemas;
mod setup;
mod test;
mod tracker;
mod wasm_glue;
mod worker;
mod workspace;

use workspace::Workspace;

/// Shoptrail's development commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what build and tests need: npm packages, the broker's jars, WASM target, local-bigquery
    Setup,
    /// Builds the tracker into `target/tracker`
    Tracker,
    /// Builds the Worker into `edge-worker/build`
    Worker,
    /// Writes the files generated from the event contract
    Schemas(schemas::SchemasArgs),
    /// Writes the parts of the Power BI project that follow from the gold tables
    Powerbi(powerbi::PowerbiArgs),
    /// Starts everything on this machine and fills the dashboard with simulated shoppers
    Demo(demo::DemoArgs),
    /// Runs every test of every part
    Test(test::TestArgs),
    /// Takes the pictures of the documentation again, from a demo of their own
    Pictures,
    /// Runs a benchmark of `bench/`, or lists them
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    match run(Xtask::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(xtask: Xtask) -> Result<ExitCode> {
    let workspace = &Workspace::of_this_run();
    match xtask.task {
        Task::Setup => {
            setup::run(workspace)?;
            progress::step("local-bigquery", || setup::bigquery::install(workspace))?;
        }
        Task::Tracker => {
            setup::run(workspace)?;
            progress::step("tracker", || tracker::build(workspace))?;
        }
        Task::Worker => {
            setup::run(workspace)?;
            progress::step("Worker", || worker::build(workspace))?;
        }
        Task::Schemas(args) => schemas::run(workspace, &args)?,
        Task::Powerbi(args) => powerbi::run(workspace, &args)?,
        Task::Demo(args) => return demo::run(workspace, &args),
        Task::Test(args) => return test::run(workspace, &args),
        Task::Pictures => return pictures::run(workspace),
        Task::Bench(args) => return bench::run(workspace, &args),
    }
    Ok(ExitCode::SUCCESS)
}
