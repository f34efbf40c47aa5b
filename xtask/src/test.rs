//! `cargo xtask test`: every test of every part, then one summary.
//!
//! A part that fails does not stop the others, so that one run shows everything that is wrong.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use shoptrail_local::progress::{line, step};

use crate::process::stream;
use crate::workspace::Workspace;
use crate::{demo, powerbi, schemas, setup};

mod count;
mod specs;

use count::Count;

/// The crates that run as WASM; clippy looks at what they are there, too.
const WASM: [&str; 2] = ["shoptrail-collector", "shoptrail-edge"];

/// The crates with tests in Rust, by run. All in one would give the packages beneath other features than the demo's build has,
/// and polars would be compiled twice. What the backend stands on is tested with it, in the features of its build.
const CRATES: [&[&str]; 5] = [
    &["shoptrail-schemas"],
    &["shoptrail-collector"],
    &["shoptrail-edge"],
    &["xtask"],
    &["shoptrail-local", "shoptrail-backend"],
];

/// What holds the JavaScript to its form, of `package.json`.
const JAVASCRIPT: [&str; 3] = ["format:check", "lint", "types"];

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct TestArgs {
    /// Runs this part alone
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Generated files are what the generator writes now
    Generated,
    /// `cargo fmt` would change nothing
    Format,
    /// Clippy has nothing to say, natively and for WASM
    Clippy,
    /// Prettier and ESLint have nothing to say about the JavaScript, nor TypeScript about the tracker's
    Javascript,
    /// Unit and integration tests in Rust
    Rust,
    /// The tracker in Chromium
    Tracker,
    /// The Worker in workerd
    Worker,
    /// Shop, dashboard and the whole road in Chromium
    Browser,
    /// What `deploy/` holds
    Deploy,
    /// The Power BI project, and that its figures are the dashboard's
    Powerbi,
}

/// How one part ended.
struct Outcome {
    part: Part,
    took: Duration,
    result: Result<Count>,
}

/// Runs the parts and prints the summary.
///
/// # Errors
/// When the machine cannot be set up; failed tests are an exit code.
pub fn run(workspace: &Workspace, args: &TestArgs) -> Result<ExitCode> {
    let parts: Vec<Part> = Part::value_variants()
        .iter()
        .copied()
        .filter(|part| args.only.is_none_or(|only| only == *part))
        .collect();
    let folders: Vec<&str> = Part::value_variants()
        .iter()
        .filter_map(|part| part.specs())
        .collect();
    specs::check_each_has_a_part(&workspace.path(""), &folders)?;
    prepare(workspace, &parts)?;
    let outcomes: Vec<Outcome> = parts.into_iter().map(|part| part.run(workspace)).collect();
    Ok(summary(&outcomes))
}

/// Sets up what the chosen parts need.
fn prepare(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    if parts.contains(&Part::Rust) || parts.contains(&Part::Browser) {
        step("local-bigquery", || setup::bigquery::install(workspace))?;
    }
    if parts.iter().any(|part| part.needs_programs()) {
        let chromium = step("Chromium", || setup::browser::install(workspace))?;
        line(&format!("           {}", chromium.display()));
        return demo::build(workspace);
    }
    let needs_packages =
        |part: &Part| matches!(part, Part::Clippy | Part::Javascript | Part::Powerbi);
    if parts.iter().any(needs_packages) {
        setup::run(workspace)?;
    }
    Ok(())
}

impl Part {
    fn needs_programs(self) -> bool {
        matches!(self, Part::Tracker | Part::Worker | Part::Browser)
    }

