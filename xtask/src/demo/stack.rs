//! `shoptrail local` and what it stands on as children: started, waited for, stopped in order.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::LOOK;
use super::warehouse::Warehouse;
use crate::interrupt::Interrupt;
use crate::process::shown;
use crate::workspace::Workspace;

/// From the start until every part answers: a busy machine needs about 20 s, and more when the tables are made in BigQuery.
const START_DEADLINE: Duration = Duration::from_secs(180);

/// From the signal until every part has written what it holds.
const STOP_DEADLINE: Duration = Duration::from_secs(45);

/// Where the parts of a started stack answer.
pub(super) struct Addresses {
    pub shop: String,
    pub dashboard: String,
    pub micro: String,
    pub edge: String,
    pub write_key: String,
}

/// A running stack; dropping it stops it.
pub(super) struct Stack {
    pub addresses: Addresses,
    // In the order in which they are stopped.
    local: Program,
    warehouse: Warehouse,
}

impl Stack {
    /// Starts the stack over `data` and `warehouse`; `None` when the person interrupts the start.
    pub(super) fn start(
        workspace: &Workspace,
        data: &Path,
        mut warehouse: Warehouse,
        interrupt: &Interrupt,
    ) -> Result<Option<Self>> {
        let started = SystemTime::now();
        let mut local = workspace.shoptrail();
        local.args(["local", "--data"]).arg(data);
        warehouse.describe_to(&mut local);
        let mut local = Program::start(workspace, "local", local)?;
        let file = data.join("stack.json");
        let deadline = Instant::now() + START_DEADLINE;
        while !interrupt.asked() {
            // A stack that was killed may have left its file.
            if file
                .metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|written| written >= started)
            {
                return Ok(Some(Self {
                    addresses: Addresses::read(&file)?,
                    local,
                    warehouse,
                }));
            }
            warehouse.check()?;
            local.check()?;
            if Instant::now() > deadline {
                bail!(
                    "no `{}` after {} s, log: {}",
                    file.display(),
                    START_DEADLINE.as_secs(),
                    local.log.display()
                );
            }
            std::thread::sleep(LOOK);
        }
        local.stop()?;
        Ok(None)
    }

    /// Fails when the stack, or what it stands on, has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        self.warehouse.check()?;
        self.local.check()
    }

    /// Stops every part and waits for them.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.local.stop()?;
        self.warehouse.stop()
    }
}

impl Addresses {
    fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let json: serde_json::Value = serde_json::from_slice(&text)
            .with_context(|| format!("`{}` is no JSON", file.display()))?;
        let field = |name: &str| {
            let found = json.get(name).and_then(|value| value.as_str());
            found
                .map(str::to_owned)
                .with_context(|| format!("`{}` has no `{name}`", file.display()))
        };
        Ok(Self {
            shop: field("shop")?,
            dashboard: field("dashboard")?,
            micro: field("micro")?,
            edge: field("edge")?,
            write_key: field("write_key")?,
        })
    }
}

/// Ends the child when xtask is gone, however it went: its end of the pipe closes then.
const GUARD: &str = r#"read -r never; kill -s TERM "$1" 2> /dev/null"#;

/// One child with its log under `target/xtask`; dropping it stops it.
pub(super) struct Program {
    /// The command line, for messages.
    shown: String,
    child: Child,
    guard: Child,
    pub log: PathBuf,
}

impl Program {
    /// Starts `program`, logged as `name`, out of reach of the terminal's Ctrl-C, so that it is told to stop once, and in
    /// order.
    pub(super) fn start(workspace: &Workspace, name: &str, mut program: Command) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let (log, path) = workspace.create_log(name)?;
        let shown = shown(&program);
        program
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let child = program
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let mut guard = Command::new("sh");
        guard
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .process_group(0);
        let guard = guard.spawn().context("cannot start `sh`")?;
        Ok(Self {
            shown,
            child,
            guard,
            log: path,
        })
    }

    /// Fails when it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => {
                let said = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!(
                    "`{}` ended ({status}), log: {}\n{}",
                    self.shown,
                    self.log.display(),
                    tail(&said)
                )
            }
            None => Ok(()),
        }
    }

    /// Tells it to stop and waits; past the deadline it is killed, and that is an error.
    pub(super) fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        match self.child.stdin.take() {
            // It was given a pipe to live as long as.
            Some(pipe) => drop(pipe),
            // It may end between the question and the signal.
            None => drop(kill_process(Pid::from_child(&self.child), Signal::TERM)),
        }
        let deadline = Instant::now() + STOP_DEADLINE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                bail!(
                    "`{}` did not stop within {} s",
                    self.shown,
                    STOP_DEADLINE.as_secs()
                );
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Whoever wanted to know how it ended called `stop`.
        let _ = self.stop();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
