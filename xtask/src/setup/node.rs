//! The JavaScript tools: exactly what `package-lock.json` says.

use anyhow::{Context, Result};

use super::is_fresh;
use crate::workspace::Workspace;

/// Installs the npm packages, unless `node_modules` was made from this very lock file.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let lock = workspace.path("package-lock.json");
    // Inside what it speaks for, so that both go together.
    let stamp = workspace.path("node_modules/.installed-from-package-lock.json");
    if is_fresh(&lock, &stamp) {
        return Ok(());
    }
    workspace.run(
        "npm ci",
        workspace.command("npm").args(["ci", "--no-progress"]),
    )?;
    std::fs::copy(&lock, &stamp).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(())
}
