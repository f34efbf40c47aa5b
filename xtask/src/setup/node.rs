//! The JavaScript tools: exactly what `package-lock.json` says.

use std::path::Path;

use anyhow::{Context, Result};

use super::is_fresh;
use crate::process::{command, run};

/// Installs the npm packages, unless `node_modules` was made from this very lock file.
pub(super) fn install(root: &Path) -> Result<()> {
    let lock = root.join("package-lock.json");
    // Inside what it speaks for, so that both go together.
    let stamp = root.join("node_modules/.installed-from-package-lock.json");
    if is_fresh(&lock, &stamp) {
        return Ok(());
    }
    run(
        root,
        "npm ci",
        command(root, "npm").args(["ci", "--no-progress"]),
    )?;
    std::fs::copy(&lock, &stamp).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(())
}
