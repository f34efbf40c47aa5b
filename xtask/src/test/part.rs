//! The parts of the test command.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use shoptrail_local::progress::line;

use super::count::Count;
use super::runner::Runner;
use super::{cargo, specs};
use crate::workspace::Workspace;
use crate::{powerbi, schemas};

/// What holds the JavaScript to its form, of `package.json`.
const JAVASCRIPT: [&str; 3] = ["format:check", "lint", "types"];

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Part {
    /// Generated files are what the generator writes now
    Generated,
    /// `cargo fmt` would change nothing
    Format,
    /// Licences and sources of the dependencies are allowed, and each is used
    Dependencies,
    /// Clippy has nothing to say, natively and for WASM
    Clippy,
    /// The documentation builds without a warning: the site with its links, and that of the crates
    Documentation,
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

/// The parts by what they wait for: cargo's lock and the processor, or servers and browsers. Each lane runs its parts one
/// after another, beside the other.
pub(super) const LANES: [&[Part]; 2] = [
    &[
        Part::Format,
        Part::Generated,
        Part::Clippy,
        Part::Documentation,
        Part::Rust,
    ],
    &[
        Part::Javascript,
        Part::Dependencies,
        Part::Deploy,
        Part::Worker,
        Part::Tracker,
        Part::Browser,
        Part::Powerbi,
    ],
];

/// How one part ended.
pub(super) struct PartResult {
    pub part: Part,
    pub took: Duration,
    pub result: Result<Count>,
}

impl Part {
    /// Whether it runs the tracker, the Worker or the backend.
    pub(super) fn needs_programs(self) -> bool {
        matches!(self, Part::Tracker | Part::Worker | Part::Browser)
    }

    /// Whether it needs what set-up installs.
    pub(super) fn needs_setup(self) -> bool {
        matches!(self, Part::Clippy | Part::Javascript | Part::Powerbi)
    }

    /// Whether it starts local-bigquery.
    pub(super) fn needs_bigquery(self) -> bool {
        matches!(self, Part::Rust | Part::Browser)
    }

    /// The folder of the part's `*.spec.mjs`.
    pub(super) fn specs(self) -> Option<&'static str> {
        match self {
            Part::Tracker => Some("collector-wasm/tests"),
            Part::Worker => Some("edge-worker/tests"),
            Part::Browser => Some("tests"),
            Part::Deploy => Some("tests/deploy"),
            Part::Powerbi => Some("tests/powerbi"),
            Part::Generated
            | Part::Format
            | Part::Dependencies
            | Part::Clippy
            | Part::Documentation
            | Part::Javascript
            | Part::Rust => None,
        }
    }

    /// The name a person gives it.
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// Runs it. With others beside it, its lines carry its name.
    pub(super) fn run(self, workspace: &Workspace, is_alone: bool) -> PartResult {
        let name = self.name();
        line(&format!("== {name}"));
        let runner = Runner {
            workspace,
            prefix: if is_alone {
                String::new()
            } else {
                format!("{name:<13} | ")
            },
        };
        let started = Instant::now();
        let result = self.test(&runner);
        PartResult {
            part: self,
            took: started.elapsed(),
            result,
        }
    }

    fn test(self, runner: &Runner<'_>) -> Result<Count> {
        match self {
            Part::Generated => schemas::check(runner.workspace).map(|()| Count::one()),
            Part::Format => cargo::format(runner),
            Part::Dependencies => cargo::dependencies(runner),
            Part::Clippy => cargo::clippy(runner),
            Part::Documentation => cargo::documentation(runner),
            Part::Javascript => javascript(runner),
            Part::Rust => cargo::tests(runner),
            Part::Powerbi => power_bi(runner),
            Part::Tracker | Part::Worker | Part::Browser | Part::Deploy => self.node(runner),
        }
    }

    /// Runs the part's specs, one after another: each starts servers and a browser of its own.
    fn node(self, runner: &Runner<'_>) -> Result<Count> {
        let folder = self.specs().context("a part without specs")?;
        let mut node = runner.workspace.command("node");
        node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
            .args(specs::of(&runner.workspace.path(folder))?);
        runner.count(&mut node)
    }
}

/// Runs the checks of `package.json`; each counts as one test.
fn javascript(runner: &Runner<'_>) -> Result<Count> {
    JAVASCRIPT
        .iter()
        .try_fold(Count::default(), |count, script| {
            let mut npm = runner.workspace.command("npm");
            npm.args(["run", "--silent", script]);
            Ok(count + runner.check(&mut npm)?)
        })
}

/// That the generated files are fresh is one test more.
fn power_bi(runner: &Runner<'_>) -> Result<Count> {
    powerbi::check(runner.workspace)?;
    Ok(Count::one() + Part::Powerbi.node(runner)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_in_one_lane() {
        for part in Part::value_variants() {
            let lanes = LANES.iter().filter(|lane| lane.contains(part)).count();
            assert_eq!(lanes, 1, "{}", part.name());
        }
    }
}
