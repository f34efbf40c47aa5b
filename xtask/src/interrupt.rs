//! Ctrl-C and the signals that stop programs, as a flag: a command with children looks at it while it waits, and stops them
//! in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether the person asked to stop.
#[derive(Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// Returns an error if the system refuses a handler.
    pub fn catch() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .context("cannot catch signals")?;
        }
        Ok(Self(flag))
    }

    /// True after the first signal.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
