//! What a person sees while commands work: one line per finished step with its time, and on a terminal a live line for each
//! that runs.

use std::io::{self, IsTerminal, Write, stderr};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All live lines share one area of the screen: steps run side by side.
static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// The newest live line: [`now`] speaks through it.
static CURRENT: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Takes finished steps where they are not lines of the terminal.
static REPORT: OnceLock<fn(&FinishedStep<'_>)> = OnceLock::new();

/// A step that has ended.
#[derive(Clone, Copy, Debug)]
pub struct FinishedStep<'a> {
    /// What it does.
    pub name: &'a str,
    /// How long it took.
    pub took: Duration,
    /// Whether it did it.
    pub succeeded: bool,
}

/// Hands finished steps to `report` from now on, for programs whose output is a log. The first call counts.
pub fn report_steps_to(report: fn(&FinishedStep<'_>)) {
    // A second call would come from a program that starts its log twice.
    let _ = REPORT.set(report);
}

/// Does `work` and reports its time; an error carries the name.
///
/// # Errors
/// Returns the error of `work`.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work();
    finish(name, started, &result);
    result.with_context(|| name.to_owned())
}

/// Does asynchronous `work` and reports its time, with a live line meanwhile; an error carries the name.
///
/// # Errors
/// Returns the error of `work`.
pub async fn live_step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    let live = live_line(name);
    let result = work.await;
    drop(live);
    finish(name, started, &result);
    result.with_context(|| name.to_owned())
}

fn finish<T>(name: &str, started: Instant, result: &Result<T>) {
    let finished = FinishedStep {
        name,
        took: started.elapsed(),
        succeeded: result.is_ok(),
    };
    match REPORT.get() {
        Some(report) => report(&finished),
        None => line(&finished.line()),
    }
}

impl FinishedStep<'_> {
    /// As a terminal shows it.
    #[must_use]
    pub fn line(&self) -> String {
        let outcome = if self.succeeded { "" } else { ": failed" };
        format!("{:>7.1} s  {}{outcome}", self.took.as_secs_f64(), self.name)
    }
}

/// Prints one line to stderr, above the live lines.
pub fn line(text: &str) {
    // A screen that cannot be written is no reason to stop the work.
    let _ = writeln!(AboveLiveLines, "{text}");
}

/// Standard error above the live lines: what is written there does not mix with them.
#[derive(Clone, Copy, Debug)]
pub struct AboveLiveLines;

impl Write for AboveLiveLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SCREEN.suspend(|| stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Shows a live line for something that runs, where stderr is a terminal; it vanishes with [`LiveLine`].
#[must_use]
pub fn live_line(name: &str) -> LiveLine {
    if !stderr().is_terminal() {
        return LiveLine(ProgressBar::hidden());
    }
    let bar = SCREEN.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{elapsed:>7}    {prefix}  {wide_msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    *current() = Some(bar.clone());
    LiveLine(bar)
}

/// Says on the live line what is being done now; without one it says nothing. For work that does not know who shows it.
pub fn now(text: impl Into<String>) {
    if let Some(bar) = &*current() {
        bar.set_message(text.into());
    }
}

fn current() -> MutexGuard<'static, Option<ProgressBar>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A live line on the terminal.
#[derive(Debug)]
pub struct LiveLine(ProgressBar);

impl LiveLine {
    /// Replaces what the line says after its name.
    pub fn says(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        *current() = None;
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_step_carries_its_name() {
        let error = step("backend", || -> Result<()> {
            anyhow::bail!("no C compiler")
        });
        assert_eq!(
            format!("{:#}", error.expect_err("it failed")),
            "backend: no C compiler"
        );
    }

    #[test]
    fn failed_step_says_so_after_its_time() {
        let finished = FinishedStep {
            name: "Worker",
            took: Duration::from_millis(1_250),
            succeeded: false,
        };
        assert_eq!(finished.line(), "    1.2 s  Worker: failed");
    }
}
