//! MkDocs, which makes a site of the documentation and finds links that lead nowhere. mdBook looks at no links, and building
//! it takes more than four minutes of a processor.

use std::process::Command;

use anyhow::Result;

use super::python::Environment;
use crate::workspace::Workspace;

/// Installs it below `target/tools/site`.
///
/// # Errors
/// Returns an error if there is no Python that fits, or pip fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.path("docs/requirements.txt");
    environment(workspace).install(workspace, &requirements, || Ok(()))
}

/// Builds the site as `mkdocs.yml` has it; every warning fails.
pub fn build(workspace: &Workspace) -> Command {
    let mut mkdocs = workspace.command(environment(workspace).program("mkdocs"));
    mkdocs.args(["build", "--strict"]);
    mkdocs
}

fn environment(workspace: &Workspace) -> Environment {
    Environment::named(workspace, "site")
}
