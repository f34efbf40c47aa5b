//! `cargo xtask pictures`: takes the documentation's pictures again, from a demo of their own.

use std::process::ExitCode;

use anyhow::Result;
use shoptrail_local::progress::step;

use crate::workspace::Workspace;
use crate::{demo, setup};

/// Where the demo keeps its data.
const DATA: &str = "target/pictures";

/// Takes `docs/dashboard.png` and the pictures of the Power BI report.
///
/// # Errors
/// Returns an error if the demo does not run, or a picture cannot be taken.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    step("Chromium", || setup::browser::install(workspace))?;
    demo::with_history(workspace, &workspace.path(DATA), |shop| {
        let mut node = workspace.command("node");
        node.args(["docs/pictures/take.mjs", shop]);
        step("pictures", || workspace.run("pictures", &mut node))
    })
}
