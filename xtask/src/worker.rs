//! Builds the Worker: `edge-worker` by cargo, wasm-glue and esbuild, into `edge-worker/build`, where `wrangler.toml`
//! looks for it.
//!
//! No wasm-opt: after the linker has optimized the whole module, nothing of the compressed size is left for it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::inputs;
use crate::wasm_glue;
use crate::workspace::Workspace;

/// What the Worker is built from.
const INPUTS: [&str; 12] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "edge-worker/Cargo.toml",
    "edge-worker/js",
    "edge-worker/src",
    "package-lock.json",
    "rust-toolchain.toml",
    "schemas/Cargo.toml",
    "schemas/data",
    "schemas/src",
    "xtask/src/worker.rs",
];

/// Builds the Worker into `edge-worker/build`, unless it is there and nothing it is built from has changed.
///
/// Needs the npm packages.
///
/// # Errors
/// Returns an error if a step fails, with the end of its output.
pub fn build(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path("edge-worker/build");
    let stamp = folder.join(".built-from");
    let inputs = inputs::read(workspace, &INPUTS)?;
    if fs::read(&stamp).is_ok_and(|built_from| built_from == inputs) {
        return Ok(());
    }
    // Whoever interrupts the build finds no stamp, and it is done again.
    let _ = fs::remove_file(&stamp);
    let parts = workspace.path("target/worker-parts");
    build_module(workspace, &parts)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    bundle(workspace, &parts, &folder)?;
    let module = "index_bg.wasm";
    fs::copy(parts.join(module), folder.join(module))
        .with_context(|| format!("cannot write `{}`", folder.join(module).display()))?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write `{}`", stamp.display()))
}

/// Leaves `index.js` (the glue) and `index_bg.wasm` in `parts`.
fn build_module(workspace: &Workspace, parts: &Path) -> Result<()> {
    let mut cargo = workspace.cargo(&["build", "--package", "shoptrail-edge", "--lib"]);
    cargo.args(["--profile", "worker", "--target", "wasm32-unknown-unknown"]);
    workspace.run("worker core", &mut cargo)?;
    let module = workspace.path("target/wasm32-unknown-unknown/worker/shoptrail_edge.wasm");
    wasm_glue::write(workspace, "worker", &module, parts, "index")
}

/// Bundles the entry with the glue into `index.js`. The module stays a file of its own, which the runtime compiles.
fn bundle(workspace: &Workspace, parts: &Path, folder: &Path) -> Result<()> {
    let mut esbuild = workspace.command(workspace.path("node_modules/.bin/esbuild"));
    esbuild
        .arg("edge-worker/js/worker.js")
        .args([
            "--bundle",
            "--minify",
            "--format=esm",
            "--log-level=warning",
        ])
        .args(["--external:cloudflare:*", "--external:./index_bg.wasm"])
        .arg(format!(
            "--alias:shoptrail-glue={}",
            parts.join("index.js").display()
        ))
        .arg(format!("--outfile={}", folder.join("index.js").display()));
    workspace.run("worker bundle", &mut esbuild)?;
    // The glue imports the module in its source phase; workerd gives a compiled module for a plain import.
    let index = folder.join("index.js");
    let text =
        fs::read_to_string(&index).with_context(|| format!("cannot read `{}`", index.display()))?;
    fs::write(&index, text.replace("import source ", "import "))
        .with_context(|| format!("cannot write `{}`", index.display()))
}
