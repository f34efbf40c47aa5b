//! Runs `xtask/wasm-glue`, which writes the JavaScript around our WASM modules.

use std::path::Path;

use anyhow::Result;

use crate::workspace::Workspace;

/// Builds wasm-glue, unless it is there.
///
/// It has a target folder of its own: the workspace's is locked by the backend's build for minutes.
///
/// # Errors
/// Returns an error if it does not compile.
pub fn build(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["build", "--package", "wasm-glue"]);
    cargo.env("CARGO_TARGET_DIR", target(workspace));
    workspace.run("wasm-glue", &mut cargo)
}

/// Writes `NAME.js` and `NAME_bg.wasm` into `folder` for a module that runs in `host`: `browser`, `worker`, or
/// `bare` for a browser's module without glue, which exports the calls of its `Core` alone, under their own names.
///
/// # Errors
/// Returns an error if `module` cannot be read or is no module made with wasm-bindgen.
pub fn write(
    workspace: &Workspace,
    host: &str,
    module: &Path,
    folder: &Path,
    name: &str,
) -> Result<()> {
    let mut glue = workspace.command(target(workspace).join("debug/wasm-glue"));
    glue.arg(host).arg(module).arg(folder).arg(name);
    workspace.run(&format!("{name} glue"), &mut glue)
}

fn target(workspace: &Workspace) -> std::path::PathBuf {
    workspace.tools().join("build")
}
