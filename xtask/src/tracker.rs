//! Builds the tracker: `collector-wasm` by cargo, wasm-glue and binaryen's wasm-opt, its loader by esbuild. What the
//! Worker serves of it as static assets is in `target/tracker`: `t.js`, the WASM module it loads (named by its content),
//! and Cloudflare's `_headers`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::inputs;
use crate::wasm_glue;
use crate::workspace::Workspace;

/// How browsers and the edge keep the assets. A module's name changes with its content; `t.js` tells which one is current,
/// and a page that still has an older `t.js` goes without the module. Any shop's page may load them, one with a
/// `Cross-Origin-Embedder-Policy` too.
const HEADERS: &str = "\
/*
  Access-Control-Allow-Origin: *
  Cross-Origin-Resource-Policy: cross-origin
  X-Content-Type-Options: nosniff
/t.js
  Cache-Control: public, max-age=300
/*.wasm
  Cache-Control: public, max-age=31536000, immutable
";

/// What the tracker is built from.
const INPUTS: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "collector-wasm/Cargo.toml",
    "collector-wasm/js",
    "collector-wasm/src",
    "package-lock.json",
    "xtask/src/tracker.rs",
];

/// Builds the tracker into `target/tracker`, unless it is there and nothing it is built from has changed.
///
/// Needs the npm packages.
///
/// # Errors
/// When a step fails; the error holds the end of its output.
pub fn build(workspace: &Workspace) -> Result<()> {
    let assets = workspace.path("target/tracker");
    let parts = workspace.path("target/tracker-parts");
    let stamp = parts.join("built-from");
    let inputs = inputs::read(workspace, &INPUTS)?;
    if assets.join("t.js").exists() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(());
    }
    build_module(workspace, &parts)?;
    clear(&assets)?;
    bundle(workspace, &parts, &assets)?;
    write(&assets.join("_headers"), HEADERS.as_bytes())?;
    write(&stamp, &inputs)
}

/// Leaves `collector.js` (the glue) and `collector.wasm` in `parts`.
fn build_module(workspace: &Workspace, parts: &Path) -> Result<()> {
    #[rustfmt::skip]
    let mut cargo = workspace.cargo(&[
        "build", "--package", "shoptrail-collector", "--lib", "--profile", "smallest", "--target", "wasm32-unknown-unknown",
    ]);
    workspace.run("tracker core", &mut cargo)?;

    let module = workspace.path("target/wasm32-unknown-unknown/smallest/shoptrail_collector.wasm");
    wasm_glue::write(workspace, "browser", &module, parts, "collector")?;

    let mut wasm_opt = workspace.command("node");
    wasm_opt
        .arg("node_modules/binaryen/bin/wasm-opt")
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers"])
        .arg(parts.join("collector_bg.wasm"))
        .arg("--output")
        .arg(parts.join("collector.wasm"));
    workspace.run("tracker wasm-opt", &mut wasm_opt)
}

/// Bundles the loader with the glue into `t.js`, and puts the module beside it under the name that `t.js` knows.
fn bundle(workspace: &Workspace, parts: &Path, assets: &Path) -> Result<()> {
    let mut esbuild = workspace.command(workspace.path("node_modules/.bin/esbuild"));
    esbuild
        .arg("collector-wasm/js/loader.js")
        .args([
            "--bundle",
            "--minify",
            "--format=iife",
            "--target=es2020",
            "--log-level=warning",
        ])
        .args([
            "--entry-names=t",
            "--asset-names=t-[hash]",
            "--loader:.wasm=file",
        ])
        // Only the glue's default address of the module needs it, and the loader gives the address.
        .arg("--define:import.meta.url=undefined")
        .arg(format!("--define:VERSION={:?}", env!("CARGO_PKG_VERSION")))
        .arg(alias("shoptrail-glue", &parts.join("collector.js")))
        .arg(alias("shoptrail-module", &parts.join("collector.wasm")))
        .arg(format!("--outdir={}", assets.display()));
    workspace.run("tracker loader", &mut esbuild)
}

fn alias(name: &str, file: &Path) -> String {
    format!("--alias:{name}={}", file.display())
}

/// Removes the assets of an earlier build: nothing else would ever remove its module. The folder itself stays, as the
/// Worker's development server may be watching it.
fn clear(assets: &Path) -> Result<()> {
    fs::create_dir_all(assets).with_context(|| format!("cannot create `{}`", assets.display()))?;
    for entry in
        fs::read_dir(assets).with_context(|| format!("cannot read `{}`", assets.display()))?
    {
        let entry = entry?.path();
        let removed = if entry.is_dir() {
            fs::remove_dir_all(&entry)
        } else {
            fs::remove_file(&entry)
        };
        removed.with_context(|| format!("cannot remove `{}`", entry.display()))?;
    }
    Ok(())
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write `{}`", file.display()))
}
