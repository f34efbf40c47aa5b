//! The simulated shoppers of the demo: `shoptrail simulate` with amounts that suit a first look.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use shoptrail_local::progress::line;

use super::LOOK;
use super::program::Program;
use super::stack::DemoStack;
use crate::interrupt::Interrupt;
use crate::workspace::Workspace;

/// An amount of history: sessions spread over the last days.
pub(super) struct History {
    sessions: &'static str,
    days: &'static str,
    /// Events with mistakes, for the page of events received.
    mistakes: &'static str,
}

/// Enough for numbers that mean something, within seconds.
pub(super) const ONCE: History = History {
    sessions: "300",
    days: "7",
    mistakes: "0",
};

/// Enough for lines that look like a shop's.
pub(super) const HISTORY: History = History {
    sessions: "900",
    days: "14",
    mistakes: "12",
};

/// Events per second of the stream: what a person can follow on the page.
const STREAM_RATE: &str = "4";

/// Sends the history as fast as the edge accepts it: the same shoppers for the same seed. Returns how many events the edge
/// accepted, `None` when interrupted.
pub(super) fn history(
    workspace: &Workspace,
    stack: &DemoStack,
    history: History,
    seed: u64,
    interrupt: &Interrupt,
) -> Result<Option<u64>> {
    let (log, path) = workspace.create_log("simulate")?;
    let mut program = workspace.shoptrail();
    program.args(arguments(stack)).args([
        "--seed",
        &seed.to_string(),
        "--shoppers",
        history.sessions,
    ]);
    program
        .args(["--days", history.days, "--rate", "0"])
        .args(["--mistakes", history.mistakes])
        .stdout(Stdio::piped())
        .stderr(log);
    let mut child = program
        .spawn()
        .context("cannot start `shoptrail simulate`")?;
    // Its one line of output fits the pipe, so it can be read after the end.
    while child.try_wait()?.is_none() {
        if interrupt.asked() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "`shoptrail simulate` failed ({}), log: {}",
            output.status,
            path.display()
        );
    }
    accepted(&output.stdout).map(Some)
}

fn accepted(report: &[u8]) -> Result<u64> {
    let report: serde_json::Value =
        serde_json::from_slice(report).context("`shoptrail simulate` printed no JSON")?;
    report["accepted"]
        .as_u64()
        .context("`shoptrail simulate` printed no count of accepted events")
}

/// Shoppers that keep coming while the demo stays.
pub(super) struct Stream {
    program: Program,
    complained: bool,
}

/// Starts the stream; dropping it ends it.
pub(super) fn stream(workspace: &Workspace, stack: &DemoStack) -> Result<Stream> {
    let mut program = workspace.shoptrail();
    program
        .args(arguments(stack))
        .args(["--live", "--rate", STREAM_RATE]);
    Ok(Stream {
        program: Program::start(workspace, "stream", &program)?,
        complained: false,
    })
}

impl Stream {
    /// Says so, once, when the stream has ended: the shop and the dashboard work without it.
    pub(super) fn check(&mut self) {
        if let Err(error) = self.program.check()
            && !self.complained
        {
            line(&format!("no more simulated shoppers: {error:#}"));
            self.complained = true;
        }
    }
}

fn arguments(stack: &DemoStack) -> Vec<&str> {
    let origin = stack.addresses.shop.trim_end_matches('/');
    vec![
        "simulate",
        "--edge",
        &stack.addresses.edge,
        "--key",
        &stack.addresses.write_key,
        "--origin",
        origin,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_events_are_read_from_the_report() {
        assert_eq!(
            accepted(br#"{"sessions":3,"accepted":41}"#).expect("a report"),
            41
        );
        assert!(accepted(b"no report").is_err());
    }
}
