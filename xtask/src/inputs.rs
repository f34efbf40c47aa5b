//! What something is built from, as bytes to compare: a time stamp would miss a file that was removed or restored.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Reads all files at and below `paths`, with their names, in a fixed order.
///
/// # Errors
/// Returns an error if one cannot be read.
pub fn read(workspace: &Workspace, paths: &[&str]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for path in paths {
        for file in files(&workspace.path(path))? {
            // Below the workspace, so that a moved checkout is still up to date.
            let name = file.strip_prefix(workspace.path("")).unwrap_or(&file);
            all.extend_from_slice(name.as_os_str().as_encoded_bytes());
            all.extend(
                fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?,
            );
        }
    }
    Ok(all)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))? {
        entries.push(entry?.path());
    }
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        found.extend(files(&entry)?);
    }
    Ok(found)
}
