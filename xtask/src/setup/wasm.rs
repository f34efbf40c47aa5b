//! What turns Rust into WASM for the tracker and the Worker: the compile target and wasm-glue.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::{answer, find};
use crate::wasm_glue;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the target and builds wasm-glue.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    add_target(workspace)?;
    wasm_glue::build(workspace)
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
