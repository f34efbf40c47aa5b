//! Builds the tracker: `collector-wasm` by cargo, wasm-glue and binaryen's wasm-opt, its loader by esbuild. What the
//! Worker serves of it as static assets is in `target/tracker`: `t.js`, the WASM module and the late parts it loads (named
//! by their content), and Cloudflare's `_headers`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::inputs;
use crate::wasm_glue;
use crate::workspace::Workspace;

/// How browsers and the edge keep the assets. What `t.js` loads has a name that changes with its content; `t.js` tells which
/// one is current, and a page that still has an older `t.js` goes without. Any shop's page may load them, one with a
/// `Cross-Origin-Embedder-Policy` too.
const HEADERS: &str = "\
/*
  Access-Control-Allow-Origin: *
  Cross-Origin-Resource-Policy: cross-origin
  X-Content-Type-Options: nosniff
/t.js
  Cache-Control: public, max-age=300
/t-*
  Cache-Control: public, max-age=31536000, immutable
";

/// The parts that a page loads late.
const LATE: &str = "collector-wasm/js/late";

/// What the tracker is built from.
const INPUTS: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "collector-wasm/Cargo.toml",
    "collector-wasm/debug",
    "collector-wasm/js",
    "collector-wasm/src",
    "package-lock.json",
    "schemas/Cargo.toml",
    "schemas/src",
    "xtask/src/tracker.rs",
    "xtask/wasm-glue",
];

/// Builds the tracker into `target/tracker`, unless it is there and nothing it is built from has changed.
///
/// Needs the npm packages.
///
/// # Errors
/// Returns an error if a step fails, with the end of its output.
pub fn build(workspace: &Workspace) -> Result<()> {
    let assets = workspace.path("target/tracker");
    let parts = workspace.path("target/tracker-parts");
    let stamp = parts.join("built-from");
    let inputs = inputs::read(workspace, &INPUTS)?;
    if assets.join("t.js").exists() && fs::read(&stamp).is_ok_and(|built| built == inputs) {
        return Ok(());
    }
    build_module(workspace, &parts, "collector", "bare")?;
    build_module(workspace, &parts, "debug", "browser")?;
    clear(&assets)?;
    bundle_late_parts(workspace, &parts, &assets)?;
    bundle(workspace, &parts, &assets)?;
    write(&assets.join("_headers"), HEADERS.as_bytes())?;
    write(&stamp, &inputs)
}

/// Leaves `NAME.wasm` of the crate `shoptrail-NAME` in `parts`, and beside it `NAME.js`, the glue that wasm-bindgen writes for
/// `host`. That of the collector is not used (`js/module.js`).
fn build_module(workspace: &Workspace, parts: &Path, name: &str, host: &str) -> Result<()> {
    let package = format!("shoptrail-{name}");
    #[rustfmt::skip]
    let mut cargo = workspace.cargo(&[
        "build", "--package", &package, "--lib", "--profile", "smallest", "--target", "wasm32-unknown-unknown",
    ]);
    workspace.run(&format!("tracker {name}"), &mut cargo)?;

    let module = workspace
        .path("target/wasm32-unknown-unknown/smallest")
        .join(format!("shoptrail_{name}.wasm"));
    wasm_glue::write(workspace, host, &module, parts, name)?;

    let mut wasm_opt = workspace.command("node");
    wasm_opt
        .arg("node_modules/binaryen/bin/wasm-opt")
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers"])
        // What only linkers read.
        .arg("--strip-target-features")
        .arg(parts.join(format!("{name}_bg.wasm")))
        .arg("--output")
        .arg(parts.join(format!("{name}.wasm")));
    workspace.run(&format!("tracker {name} wasm-opt"), &mut wasm_opt)
}

/// Bundles each file of `js/late` into a module `t-NAME-HASH.js`, and puts what debug mode judges events with beside them.
fn bundle_late_parts(workspace: &Workspace, parts: &Path, assets: &Path) -> Result<()> {
    let mut esbuild = esbuild(workspace, "esm", assets);
    for part in late_parts(workspace)? {
        esbuild.arg(format!("{LATE}/{part}.js"));
    }
    esbuild
        .args([
            "--entry-names=t-[name]-[hash]",
            "--asset-names=t-[name]-[hash]",
            "--loader:.wasm=file",
        ])
        .arg(format!(
            "--alias:shoptrail-debug-glue={}",
            parts.join("debug.js").display()
        ))
        .arg(format!(
            "--alias:shoptrail-debug-module={}",
            parts.join("debug.wasm").display()
        ));
    workspace.run("tracker late parts", &mut esbuild)
}

/// The names of the late parts, sorted.
fn late_parts(workspace: &Workspace) -> Result<Vec<String>> {
    let mut parts: Vec<String> = names(&workspace.path(LATE))?
        .iter()
        .filter_map(|file| file.strip_suffix(".js"))
        .map(str::to_owned)
        .collect();
    parts.sort();
    Ok(parts)
}

/// The file of a late part among the assets.
fn late_file(assets: &Path, part: &str) -> Result<String> {
    let start = format!("t-{part}-");
    let found = names(assets)?
        .into_iter()
        .find(|file| file.starts_with(&start) && file.ends_with(".js"));
    let Some(file) = found else {
        bail!("esbuild has not written the late part `{part}`");
    };
    Ok(file)
}

/// Bundles the loader into `t.js`, and puts the module beside it under the name that `t.js` knows.
fn bundle(workspace: &Workspace, parts: &Path, assets: &Path) -> Result<()> {
    let mut esbuild = esbuild(workspace, "iife", assets);
    for part in late_parts(workspace)? {
        let name = part.to_uppercase().replace('-', "_");
        esbuild.arg(format!("--define:{name}={:?}", late_file(assets, &part)?));
    }
    esbuild
        .arg("collector-wasm/js/loader.js")
        .args([
            "--entry-names=t",
            "--asset-names=t-[hash]",
            "--loader:.wasm=file",
        ])
        .arg(format!("--define:VERSION={:?}", env!("CARGO_PKG_VERSION")))
        .arg(format!(
            "--alias:shoptrail-module={}",
            parts.join("collector.wasm").display()
        ));
    workspace.run("tracker loader", &mut esbuild)
}

/// esbuild with what all bundles have in common.
fn esbuild(workspace: &Workspace, format: &str, assets: &Path) -> Command {
    let mut esbuild = workspace.command(workspace.path("node_modules/.bin/esbuild"));
    esbuild
        .args(["--bundle", "--minify", "--target=es2020"])
        .arg("--log-level=warning")
        .arg(format!("--format={format}"))
        .arg(format!("--outdir={}", assets.display()));
    esbuild
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

/// The names of a folder's files.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write `{}`", file.display()))
}
