//! `cargo xtask test`: every test of every part, then one summary.
//!
//! The parts run in two lanes side by side. A part that fails does not stop the others, so that one run shows everything
//! that is wrong.

use std::process::ExitCode;
use std::thread::{ScopedJoinHandle, scope};

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use shoptrail_local::progress::{line, step};

use crate::workspace::Workspace;
use crate::{demo, setup};

mod cargo;
mod count;
mod part;
mod runner;
mod specs;

use count::Count;
use part::{LANES, Part, PartResult};

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct TestArgs {
    /// Runs this part alone
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
}

/// Runs the parts and prints the summary.
///
/// # Errors
/// Returns an error if the machine cannot be set up; failed tests are an exit code.
pub fn run(workspace: &Workspace, args: &TestArgs) -> Result<ExitCode> {
    let folders: Vec<&str> = Part::value_variants()
        .iter()
        .filter_map(|part| part.specs())
        .collect();
    specs::check_each_has_a_part(&workspace.path(""), &folders)?;
    let outcomes = match args.only {
        Some(part) => {
            prepare(workspace, &[part])?;
            vec![part.run(workspace, true)]
        }
        None => {
            prepare(workspace, Part::value_variants())?;
            run_lanes(workspace)?
        }
    };
    Ok(summary(outcomes))
}

/// Sets up what the chosen parts need, side by side.
fn prepare(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    let needed = |need: fn(Part) -> bool| parts.iter().any(|part| need(*part));
    if needed(Part::needs_programs) {
        let chromium = step("Chromium", || setup::browser::install(workspace))?;
        line(&format!("           {}", chromium.display()));
    }
    scope(|scope| {
        let mut steps: Vec<ScopedJoinHandle<'_, Result<()>>> = Vec::new();
        if needed(Part::needs_bigquery) {
            steps.push(
                scope.spawn(|| step("local-bigquery", || setup::bigquery::install(workspace))),
            );
        }
        if parts.contains(&Part::Dependencies) {
            steps.push(scope.spawn(|| step("checkers", || setup::checkers::install(workspace))));
        }
        if parts.contains(&Part::Documentation) {
            steps.push(scope.spawn(|| step("MkDocs", || setup::site::install(workspace))));
        }
        if needed(Part::needs_programs) {
            steps.push(scope.spawn(|| demo::build(workspace)));
        } else if needed(Part::needs_setup) {
            steps.push(scope.spawn(|| setup::run(workspace)));
        }
        join(steps).map(|_| ())
    })
}

/// Runs all parts and returns their outcomes, in the order of the list.
fn run_lanes(workspace: &Workspace) -> Result<Vec<PartResult>> {
    let outcomes = scope(|scope| {
        let lanes = LANES.map(|lane| {
            scope.spawn(move || {
                let outcomes = lane.iter().map(|part| part.run(workspace, false));
                Ok(outcomes.collect::<Vec<PartResult>>())
            })
        });
        join(lanes)
    })?;
    let mut outcomes: Vec<PartResult> = outcomes.into_iter().flatten().collect();
    outcomes.sort_by_key(|outcome| outcome.part);
    Ok(outcomes)
}

/// Waits for all, then returns their values or the first error.
fn join<'a, T: 'a>(
    threads: impl IntoIterator<Item = ScopedJoinHandle<'a, Result<T>>>,
) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = threads
        .into_iter()
        .map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a thread of the tests panicked")))
        })
        .collect();
    results.into_iter().collect()
}

/// Says what failed and how, then how each part ended: the end of a long output is what people are shown.
fn summary(outcomes: Vec<PartResult>) -> ExitCode {
    let mut total = Count::default();
    let mut lines = Vec::new();
    for PartResult { part, took, result } in outcomes {
        let name = part.name();
        let count = result.unwrap_or_else(|error| Count::failure(format!("{error:#}")));
        let mut words = format!("{} passed", count.passed);
        if count.failed > 0 {
            words += &format!(", {} FAILED", count.failed);
            println!("\n== failed in {name}\n{}", count.report.join("\n"));
        }
        lines.push(format!("{:>7.1} s  {name:<13} {words}", took.as_secs_f64()));
        total = total + count;
    }
    println!("\n== summary\n{}", lines.join("\n"));
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
