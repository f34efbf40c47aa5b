//! Child processes of the local stack: each ends when the stack ends, even if that is killed ([`guard`]), and is started again
//! when it dies.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::bounded_log::{BoundedLog, MAX_BYTES};
use crate::guard;
use crate::log_tail::log_tail;

/// A child that dies is started again after this long, doubled up to [`LONGEST_PAUSE`] while it keeps dying.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A child that lived this long had started well: the pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);
/// How long the end of a child's output may take into the log.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Lines of its log shown when a child ends before it was ready.
const LOG_LINES_SHOWN: usize = 8;

/// How long a new stack waits for the children of one that was killed: longer than any grace.
const LAST_CHILDREN_GONE: Duration = Duration::from_secs(15);
const LOCK_LOOK: Duration = Duration::from_millis(50);

/// Process ids of the children that run, by name.
pub type Pids = watch::Sender<BTreeMap<&'static str, u32>>;

/// What the children of one stack share.
#[derive(Clone)]
pub struct Family {
    /// Follows which of them run.
    pub pids: Pids,
    /// Held by the stack and by every guard.
    lock: Arc<File>,
}

impl Family {
    /// Waits until no child of an earlier stack on the same folder runs.
    ///
    /// # Errors
    /// Returns an error if one does not end, or the folder cannot be written.
    pub async fn of(data: &Path) -> Result<Self> {
        let path = data.join("children.lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        let started = Instant::now();
        while let Err(error) = lock.try_lock() {
            if !matches!(error, TryLockError::WouldBlock) || started.elapsed() > LAST_CHILDREN_GONE
            {
                return Err(error).with_context(|| {
                    format!("children of an earlier stack hold `{}`", path.display())
                });
            }
            tokio::time::sleep(LOCK_LOOK).await;
        }
        Ok(Self {
            pids: Pids::default(),
            lock: Arc::new(lock),
        })
    }
}

/// How to start one child.
#[derive(Debug, Clone)]
pub struct ChildCommand {
    /// Name in messages and in `stack.json`.
    pub name: &'static str,
    /// Program, looked up on `PATH` unless it is a path.
    pub program: OsString,
    /// Its arguments. Other users of the machine can read them: secrets go elsewhere.
    pub args: Vec<OsString>,
    /// Environment variables added to the stack's own.
    pub envs: Vec<(&'static str, OsString)>,
    /// Working directory.
    pub dir: PathBuf,
    /// Takes stdout and stderr, bounded; emptied when the service is made, so that it holds one run of the stack.
    pub log: PathBuf,
    /// Time between SIGTERM and SIGKILL.
    pub grace: Duration,
}

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// About to start for the first time or again.
    Starting,
    /// The process runs.
    Running,
    /// It ended unasked and will be started again.
    Died,
    /// It was stopped by [`Service::stop`].
    Stopped,
}

/// A child that is kept running until it is stopped. Dropping the service ends the child.
pub struct Service {
    command: ChildCommand,
    wanted: watch::Sender<bool>,
    state: watch::Receiver<ServiceState>,
}

impl Service {
    /// Starts the child and keeps it running.
    ///
    /// # Errors
    /// Returns an error if its log cannot be written.
    pub fn start(command: ChildCommand, family: Family) -> Result<Self> {
        let log = BoundedLog::create(&command.log, MAX_BYTES)
            .with_context(|| format!("cannot write the log `{}`", command.log.display()))?;
        let (wanted, orders) = watch::channel(true);
        let (states, state) = watch::channel(ServiceState::Starting);
        tokio::spawn(keep_running(command.clone(), log, orders, states, family));
        Ok(Self {
            command,
            wanted,
            state,
        })
    }

    /// Ends the child and returns when it is gone. It stays away until [`Service::resume`].
    pub async fn stop(&self) {
        self.wanted.send_replace(false);
        self.reaches(ServiceState::Stopped).await;
    }

    /// Starts the child again after [`Service::stop`].
    pub async fn resume(&self) {
        self.wanted.send_replace(true);
        self.reaches(ServiceState::Running).await;
    }

    /// Waits for `ready`, or fails with the end of the child's log if the child ends first or `deadline` passes.
    ///
    /// # Errors
    /// Returns an error if the child did not become ready.
    pub async fn until_ready(
        &self,
        deadline: Duration,
        ready: impl Future<Output = ()>,
    ) -> Result<()> {
        let name = self.command.name;
        let log = self.command.log.display();
        tokio::select! {
            () = ready => Ok(()),
            () = self.reaches(ServiceState::Died) => bail!("{name} ended before it was ready; the end of `{log}`:\n{}", self.log_end()),
            () = tokio::time::sleep(deadline) => bail!("{name} was not ready after {} s; the end of `{log}`:\n{}", deadline.as_secs(), self.log_end()),
        }
    }

