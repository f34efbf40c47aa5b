//! What turns Rust into WASM for the tracker and the Worker: the compile target, wasm-bindgen and worker-build.
//!
//! The tools are built unoptimized: that takes a third of the time, and they run for a second each.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use crate::process::{answer, find};
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the target and the tools in the versions that `Cargo.lock` demands.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    add_target(workspace)?;
    let lock = std::fs::read_to_string(workspace.path("Cargo.lock"))
        .context("cannot read `Cargo.lock`")?;
    // Its own lock file names a package version that the registry no longer gives.
    let bindgen = ["--no-default-features", "--bin", "wasm-bindgen"];
    install_tool(
        workspace,
        "wasm-bindgen-cli",
        locked_version(&lock, "wasm-bindgen")?,
        &bindgen,
    )?;
    install_tool(
        workspace,
        "worker-build",
        locked_version(&lock, "worker")?,
        &["--locked", "--bin", "worker-build"],
    )
}

fn add_target(workspace: &Workspace) -> Result<()> {
    let libraries =
        answer(
            workspace
                .command("rustc")
                .args(["--print", "target-libdir", "--target", TARGET]),
        );
    if libraries.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!(
            "Rust's target `{TARGET}` is missing: install it with your Rust, or install Rust from https://rustup.rs"
        );
    }
    workspace.run(
        "rustup target",
        workspace.command("rustup").args(["target", "add", TARGET]),
    )
}

fn install_tool(
    workspace: &Workspace,
    package: &str,
    version: &str,
    arguments: &[&str],
) -> Result<()> {
    if is_installed(workspace, package, version) {
        return Ok(());
    }
    let mut command = workspace.cargo(&["install", "--debug", "--config", "profile.dev.debug=0"]);
    command
        .arg(format!("{package}@{version}"))
        .args(arguments)
        .arg("--root")
        .arg(workspace.tools());
    // The tools share a target folder, and with it the packages both use.
    command.env("CARGO_TARGET_DIR", workspace.tools().join("build"));
    workspace.run(package, &mut command)
}

/// Asks cargo's own record, because `cargo install` asks the registry even when there is nothing to do.
fn is_installed(workspace: &Workspace, package: &str, version: &str) -> bool {
    let record =
        std::fs::read_to_string(workspace.tools().join(".crates.toml")).unwrap_or_default();
    record.contains(&format!("\"{package} {version} ("))
}

/// The version of `package` in a `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let found = lock
        .split_once(&name)
        .and_then(|(_, rest)| rest.split_once('"'));
    found
        .map(|(version, _)| version)
        .ok_or_else(|| anyhow!("`Cargo.lock` has no package `{package}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_is_that_of_the_whole_name() {
        let lock = "name = \"worker-macros\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"worker\"\nversion = \"0.8.7\"\n";
        assert_eq!(
            locked_version(lock, "worker").expect("it is there"),
            "0.8.7"
        );
        assert!(locked_version(lock, "work").is_err());
    }
}
