//! `cargo xtask schemas`: writes the files generated from the event contract, or checks that they are fresh.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::process::{self, cargo};
use crate::progress::step;

const GENERATE: [&str; 6] = [
    "run",
    "--quiet",
    "-p",
    "shoptrail-schemas",
    "--example",
    "generate",
];

/// Options of `cargo xtask schemas`.
#[derive(Args)]
pub struct SchemasArgs {
    /// Writes nothing and fails when a file is stale
    #[arg(long)]
    check: bool,
}

/// Runs the generator of the crate `shoptrail-schemas`.
///
/// # Errors
/// When it fails, and with `--check` when a file is stale.
pub fn run(root: &Path, args: &SchemasArgs) -> Result<()> {
    if args.check {
        return check(root);
    }
    step("generated files", || {
        process::run(root, "schemas", &mut cargo(root, &GENERATE))
    })
}

/// Fails when a generated file is not what the generator writes now.
pub fn check(root: &Path) -> Result<()> {
    let mut generate = cargo(root, &GENERATE);
    generate.args(["--", "--check"]);
    step("generated files are fresh", || {
        process::run(root, "schemas", &mut generate)
    })
}
