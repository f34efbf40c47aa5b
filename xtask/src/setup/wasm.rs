//! What turns Rust into WASM for the tracker and the Worker: the compile target, wasm-bindgen and worker-build.
//!
//! The tools are built unoptimized: that takes a third of the time, and they run for a second each.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::process::{answer, cargo, command, find, run};

const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the target and the tools in the versions that `Cargo.lock` demands.
pub(super) fn install(root: &Path, tools: &Path) -> Result<()> {
    add_target(root)?;
    let lock =
        std::fs::read_to_string(root.join("Cargo.lock")).context("cannot read `Cargo.lock`")?;
    // Its own lock file names a package version that the registry no longer gives.
    let bindgen = ["--no-default-features", "--bin", "wasm-bindgen"];
    install_tool(
        root,
        tools,
        "wasm-bindgen-cli",
        locked_version(&lock, "wasm-bindgen")?,
        &bindgen,
    )?;
    install_tool(
        root,
        tools,
        "worker-build",
        locked_version(&lock, "worker")?,
        &["--locked", "--bin", "worker-build"],
    )
}

fn add_target(root: &Path) -> Result<()> {
    let libraries = answer(Command::new("rustc").current_dir(root).args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]));
    if libraries.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!(
            "Rust's target `{TARGET}` is missing: install it with your Rust, or install Rust from https://rustup.rs"
        );
    }
    run(
        root,
        "rustup target",
        command(root, "rustup").args(["target", "add", TARGET]),
    )
}

fn install_tool(
    root: &Path,
    tools: &Path,
    package: &str,
    version: &str,
    arguments: &[&str],
) -> Result<()> {
    if is_installed(tools, package, version) {
        return Ok(());
    }
    let mut command = cargo(
        root,
        &["install", "--debug", "--config", "profile.dev.debug=0"],
    );
    command
        .arg(format!("{package}@{version}"))
        .args(arguments)
        .arg("--root")
        .arg(tools);
    // The tools share a target folder, and with it the packages both use.
    command.env("CARGO_TARGET_DIR", tools.join("build"));
    run(root, package, &mut command)
}

/// Asks cargo's own record, because `cargo install` asks the registry even when there is nothing to do.
fn is_installed(tools: &Path, package: &str, version: &str) -> bool {
    let record = std::fs::read_to_string(tools.join(".crates.toml")).unwrap_or_default();
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
