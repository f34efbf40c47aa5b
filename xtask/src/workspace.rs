//! The workspace: where things lie in it, and the commands that run in it.

use std::ffi::OsStr;
use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process;

/// The folder of a checkout.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The one this command was built from: cargo names it for the run, the fallback serves a binary started by hand.
    pub fn of_this_run() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut root = PathBuf::from(manifest);
        root.pop();
        Self { root }
    }

    /// Where `relative` lies in it; an absolute path stays as it is.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's target folder.
    pub fn target(&self) -> PathBuf {
        self.path("target")
    }

    /// What set-up has installed beside npm's packages.
    pub fn tools(&self) -> PathBuf {
        self.path("target/tools")
    }

    /// The backend's command, as `demo::build` leaves it.
    pub fn shoptrail(&self) -> Command {
        self.command(self.path("target/debug/shoptrail"))
    }

    /// A command in the workspace's folder, with the environment a person's shell would give it.
    ///
    /// `cargo run` sets variables that describe xtask; build scripts that watch them would run again under xtask, and once
    /// more without it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let describes_xtask = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_")
                    || name.starts_with("CARGO_MANIFEST_")
                    || name == "LD_LIBRARY_PATH"
            });
            if describes_xtask {
                command.env_remove(name);
            }
        }
        command
    }

    /// `cargo ARGS…`, building into the workspace's own target folder, where the other commands look for the results.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .env("CARGO_TARGET_DIR", self.target())
            .args(arguments);
        command
    }

    /// Runs `command` to its end, logged as `name`.
    ///
    /// # Errors
    /// Returns an error if it cannot be started or fails, with the end of its output and the log's path.
    pub fn run(&self, name: &str, command: &mut Command) -> Result<()> {
        let (log, path) = self.create_log(name)?;
        process::run(name, command, log, &path)
    }

    /// Creates `target/xtask/NAME.log`, where spaces of the name become dashes.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created.
    pub fn create_log(&self, name: &str) -> Result<(File, PathBuf)> {
        let folder = self.path("target/xtask");
        create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        let path = folder.join(format!("{}.log", name.replace(' ', "-")));
        let file =
            File::create(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        Ok((file, path))
    }

    /// One below a folder of the test's own.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_logged_below_the_target_folder() {
        let folder =
            std::env::temp_dir().join(format!("shoptrail-workspace-{}", std::process::id()));
        create_dir_all(&folder).unwrap();
        let workspace = Workspace::at(&folder);
        workspace
            .run("two words", workspace.command("pwd").env("A", "b"))
            .unwrap();
        let said = std::fs::read_to_string(folder.join("target/xtask/two-words.log")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            Path::new(said.trim()).file_name(),
            folder.file_name(),
            "{said}"
        );
    }

    #[test]
    fn absolute_path_stays() {
        let workspace = Workspace::at(Path::new("/checkout"));
        assert_eq!(workspace.path("data"), Path::new("/checkout/data"));
        assert_eq!(workspace.path("/elsewhere"), Path::new("/elsewhere"));
    }
}
