//! `cargo xtask setup`: installs what the build needs and the machine does not have, nothing twice.
//!
//! The three parts use different things (npm and Maven the network, the WASM tools the processor), so they run side by
//! side. Each leaves its stamp last: an interrupted part is done again, a finished one never. What only tests and some
//! demos need is a step of its own: [`bigquery`], [`browser`], [`checkers`], [`site`].

use std::path::Path;

use anyhow::{Result, anyhow};
use shoptrail_local::progress::step;

use crate::workspace::Workspace;

pub mod bigquery;
pub mod browser;
pub mod checkers;
mod kafka;
mod machine;
mod node;
mod python;
pub mod site;
mod versions;
mod wasm;

/// Checks the machine and installs what is missing.
///
/// # Errors
/// Returns an error if the machine lacks something, or a part cannot be installed.
pub fn run(workspace: &Workspace) -> Result<()> {
    check_machine(workspace)?;
    install(workspace)
}

/// Checks the programs that must be on the machine, before anything long begins.
///
/// # Errors
/// Returns an error if one is missing, with a sentence for each.
pub fn check_machine(workspace: &Workspace) -> Result<()> {
    step("machine", || machine::check(workspace))
}

/// Installs npm packages, the broker's jars, the WASM target and what writes the JavaScript around WASM.
///
/// # Errors
/// Returns the error of the first part that failed; the others are finished first, so that a second start has less to do.
pub fn install(workspace: &Workspace) -> Result<()> {
    let results = std::thread::scope(|scope| {
        let parts = [
            scope.spawn(|| step("npm packages", || node::install(workspace))),
            scope.spawn(|| step("Apache Kafka", || kafka::install(workspace))),
            scope.spawn(|| step("WASM target and tools", || wasm::install(workspace))),
        ];
        parts.map(|part| {
            part.join()
                .unwrap_or_else(|_| Err(anyhow!("a part of setup panicked")))
        })
    });
    results.into_iter().collect()
}

/// Whether `stamp` holds exactly the text of `input`: what was made from it is up to date.
fn is_fresh(input: &Path, stamp: &Path) -> bool {
    match (std::fs::read(input), std::fs::read(stamp)) {
        (Ok(input), Ok(stamp)) => input == stamp,
        _ => false,
    }
}
