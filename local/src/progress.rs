//! What a person sees while the stack starts and stops: one line per step with its time.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

use anyhow::{Context, Result};

/// Does `work` and reports its time: a line on a terminal, a log event elsewhere. An error carries the name.
///
/// # Errors
/// Those of `work`.
pub async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    let on_terminal = stderr().is_terminal();
    if on_terminal {
        // A screen that cannot be written is no reason to stop the work.
        let _ = write!(stderr(), "         {name} …");
    }
    let result = work.await;
    let seconds = started.elapsed().as_secs_f64();
    let outcome = if result.is_ok() { "" } else { ": failed" };
    if on_terminal {
        let _ = writeln!(stderr(), "\r{seconds:>5.1} s  {name}{outcome}  ");
    } else {
        tracing::info!(duration_ms = (seconds * 1e3).round(), "{name}{outcome}");
    }
    result.with_context(|| name.to_owned())
}
