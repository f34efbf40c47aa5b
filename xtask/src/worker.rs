//! Builds the Worker: `edge-worker` by worker-build, into `edge-worker/build`, where `wrangler.toml` looks for it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{inputs, process};

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

/// Builds the Worker into `ROOT/edge-worker/build`, unless it is there and nothing it is built from has changed.
///
/// Needs `TOOLS/bin/wasm-bindgen`, `TOOLS/bin/worker-build` and the npm packages: worker-build would download what it is
/// not shown.
///
/// # Errors
/// When worker-build fails; the error holds the end of its output.
pub fn build(root: &Path, tools: &Path) -> Result<()> {
    let folder = root.join("edge-worker");
    // In the folder that worker-build makes anew.
    let stamp = folder.join("build/.built-from");
    let inputs = inputs::read(root, &INPUTS)?;
    if fs::read(&stamp).is_ok_and(|built_from| built_from == inputs) {
        return Ok(());
    }
    let mut worker_build = process::command(root, tools.join("bin/worker-build"));
    worker_build
        .arg("--release")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("ESBUILD_BIN", root.join("node_modules/.bin/esbuild"))
        .env("WASM_BINDGEN_BIN", tools.join("bin/wasm-bindgen"));
    process::run(root, "worker", &mut worker_build)?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write `{}`", stamp.display()))
}
