//! Chromium for the end-to-end tests; nothing else needs it.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::machine::install_debian;
use crate::process::find;
use crate::workspace::Workspace;

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Finds Chromium, or installs it where the user may.
///
/// # Errors
/// Returns an error if there is none.
pub fn install(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("SHOPTRAIL_CHROMIUM") {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!("`SHOPTRAIL_CHROMIUM` names no file: {}", path.display());
        }
        return Ok(path);
    }
    if let Some(found) = NAMES.into_iter().find_map(find) {
        return Ok(found);
    }
    let _ = install_debian(workspace, &["chromium"]);
    match find("chromium") {
        Some(installed) => Ok(installed),
        None => bail!(
            "the end-to-end tests need Chromium: install it, or name it in `SHOPTRAIL_CHROMIUM`"
        ),
    }
}
