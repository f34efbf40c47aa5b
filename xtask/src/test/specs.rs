//! The tests in JavaScript: every `*.spec.mjs`, found by folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Folders that hold what was built, installed or recorded.
const NOT_OURS: [&str; 4] = ["node_modules", "target", "build", "data"];

/// Returns the specs of a folder, sorted.
///
/// # Errors
/// Returns an error if the folder cannot be read or has none.
pub fn of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut specs = entries(folder)?;
    specs.retain(|path| is_spec(path));
    if specs.is_empty() {
        bail!("no `*.spec.mjs` in `{}`", folder.display());
    }
    Ok(specs)
}

/// Checks that each spec of the workspace at `root` is in one of `folders`: a spec that no part runs proves nothing.
///
/// # Errors
/// Returns an error if one is not, or if a folder cannot be read.
pub fn check_each_has_a_part(root: &Path, folders: &[&str]) -> Result<()> {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for path in entries(&folder)? {
            if path.is_dir() && is_ours(&path) {
                waiting.push(path);
            } else if is_spec(&path) && !folders.contains(&folder) {
                bail!(
                    "no part of `cargo xtask test` runs `{}`",
                    path.strip_prefix(root).unwrap_or(&path).display()
                );
            }
        }
    }
    Ok(())
}

fn is_spec(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".spec.mjs")
}

fn is_ours(folder: &Path) -> bool {
    let name = folder
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    !name.starts_with('.') && !NOT_OURS.contains(&name) && !folder.is_symlink()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read `{}`", folder.display());
    let mut paths = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .with_context(cannot_read)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_that_no_part_runs_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        for file in ["a/one.spec.mjs", "a/help.mjs", "node_modules/x/y.spec.mjs"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        check_each_has_a_part(root.path(), &["a"]).expect("a part runs it");
        let error = check_each_has_a_part(root.path(), &["b"]).expect_err("none does");
        let path = Path::new("a").join("one.spec.mjs");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}
