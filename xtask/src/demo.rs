//! `cargo xtask demo`: the whole road on this machine, with simulated shoppers on it.
//!
//! Stays until Ctrl-C, then stops everything in order, keeps the data and exits 0. With `--once` it sends a bounded, seeded
//! amount, waits until all of it is in the gold tables, prints their numbers and exits 0; an interrupted `--once` exits 130.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;

use crate::interrupt::Interrupt;
use crate::process::{self, cargo};
use crate::progress::{line, step};
use crate::{setup, tracker, worker};

mod bigquery;
mod gold;
mod numbers;
mod shoppers;
mod stack;
mod warehouse;

use gold::Gold;
use stack::Stack;
use warehouse::{Warehouse, WarehouseUrl};

/// Exit code of a command that a signal ended, as shells count it.
const INTERRUPTED: u8 = 130;

/// How often the demo looks whether something changed.
const LOOK: Duration = Duration::from_millis(200);

/// Options of `cargo xtask demo`.
#[derive(Args)]
pub struct DemoArgs {
    /// Sends a bounded amount, prints the gold numbers and exits instead of staying
    #[arg(long)]
    once: bool,
    /// Where everything is kept: the broker's log, the tables, the logs of the parts
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Where the tables are: `bigquery://PROJECT/DATASET`, or a URL as `shoptrail build` takes it; without it, a lake
    /// below the data
    ///
    /// BigQuery's APIs are those that `SHOPTRAIL_BIGQUERY_ENDPOINT` and `SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT` name; without
    /// them the demo starts local-bigquery, a server that keeps its tables in DuckDB below the data.
    #[arg(long, value_name = "URL", value_parser = WarehouseUrl::parse)]
    warehouse: Option<WarehouseUrl>,
}

/// Builds, starts and fills the stack.
///
/// # Errors
/// When a part cannot be built or started, or sent events do not arrive in gold.
pub fn run(root: &Path, tools: &Path, args: &DemoArgs) -> Result<ExitCode> {
    let mut warehouse = Warehouse::prepare(root, tools, args.warehouse.clone())?;
    build(root, tools)?;
    let interrupt = Interrupt::catch()?;
    let data = root.join(&args.data);
    let is_open = warehouse.open(root, tools, &data, &interrupt)?;
    let stack = if is_open {
        step("start", || Stack::start(root, &data, warehouse, &interrupt))?
    } else {
        None
    };
    let Some(mut stack) = stack else {
        return Ok(if args.once {
            ExitCode::from(INTERRUPTED)
        } else {
            ExitCode::SUCCESS
        });
    };
    print_addresses(&stack);
    let code = if args.once {
        once(root, &mut stack, &interrupt)
    } else {
        stay(root, &mut stack, &interrupt)
    };
    // A part that has ended is the reason for whatever else went wrong.
    let code = code.or_else(|error| stack.check().and(Err(error)));
    let stopped = step("stop", || stack.stop());
    line(&format!("the data stays in `{}`", data.display()));
    code.and_then(|code| stopped.map(|()| code))
}

/// Brings everything that runs up to date: the backend needs nothing but Rust and C, so it is built beside the rest.
///
/// # Errors
/// When the machine lacks something, or a part cannot be built.
pub fn build(root: &Path, tools: &Path) -> Result<()> {
    setup::check_machine()?;
    std::thread::scope(|scope| {
        let backend = scope.spawn(|| step("backend", || build_backend(root)));
        let others = setup::install(root, tools)
            .and_then(|()| step("tracker", || tracker::build(root, tools)))
            .and_then(|()| step("Worker", || worker::build(root, tools)));
        let backend = backend
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the backend's build panicked")));
        others.and(backend)
    })
}

/// Selects the package alone, as `cargo test -p shoptrail-backend` does: the packages beneath then have the same features, and
/// one build of them serves both.
///
/// # Errors
/// When it does not compile.
pub fn build_backend(root: &Path) -> Result<()> {
    process::run(
        root,
        "backend",
        &mut cargo(root, &["build", "--package", "shoptrail-backend"]),
    )
}

fn print_addresses(stack: &Stack) {
    println!("\n  shop                   {}", stack.addresses.shop);
    println!("  dashboard              {}", stack.addresses.dashboard);
    println!("  came in, good and bad  {}\n", stack.addresses.micro);
}

/// The bounded demo: history in, gold out.
fn once(root: &Path, stack: &mut Stack, interrupt: &Interrupt) -> Result<ExitCode> {
    let gold = Gold::of(&stack.addresses);
    // Data kept from earlier gets other shoppers: the same ones would continue their old sessions.
    let before = gold.events()?;
    let sent = step("simulated shoppers", || {
        shoppers::history(root, stack, shoppers::ONCE, before + 1, interrupt)
    })?;
    let Some(sent) = sent else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let arrived = step("events in gold", || {
        gold.wait_for(before + sent, stack, interrupt)
    })?;
    if !arrived {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    numbers::print(&gold)?;
    Ok(ExitCode::SUCCESS)
}

/// The demo that stays: days of history for an empty dashboard, then a gentle stream until Ctrl-C.
fn stay(root: &Path, stack: &mut Stack, interrupt: &Interrupt) -> Result<ExitCode> {
    if Gold::of(&stack.addresses).events()? == 0 {
        step("simulated shoppers", || {
            shoppers::history(root, stack, shoppers::HISTORY, 1, interrupt)
        })?;
    }
    let mut stream = shoppers::stream(root, stack)?;
    if !interrupt.asked() {
        line("shoppers keep coming; Ctrl-C stops everything");
    }
    while !interrupt.asked() {
        stack.check()?;
        stream.check();
        std::thread::sleep(LOOK);
    }
    Ok(ExitCode::SUCCESS)
}
