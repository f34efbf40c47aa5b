//! `cargo xtask demo`: the whole pipeline on this machine, with simulated shoppers.
//!
//! Stays until Ctrl-C, then stops everything in order, keeps the data and exits 0. With `--once` it sends a bounded, seeded
//! amount, waits until all of it is in the gold tables, prints their numbers and exits 0; an interrupted `--once` exits 130.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use shoptrail_local::origin::PageOrigin;
use shoptrail_local::progress::{line, step};
use shoptrail_local::warehouse_address::WarehouseAddress;

use crate::interrupt::Interrupt;
use crate::workspace::Workspace;
use crate::{setup, tracker, worker};

mod bigquery;
mod gold;
mod numbers;
mod program;
mod shoppers;
mod stack;
mod warehouse;

use gold::GoldPages;
use stack::DemoStack;
use warehouse::DemoWarehouse;

/// Exit code of a command that a signal ended, as shells count it.
const INTERRUPTED: u8 = 130;

/// How often the demo looks for changes.
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
    /// Lets the pages of this address send events too, for a shop of your own; may be repeated
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<PageOrigin>,
    /// Where the tables are kept: `lake:DIR` or `bigquery://PROJECT/DATASET`; without it, a lake below the data
    ///
    /// BigQuery's APIs are those that `SHOPTRAIL_BIGQUERY_ENDPOINT` and `SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT` name; without
    /// them the demo starts local-bigquery, a server that keeps its tables in DuckDB below the data.
    #[arg(long, value_name = "ADDRESS")]
    warehouse: Option<WarehouseAddress>,
}

/// Builds, starts and fills the stack.
///
/// # Errors
/// Returns an error if a part cannot be built or started, or sent events do not arrive in gold.
pub fn run(workspace: &Workspace, args: &DemoArgs) -> Result<ExitCode> {
    let mut warehouse = DemoWarehouse::prepare(workspace, args.warehouse.clone())?;
    build(workspace)?;
    let interrupt = Interrupt::catch()?;
    let data = workspace.path(&args.data);
    let is_open = warehouse.open(workspace, &data, &interrupt)?;
    let stack = if is_open {
        step("start", || {
            DemoStack::start(workspace, &data, &args.origins, warehouse, &interrupt)
        })?
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
    println!("\n{}", stack.addresses.pages());
    let code = if args.once {
        once(workspace, &mut stack, &interrupt)
    } else {
        stay(workspace, &mut stack, &interrupt)
    };
    // A part that has ended explains the other errors.
    let code = code.or_else(|error| stack.check().and(Err(error)));
    let stopped = step("stop", || stack.stop());
    line(&format!("the data stays in `{}`", data.display()));
    code.and_then(|code| stopped.map(|()| code))
}

/// Brings everything that runs up to date: the backend needs nothing but Rust and C, so it is built beside the rest.
///
/// # Errors
/// Returns an error if the machine lacks something, or a part cannot be built.
pub fn build(workspace: &Workspace) -> Result<()> {
    setup::check_machine(workspace)?;
    std::thread::scope(|scope| {
        let backend = scope.spawn(|| step("backend", || build_backend(workspace)));
        let others = setup::install(workspace)
            .and_then(|()| step("tracker", || tracker::build(workspace)))
            .and_then(|()| step("Worker", || worker::build(workspace)));
        let backend = backend
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the backend's build panicked")));
        others.and(backend)
    })
}

/// Selects the package alone, as `cargo test -p shoptrail-backend` does: the packages below it then have the same features, and
/// one build of them serves both.
///
/// # Errors
/// Returns an error if it does not compile.
pub fn build_backend(workspace: &Workspace) -> Result<()> {
    workspace.run(
        "backend",
        &mut workspace.cargo(&["build", "--package", "shoptrail-backend"]),
    )
}

/// Starts a demo over the folder `data`, which is emptied, lets as many shoppers in as a demo that stays has at first, and has
/// `look` look at it; then stops it.
///
/// # Errors
/// Returns an error if a part cannot be built or started, sent events do not arrive in gold, or `look` returns one.
pub fn with_history(
    workspace: &Workspace,
    data: &Path,
    look: impl FnOnce(&str) -> Result<()>,
) -> Result<ExitCode> {
    let warehouse = DemoWarehouse::prepare(workspace, None)?;
    build(workspace)?;
    let interrupt = Interrupt::catch()?;
    if data.exists() {
        std::fs::remove_dir_all(data)
            .with_context(|| format!("cannot empty `{}`", data.display()))?;
    }
    let start = || DemoStack::start(workspace, data, &[], warehouse, &interrupt);
    let Some(mut stack) = step("start", start)? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let looked = fill(workspace, &mut stack, shoppers::HISTORY, &interrupt).and_then(|is_filled| {
        if is_filled {
            look(&stack.addresses.shop)?;
        }
        Ok(is_filled)
    });
    let looked = looked.or_else(|error| stack.check().and(Err(error)));
    let stopped = step("stop", || stack.stop());
    let is_filled = looked.and_then(|is_filled| stopped.map(|()| is_filled))?;
    Ok(match is_filled {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INTERRUPTED),
    })
}

/// The bounded demo: history in, gold out.
fn once(workspace: &Workspace, stack: &mut DemoStack, interrupt: &Interrupt) -> Result<ExitCode> {
    if !fill(workspace, stack, shoppers::ONCE, interrupt)? {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    numbers::print(&GoldPages::of(&stack.addresses))?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the shoppers of a history in and waits until gold has all their events; false when interrupted.
fn fill(
    workspace: &Workspace,
    stack: &mut DemoStack,
    history: shoppers::History,
    interrupt: &Interrupt,
) -> Result<bool> {
    let gold = GoldPages::of(&stack.addresses);
    // Data kept from earlier gets other shoppers: the same ones would continue their old sessions.
    let before = gold.events()?;
    let sent = step("simulated shoppers", || {
        shoppers::history(workspace, stack, history, before + 1, interrupt)
    })?;
    let Some(sent) = sent else {
        return Ok(false);
    };
    step("events in gold", || {
        gold.wait_for(before + sent, stack, interrupt)
    })
}

/// The demo that stays: days of history for an empty dashboard, then a gentle stream until Ctrl-C.
fn stay(workspace: &Workspace, stack: &mut DemoStack, interrupt: &Interrupt) -> Result<ExitCode> {
    if GoldPages::of(&stack.addresses).events()? == 0 {
        step("simulated shoppers", || {
            shoppers::history(workspace, stack, shoppers::HISTORY, 1, interrupt)
        })?;
    }
    let mut stream = shoppers::stream(workspace, stack)?;
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