    /// The folder of the part's `*.spec.mjs`.
    fn specs(self) -> Option<&'static str> {
        match self {
            Part::Tracker => Some("collector-wasm/tests"),
            Part::Worker => Some("edge-worker/tests"),
            Part::Browser => Some("tests"),
            Part::Deploy => Some("tests/deploy"),
            Part::Powerbi => Some("tests/powerbi"),
            Part::Generated | Part::Format | Part::Clippy | Part::Javascript | Part::Rust => None,
        }
    }

    /// Runs the part's specs, one after another: each starts servers and a browser of its own.
    fn node(self, workspace: &Workspace) -> Result<Count> {
        let folder = self.specs().context("a part without specs")?;
        let mut node = workspace.command("node");
        node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
            .args(specs::of(&workspace.path(folder))?);
        counted(&mut node)
    }

    fn run(self, workspace: &Workspace) -> Outcome {
        line(&format!("\n== {}", self.name()));
        let started = Instant::now();
        let result = match self {
            Part::Generated => schemas::check(workspace).map(|()| Count::one()),
            Part::Format => check(workspace, &["fmt", "--all", "--check"]),
            Part::Clippy => clippy(workspace),
            Part::Javascript => javascript(workspace),
            Part::Rust => rust(workspace),
            Part::Powerbi => power_bi(workspace),
            Part::Tracker | Part::Worker | Part::Browser | Part::Deploy => self.node(workspace),
        };
        Outcome {
            part: self,
            took: started.elapsed(),
            result,
        }
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// A command that either passes or fails counts as one test.
fn check(workspace: &Workspace, arguments: &[&str]) -> Result<Count> {
    if !stream(&mut workspace.cargo(arguments), echo)? {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(Count::one())
}

fn clippy(workspace: &Workspace) -> Result<Count> {
    let mut count = check(
        workspace,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    for package in WASM {
        let wasm = [
            "clippy",
            "--target",
            "wasm32-unknown-unknown",
            "--package",
            package,
            "--",
            "-D",
            "warnings",
        ];
        count = count + check(workspace, &wasm)?;
    }
    Ok(count)
}

/// Runs the checks of `package.json`; each counts as one test.
fn javascript(workspace: &Workspace) -> Result<Count> {
    JAVASCRIPT
        .iter()
        .try_fold(Count::default(), |count, script| {
            let mut npm = workspace.command("npm");
            npm.args(["run", "--silent", script]);
            if !stream(&mut npm, echo)? {
                bail!("`npm run {script}` failed");
            }
            Ok(count + Count::one())
        })
}

fn rust(workspace: &Workspace) -> Result<Count> {
    CRATES.iter().try_fold(Count::default(), |count, packages| {
        let mut test = workspace.cargo(&["test"]);
        for package in *packages {
            test.args(["--package", package]);
        }
        Ok(count + counted(&mut test)?)
    })
}

/// That the generated files are fresh is one test more.
fn power_bi(workspace: &Workspace) -> Result<Count> {
    powerbi::check(workspace)?;
    Ok(Count::one() + Part::Powerbi.node(workspace)?)
}

/// Runs a test runner, shows what it says and counts its tests.
fn counted(runner: &mut std::process::Command) -> Result<Count> {
    let mut count = Count::default();
    let success = stream(runner, |text| {
        count.read(text);
        echo(text)
    })?;
    if !success && count.failed == 0 {
        bail!("the test runner failed");
    }
    if success && count.passed == 0 {
        bail!("the test runner ran no test");
    }
    Ok(count)
}

fn echo(text: &str) -> Result<()> {
    println!("{text}");
    Ok(())
}

fn summary(outcomes: &[Outcome]) -> ExitCode {
    println!("\n== summary");
    let mut total = Count::default();
    for Outcome { part, took, result } in outcomes {
        let (count, words) = match result {
            Ok(count) if count.failed == 0 => (*count, format!("{} passed", count.passed)),
            Ok(count) => (
                *count,
                format!("{} passed, {} FAILED", count.passed, count.failed),
            ),
            Err(error) => (
                Count {
                    passed: 0,
                    failed: 1,
                },
                format!("FAILED: {error:#}"),
            ),
        };
        total = total + count;
        println!("{:>7.1} s  {:<10} {words}", took.as_secs_f64(), part.name());
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
