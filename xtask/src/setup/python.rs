//! Python environments below `target/tools`, each from a file of requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::is_fresh;
use super::machine::install_debian;
use super::versions::{self, Version};
use crate::process::answer;
use crate::workspace::Workspace;

/// In the order of preference; the last may be any version.
const NAMES: [&str; 3] = ["python3.14", "python3.13", "python3"];

/// The newest Python for which all pinned packages are built; the oldest that will do is in `.tool-versions`.
const NEWEST: Version = Version {
    major: 3,
    minor: 14,
};

/// Debian packs the modules that make environments apart.
const ASK_VERSION: &str = "import ensurepip, sys, venv; print(sys.version)";

/// An environment below `target/tools`.
pub(super) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The one in `target/tools/NAME`.
    pub(super) fn named(workspace: &Workspace, name: &str) -> Self {
        Self {
            folder: workspace.tools().join(name),
        }
    }

    /// Where it lies; what belongs to it may be put there and goes when it is made again.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of it.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("venv/bin").join(name)
    }

    /// Makes it and calls `finish`, unless it came from these very requirements.
    ///
    /// # Errors
    /// Returns an error if there is no Python that fits, or pip or `finish` fails.
    pub(super) fn install(
        &self,
        workspace: &Workspace,
        requirements: &Path,
        finish: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let stamp = self.folder.join("requirements.txt");
        // The environment needs the Python it was made with, and that may be gone.
        if is_fresh(requirements, &stamp) && self.program("python").is_file() {
            return Ok(());
        }
        let base = find_or_install(workspace)?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot remove `{}`", self.folder.display()))?;
        }
        self.fill(workspace, &base, requirements)?;
        finish()?;
        fs::copy(requirements, &stamp)
            .with_context(|| format!("cannot write `{}`", stamp.display()))?;
        Ok(())
    }

    fn fill(&self, workspace: &Workspace, base: &Path, requirements: &Path) -> Result<()> {
        let name = self.folder.file_name().unwrap_or_default();
        let log = |step: &str| format!("{} {step}", name.display());
        let mut venv = workspace.command(base);
        venv.args(["-m", "venv"]).arg(self.folder.join("venv"));
        workspace.run(&log("venv"), &mut venv)?;
        let mut pip = workspace.command(self.program("python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(["--no-deps", "--requirement"])
            .arg(requirements);
        workspace.run(&log("pip"), &mut pip)
    }
}

fn find_or_install(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    // Debian's own may be old; what counts is what is there afterwards.
    let _ = install_debian(workspace, &["python3", "python3-venv"]);
    match find() {
        Some(installed) => Ok(installed),
        None => bail!(
            "no Python 3.13 or 3.14 with its `venv` module\n\
             hint: install it from https://www.python.org, or with `pyenv install 3.13`"
        ),
    }
}

fn find() -> Option<PathBuf> {
    let candidates = on_path().into_iter().chain(of_pyenv());
    // One that is found may still not run: pyenv puts a script of that name in the way of versions that are not chosen.
    candidates.into_iter().find(|python| {
        let version = answer(Command::new(python).args(["-c", ASK_VERSION]));
        version.is_some_and(|version| is_supported(&version))
    })
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let files = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.filter(|file| file.is_file()).collect()
}

fn of_pyenv() -> Vec<PathBuf> {
    let named = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let Some(pyenv) = named.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv"))) else {
        return Vec::new();
    };
    let versions = fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .flatten();
    let supported =
        versions.filter(|version| version.file_name().to_str().is_some_and(is_supported));
    let mut pythons: Vec<PathBuf> = supported
        .map(|version| version.path().join("bin/python3"))
        .collect();
    pythons.sort();
    pythons
}

/// Whether the pinned packages run on a version, as Python or pyenv write it: `3.13.0`, `3.14.2 (main, …`.
fn is_supported(version: &str) -> bool {
    let begins_with_number = version.starts_with(|c: char| c.is_ascii_digit());
    let (Some(version), Some(oldest)) = (versions::read(version), versions::of("python")) else {
        return false;
    };
    begins_with_number && (oldest..=NEWEST).contains(&version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_taken_where_the_pinned_packages_run() {
        assert!(is_supported(
            "3.13.0 (main, Oct 16 2024, 03:23:02) [GCC 12.2.0]\n"
        ));
        assert!(is_supported("3.14.2"));
        assert!(!is_supported("3.12.9"));
        assert!(!is_supported("3.15.0"));
        assert!(!is_supported("3.1.3"));
        assert!(!is_supported("2.13.1"));
        assert!(!is_supported("pypy3.13-7.3"));
    }
}