    async fn reaches(&self, wanted: ServiceState) {
        // An error means that the task which keeps the child running is gone, and with it the child.
        let _ = self.state.clone().wait_for(|state| *state == wanted).await;
    }

    fn log_end(&self) -> String {
        log_tail(&self.command.log, LOG_LINES_SHOWN)
    }
}

async fn keep_running(
    command: ChildCommand,
    log: BoundedLog,
    mut wanted: watch::Receiver<bool>,
    states: watch::Sender<ServiceState>,
    family: Family,
) {
    let mut pause = SHORTEST_PAUSE;
    while wanted.wait_for(|wanted| *wanted).await.is_ok() {
        let started = Instant::now();
        let outcome = run_once(&command, &log, &mut wanted, &states, &family).await;
        family.pids.send_modify(|pids| {
            pids.remove(command.name);
        });
        match outcome {
            Ok(None) => {
                states.send_replace(ServiceState::Stopped);
                continue;
            }
            Ok(Some(status)) => {
                let log = command.log.display();
                tracing::warn!(child.name = command.name, %status, %log, "child ended; it is started again");
            }
            Err(error) => tracing::error!(child.name = command.name, "cannot run child: {error:#}"),
        }
        states.send_replace(ServiceState::Died);
        pause = if started.elapsed() > HEALTHY_AFTER {
            SHORTEST_PAUSE
        } else {
            pause
        };
        let _ = tokio::time::timeout(pause, not_wanted(&mut wanted)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        if !*wanted.borrow() {
            states.send_replace(ServiceState::Stopped);
        }
    }
}

/// Returns the exit status of a child that ended unasked, nothing for one that was no longer wanted.
async fn run_once(
    command: &ChildCommand,
    log: &BoundedLog,
    wanted: &mut watch::Receiver<bool>,
    states: &watch::Sender<ServiceState>,
    family: &Family,
) -> Result<Option<ExitStatus>> {
    let mut running = RunningChild::start(command, log, &family.lock).await?;
    family.pids.send_modify(|pids| {
        pids.insert(command.name, running.pid);
    });
    states.send_replace(ServiceState::Running);
    let status = tokio::select! {
        status = running.child.wait() => Some(status?),
        () = not_wanted(wanted) => None,
    };
    running.end().await?;
    Ok(status)
}

/// Returns when the service is stopped or dropped.
async fn not_wanted(wanted: &mut watch::Receiver<bool>) {
    let _ = wanted.wait_for(|wanted| !*wanted).await;
}

struct RunningChild {
    child: Child,
    guard: Child,
    pid: u32,
    all_logged: Receiver<()>,
}

impl RunningChild {
    async fn start(command: &ChildCommand, log: &BoundedLog, lock: &File) -> Result<Self> {
        let (output, all_logged) = log.pipe().context("no pipe for the log")?;
        let mut child = leashed(command, output)?;
        let pid = child.id().context("the child has no process id")?;
        let mut guard = guard::guard(pid, command.grace);
        // It writes nothing there, but holds the lock as long as it lives.
        guard.stdout(lock.try_clone()?);
        let guard = Command::from(guard).spawn().context("cannot start `sh`")?;
        let mut leash = child.stdin.take().context("the child has no pipe")?;
        leash
            .write_all(guard::GO)
            .await
            .context("the child went away before it started")?;
        Ok(Self {
            child,
            guard,
            pid,
            all_logged,
        })
    }

    /// Ends what is left of the group and returns when it is gone.
    async fn end(mut self) -> Result<()> {
        drop(self.guard.stdin.take());
        self.child.wait().await?;
        self.guard.wait().await?;
        // Its last words are shown when it ended too early. Somebody who left its group may hold the pipe for longer.
        let all_logged = self.all_logged;
        let _ = tokio::task::spawn_blocking(move || all_logged.recv_timeout(LAST_WORDS)).await;
        Ok(())
    }
}

fn leashed(command: &ChildCommand, output: PipeWriter) -> Result<Child> {
    let mut program = std::process::Command::new(&command.program);
    program
        .args(&command.args)
        .envs(command.envs.iter().map(|(name, value)| (name, value)))
        .current_dir(&command.dir);
    let mut leashed = guard::leashed(command.name, &program);
    leashed.stdout(output.try_clone()?).stderr(output);
    Command::from(leashed).spawn().context("cannot start `sh`")
}

#[cfg(test)]
mod tests;
