//! Ctrl-C and SIGTERM: each command is told, and what does not end in time is abandoned.
//!
//! Abandoning is safe everywhere: landings and publications are made in one step, and one that was not made is no part of the
//! tables.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What was dropped in the middle may remove its files within this time.
const TO_CLEAN_UP: Duration = Duration::from_millis(200);

/// How a command takes the request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OnStop {
    /// How long it may go on with what it has in hand; without a limit until it is asked again.
    pub grace: Option<Duration>,
    /// Whether this is how it ends in any case: it then has succeeded.
    pub is_regular: bool,
}

/// What asked a command to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopSignal {
    Interrupt,
    Terminate,
}

impl StopSignal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// As shells count it.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// How work ended.
pub(super) enum Ended {
    /// By itself, or in time after it was asked.
    ByItself(Result<()>),
    /// Asked to, which is how it ends in any case.
    Stopped,
    /// Before it was done.
    Abandoned(StopSignal),
}

/// Runs `work` on `runtime` until it ends or a signal ends it; `stop` is cancelled by the first.
///
/// Signals have a thread of their own: a plan of polars keeps a worker of the runtime, and there may be only one.
pub(super) fn run(
    runtime: &Handle,
    work: impl Future<Output = Result<()>> + Send + 'static,
    stop: &CancellationToken,
    on_stop: OnStop,
) -> Result<Ended> {
    let own = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    own.block_on(async {
        let mut signals = StopSignals::catch()?;
        let mut work = runtime.spawn(work);
        let asked = tokio::select! {
            ended = &mut work => return Ok(Ended::ByItself(ended.context("the command broke")?)),
            asked = signals.next() => asked,
        };
        stop.cancel();
        let last = tokio::select! {
            ended = &mut work => {
                let result = ended.context("the command broke")?;
                return Ok(match result {
                    Ok(()) if !on_stop.is_regular => Ended::Abandoned(asked),
                    result => Ended::ByItself(result),
                });
            }
            () = grace(on_stop) => None,
            again = signals.next() => Some(again),
        };
        work.abort();
        let _ = tokio::time::timeout(TO_CLEAN_UP, &mut work).await;
        Ok(match last {
            None if on_stop.is_regular => Ended::Stopped,
            None => Ended::Abandoned(asked),
            Some(again) => Ended::Abandoned(again),
        })
    })
}

async fn grace(on_stop: OnStop) {
    match on_stop.grace {
        Some(grace) => tokio::time::sleep(grace).await,
        None => std::future::pending().await,
    }
}

struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn catch() -> Result<Self> {
        let catch = |kind| signal(kind).context("cannot catch signals");
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }
}
