//! `cargo xtask schemas`: writes the files generated from the event contract, or checks that they are fresh.

use anyhow::Result;
use clap::Args;
use shoptrail_local::progress::step;

use crate::workspace::Workspace;

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
/// Returns an error if it fails, and with `--check` when a file is stale.
pub fn run(workspace: &Workspace, args: &SchemasArgs) -> Result<()> {
    if args.check {
        return check(workspace);
    }
    step("generated files", || {
        workspace.run("schemas", &mut workspace.cargo(&GENERATE))
    })
}

/// Fails when a generated file is not what the generator writes now.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut generate = workspace.cargo(&GENERATE);
    generate.args(["--", "--check"]);
    step("generated files are fresh", || {
        workspace.run("schemas", &mut generate)
    })
}
