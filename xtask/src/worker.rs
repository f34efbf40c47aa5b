//! Builds the Worker: `edge-worker` by worker-build, into `edge-worker/build`, where `wrangler.toml` looks for it.

use std::fs;

use anyhow::{Context, Result};

use crate::inputs;
use crate::workspace::Workspace;

/// What the Worker is built from.
const INPUTS: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "edge-worker/Cargo.toml",
    "edge-worker/src",
    "package-lock.json",
    "rust-toolchain.toml",
    "schemas/Cargo.toml",
    "schemas/src",
];

/// Builds the Worker into `edge-worker/build`, unless it is there and nothing it is built from has changed.
///
/// Needs `target/tools/bin/wasm-bindgen`, `target/tools/bin/worker-build` and the npm packages: worker-build would download what it is
/// not shown.
///
/// # Errors
/// When worker-build fails; the error holds the end of its output.
pub fn build(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path("edge-worker");
    // In the folder that worker-build makes anew.
    let stamp = folder.join("build/.built-from");
    let inputs = inputs::read(workspace, &INPUTS)?;
    if fs::read(&stamp).is_ok_and(|built_from| built_from == inputs) {
        return Ok(());
    }
    let mut worker_build = workspace.command(workspace.tools().join("bin/worker-build"));
    worker_build
        .arg("--release")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", workspace.path("target"))
        .env("ESBUILD_BIN", workspace.path("node_modules/.bin/esbuild"))
        .env(
            "WASM_BINDGEN_BIN",
            workspace.tools().join("bin/wasm-bindgen"),
        );
    workspace.run("worker", &mut worker_build)?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write `{}`", stamp.display()))
}
