//! Builds the tracker: `collector-wasm` by cargo, wasm-bindgen and binaryen's wasm-opt, its loader by esbuild. What the
//! Worker serves of it as static assets is in `target/tracker`: `t.js`, the WASM module it loads (named by its content),
//! and Cloudflare's `_headers`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{inputs, process};

/// How browsers and the edge keep the assets. A module's name changes with its content; `t.js` tells which one is current,
/// and a page that still has an older `t.js` goes without the module. Any shop's page may load them.
const HEADERS: &str = "\
/*
  Access-Control-Allow-Origin: *
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

/// Builds the tracker into `ROOT/target/tracker`, unless it is there and nothing it is built from has changed.
///
/// Needs `TOOLS/bin/wasm-bindgen` and the npm packages.
///
/// # Errors
/// When a step fails; the error holds the end of its output.
pub fn build(root: &Path, tools: &Path) -> Result<()> {
    let assets = root.join("target/tracker");
    let parts = root.join("target/tracker-parts");
    let stamp = parts.join("built-from");
    let inputs = inputs::read(root, &INPUTS)?;
    if assets.join("t.js").exists() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(());
    }
    build_module(root, tools, &parts)?;
    clear(&assets)?;
    bundle(root, &parts, &assets)?;
    write(&assets.join("_headers"), HEADERS.as_bytes())?;
    write(&stamp, &inputs)
}

/// Leaves `collector.js` (the glue) and `collector.wasm` in `parts`.
fn build_module(root: &Path, tools: &Path, parts: &Path) -> Result<()> {
    #[rustfmt::skip]
    let mut cargo = process::cargo(root, &[
        "build", "--package", "shoptrail-collector", "--lib", "--profile", "smallest", "--target", "wasm32-unknown-unknown",
    ]);
    process::run(root, "tracker core", &mut cargo)?;

    let mut wasm_bindgen = process::command(root, tools.join("bin/wasm-bindgen"));
    wasm_bindgen
        .args([
            "--target",
            "web",
            "--no-typescript",
            "--out-name",
            "collector",
        ])
        .args([
            "--remove-name-section",
            "--remove-producers-section",
            "--out-dir",
        ])
        .arg(parts)
        .arg(root.join("target/wasm32-unknown-unknown/smallest/shoptrail_collector.wasm"));
    process::run(root, "tracker glue", &mut wasm_bindgen)?;

    let mut wasm_opt = process::command(root, "node");
    wasm_opt
        .arg("node_modules/binaryen/bin/wasm-opt")
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers"])
        .arg(parts.join("collector_bg.wasm"))
        .arg("--output")
        .arg(parts.join("collector.wasm"));
    process::run(root, "tracker wasm-opt", &mut wasm_opt)
}

/// Bundles the loader with the glue into `t.js`, and puts the module beside it under the name that `t.js` knows.
fn bundle(root: &Path, parts: &Path, assets: &Path) -> Result<()> {
    let mut esbuild = process::command(root, root.join("node_modules/.bin/esbuild"));
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
    process::run(root, "tracker loader", &mut esbuild)
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
