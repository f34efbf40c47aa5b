//! `cargo xtask bench`: the benchmarks, each a folder `bench/NAME` with a `run.mjs`, whose first lines say what it
//! measures.

use std::ffi::OsString;
use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use shoptrail_local::progress::step;

use crate::workspace::Workspace;
use crate::{setup, tracker, worker};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// The folder below `bench/`; without it, the names are listed
    name: Option<String>,
    /// Options of the benchmark itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds the tracker and the Worker, then runs a benchmark on this terminal. One of the backend builds it itself, optimized.
///
/// # Errors
/// Returns an error if there is no such benchmark, or what it needs cannot be built; its own failure is an exit code.
pub fn run(workspace: &Workspace, args: &BenchArgs) -> Result<ExitCode> {
    let names = names(workspace)?;
    let Some(name) = &args.name else {
        for name in names {
            println!("{name}");
        }
        return Ok(ExitCode::SUCCESS);
    };
    if !names.contains(name) {
        bail!("no benchmark `{name}`\nhint: one of {}", names.join(", "));
    }
    setup::run(workspace)?;
    step("tracker", || tracker::build(workspace))?;
    step("Worker", || worker::build(workspace))?;
    let mut node = workspace.command("node");
    node.arg(workspace.path("bench").join(name).join("run.mjs"))
        .args(&args.arguments)
        .stdin(Stdio::inherit());
    let status = node.status().context("cannot start `node`")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The benchmarks that are there, sorted.
fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.path("bench");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("run.mjs").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_something_to_run_are_the_benchmarks() {
        let root = tempfile::tempdir().expect("a folder");
        for file in ["edge/run.mjs", "tracker/run.mjs", "common/help.mjs"] {
            let path = root.path().join("bench").join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        let names = names(&Workspace::at(root.path())).expect("read");
        assert_eq!(names, ["edge", "tracker"]);
    }
}
