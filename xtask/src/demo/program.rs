//! One child of the demo with its log, which ends when xtask ends.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shoptrail_local::bounded_log::{BoundedLog, MAX_BYTES};
use shoptrail_local::guard;
use shoptrail_local::log_tail::log_tail;

use crate::process::shown;
use crate::workspace::Workspace;

/// From the request to stop until every part has written what it holds.
const GRACE: Duration = Duration::from_secs(45);

/// How long the end of its output may take into the log.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Lines of its log that an error about it repeats.
const LOG_LINES_SHOWN: usize = 20;

/// The signal by which the guard ends what has not ended within the grace.
const SIGKILL: i32 = 9;

/// A running program; dropping it stops it.
pub(super) struct Program {
    /// The command line, for messages.
    shown: String,
    child: Child,
    guard: Child,
    all_logged: Receiver<()>,
    pub log: PathBuf,
}

impl Program {
    /// Starts `command`, logged as `name`, out of reach of the terminal's Ctrl-C, so that it is told to stop once, and in
    /// order.
    pub(super) fn start(workspace: &Workspace, name: &str, command: &Command) -> Result<Self> {
        let (_, path) = workspace.create_log(name)?;
        let log = BoundedLog::create(&path, MAX_BYTES)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        let (output, all_logged) = log.pipe().context("no pipe for the log")?;
        let shown = shown(command);
        let mut leashed = guard::leashed(name, command);
        leashed.stdout(output.try_clone()?).stderr(output);
        let mut child = leashed.spawn().context("cannot start `sh`")?;
        // It holds ends of the pipe too, which closes with the last of them.
        drop(leashed);
        let guard = guard::guard(child.id(), GRACE)
            .spawn()
            .context("cannot start `sh`")?;
        let mut leash = child.stdin.take().context("the child has no pipe")?;
        leash
            .write_all(guard::GO)
            .with_context(|| format!("cannot start `{shown}`"))?;
        Ok(Self {
            shown,
            child,
            guard,
            all_logged,
            log: path,
        })
    }

    /// Returns an error if it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let _ = self.all_logged.recv_timeout(LAST_WORDS);
        bail!(
            "`{}` ended ({status}), log: {}\n{}",
            self.shown,
            self.log.display(),
            log_tail(&self.log, LOG_LINES_SHOWN)
        )
    }

    /// Tells it to stop and waits; that it had to be killed is an error.
    pub(super) fn stop(&mut self) -> Result<()> {
        let status = self.end()?;
        if status.signal() == Some(SIGKILL) {
            bail!("`{}` did not stop within {} s", self.shown, GRACE.as_secs());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<ExitStatus> {
        drop(self.guard.stdin.take());
        let status = self.child.wait()?;
        self.guard.wait()?;
        Ok(status)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // How it ended is the result of `stop`.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(name: &str, script: &str) -> (PathBuf, Program) {
        let folder =
            std::env::temp_dir().join(format!("shoptrail-program-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let workspace = Workspace::at(&folder);
        let mut shell = workspace.command("sh");
        shell.args(["-c", script]);
        let program = Program::start(&workspace, name, &shell).unwrap();
        (folder, program)
    }

    #[test]
    fn program_that_ends_by_itself_is_shown_with_the_end_of_its_log() {
        let (folder, mut program) = started("ends", "echo no disk; exit 3");
        program.child.wait().unwrap();
        let error = program.check().expect_err("it has ended").to_string();
        std::fs::remove_dir_all(folder).unwrap();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("no disk"), "{error}");
    }

    #[test]
    fn program_that_runs_is_stopped_with_its_children() {
        let (folder, mut program) = started("runs", "sleep 1000 & exec sleep 1000");
        program.check().expect("it runs");
        program.stop().expect("it stops");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
