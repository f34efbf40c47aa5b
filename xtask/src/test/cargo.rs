//! The parts that cargo runs.

use std::process::Command;

use anyhow::Result;

use super::count::Count;
use super::runner::Runner;
use crate::setup::{checkers, site};

/// The crates, by run of cargo. All in one would give the packages beneath other features than the demo's build has, and
/// polars would be compiled once more for it. What the backend is built from is tested with it, in the features of its build.
const CRATES: [&[&str]; 7] = [
    &["shoptrail-schemas"],
    &["shoptrail-collector"],
    &["shoptrail-debug"],
    &["shoptrail-edge"],
    &["xtask"],
    &["wasm-glue"],
    &["shoptrail-local", "shoptrail-backend"],
];

/// Of these, the one without tests.
const UNTESTED: &str = "wasm-glue";

/// The crates that run as WASM; clippy looks at what they are there, too.
const WASM: [&str; 3] = ["shoptrail-collector", "shoptrail-debug", "shoptrail-edge"];

/// Links to private items stay allowed: they lead whoever reads the source, and none of the crates is published.
const RUSTDOC_FLAGS: &str = "-D warnings -A rustdoc::private-intra-doc-links";

pub(super) fn format(runner: &Runner<'_>) -> Result<Count> {
    runner.check(&mut runner.workspace.cargo(&["fmt", "--all", "--check"]))
}

pub(super) fn dependencies(runner: &Runner<'_>) -> Result<Count> {
    let allowed = runner.check(&mut checkers::deny(runner.workspace))?;
    let used = runner.check(&mut checkers::shear(runner.workspace))?;
    Ok(allowed + used)
}

pub(super) fn clippy(runner: &Runner<'_>) -> Result<Count> {
    let native = each_run(|packages| {
        let mut clippy = runner.workspace.cargo(&["clippy", "--all-targets"]);
        select(&mut clippy, packages).args(["--", "-D", "warnings"]);
        runner.check(&mut clippy)
    })?;
    WASM.iter().try_fold(native, |count, package| {
        let mut clippy = runner.workspace.cargo(&["clippy"]);
        clippy.args(["--target", "wasm32-unknown-unknown"]);
        select(&mut clippy, &[package]).args(["--", "-D", "warnings"]);
        Ok(count + runner.check(&mut clippy)?)
    })
}

pub(super) fn documentation(runner: &Runner<'_>) -> Result<Count> {
    let site = runner.check(&mut site::build(runner.workspace))?;
    let crates = each_run(|packages| {
        let mut doc = runner.workspace.cargo(&["doc", "--no-deps"]);
        select(&mut doc, packages).env("RUSTDOCFLAGS", RUSTDOC_FLAGS);
        runner.check(&mut doc)
    })?;
    Ok(site + crates)
}

pub(super) fn tests(runner: &Runner<'_>) -> Result<Count> {
    each_run(|packages| {
        if packages == [UNTESTED] {
            return Ok(Count::default());
        }
        let mut test = runner.workspace.cargo(&["test"]);
        runner.count(select(&mut test, packages))
    })
}

fn each_run(mut run: impl FnMut(&[&str]) -> Result<Count>) -> Result<Count> {
    CRATES.iter().try_fold(Count::default(), |count, packages| {
        Ok(count + run(packages)?)
    })
}

fn select<'a>(command: &'a mut Command, packages: &[&str]) -> &'a mut Command {
    for package in packages {
        command.args(["--package", package]);
    }
    command
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_crate_of_the_workspace_is_in_one_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = |folder: &str| {
            std::fs::read_to_string(root.join(folder).join("Cargo.toml")).expect("a manifest")
        };
        let workspace = manifest("");
        let members = workspace
            .split_once("members = [")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(members, _)| members)
            .expect("members");
        for member in members
            .split(',')
            .map(|member| member.trim().trim_matches('"'))
        {
            let manifest = manifest(member);
            let name = name_of(&manifest);
            let runs = CRATES.iter().filter(|packages| packages.contains(&name));
            assert_eq!(runs.count(), 1, "{member}");
        }
    }

    fn name_of(manifest: &str) -> &str {
        let name = manifest.split_once("name = \"").map(|(_, rest)| rest);
        name.and_then(|rest| rest.split_once('"'))
            .map(|(name, _)| name)
            .expect("a name")
    }
}
