//! What a person sees while the commands work: one line per finished step with its time, and on a terminal a live line
//! per running child with the last thing it said.

use std::io::{IsTerminal, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All live lines share one screen area, because setup steps run side by side.
static SCREEN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Does `work` and prints its name and time; an error carries the name.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work();
    let outcome = if result.is_ok() { "" } else { ": failed" };
    line(&format!(
        "{:>7.1} s  {name}{outcome}",
        started.elapsed().as_secs_f64()
    ));
    result.with_context(|| name.to_owned())
}

/// Prints one line to stderr, above the live lines.
pub fn line(text: &str) {
    if stderr().is_terminal() {
        // A screen that cannot be written is no reason to stop the work.
        let _ = SCREEN.println(text);
    } else {
        eprintln!("{text}");
    }
}

/// Shows a live line for something that runs; it vanishes with [`Running`].
pub fn running(name: &str) -> Running {
    let bar = SCREEN.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{elapsed:>7}    {prefix}: {wide_msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    Running(bar)
}

/// A live line on the terminal.
pub struct Running(ProgressBar);

impl Running {
    /// Replaces what the line says.
    pub fn says(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
