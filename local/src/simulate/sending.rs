//! Sends batches side by side: not more than the edge should get at once, not faster than asked; shows how many are done.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::send::SentReport;
use crate::progress::{LiveLine, line, live_line};

/// Batches sent at the same time.
const CONCURRENCY: usize = 8;

/// The batches that are being sent, and the result of the others.
pub struct Sending {
    /// The sum of what is done.
    pub report: SentReport,
    tasks: JoinSet<Result<SentReport>>,
    /// What the number on the terminal counts.
    counts: String,
    live: LiveLine,
}

impl Sending {
    /// Starts with none.
    pub fn new(counts: &str) -> Self {
        Self {
            report: SentReport::default(),
            tasks: JoinSet::new(),
            counts: counts.to_owned(),
            live: live_line("simulate"),
        }
    }

    /// Sends one, as soon as fewer than the limit are being sent.
    ///
    /// # Errors
    /// Returns an error if one of those that ended failed.
    pub async fn start(
        &mut self,
        task: impl Future<Output = Result<SentReport>> + Send + 'static,
    ) -> Result<()> {
        while self.tasks.len() >= CONCURRENCY {
            let done = self.tasks.join_next().await;
            self.add(done)?;
        }
        self.start_beside(task)
    }

    /// Sends one beside the others, without a limit.
    ///
    /// # Errors
    /// Returns an error if one of those that ended failed.
    pub fn start_beside(
        &mut self,
        task: impl Future<Output = Result<SentReport>> + Send + 'static,
    ) -> Result<()> {
        while let Some(done) = self.tasks.try_join_next() {
            self.add(Some(done))?;
        }
        self.tasks.spawn(task);
        self.show();
        Ok(())
    }

    /// Waits for all and returns the sum.
    ///
    /// # Errors
    /// Returns an error if one of them failed.
    pub async fn finish(mut self) -> Result<SentReport> {
        while let Some(done) = self.tasks.join_next().await {
            self.add(Some(done))?;
            self.show();
        }
        drop(self.live);
        if stderr().is_terminal() {
            line(&format!("{} {}", self.report.accepted, self.counts));
        }
        Ok(self.report)
    }

    fn add(
        &mut self,
        done: Option<Result<Result<SentReport>, tokio::task::JoinError>>,
    ) -> Result<()> {
        if let Some(done) = done {
            self.report.add(&done.context("a sending task broke")??);
        }
        Ok(())
    }

    fn show(&mut self) {
        self.live
            .says(&format!("{} {}", self.report.accepted, self.counts));
    }
}

/// Whether the next may go.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may go.
    Come,
    /// The command was asked to stop.
    Stopped,
}

/// Spreads things evenly over time.
pub struct SendPace {
    per_second: f64,
    next: Instant,
}

impl SendPace {
    /// Waits for `per_second` of them each second; 0: for none.
    pub fn new(per_second: f64) -> Self {
        Self {
            per_second,
            next: Instant::now(),
        }
    }

    /// Waits until `things` may go.
    pub async fn turn(&mut self, things: usize, stop: &CancellationToken) -> Turn {
        let due = self.due(things, Instant::now());
        tokio::select! {
            biased;
            () = stop.cancelled() => Turn::Stopped,
            () = tokio::time::sleep_until(due.into()) => Turn::Come,
        }
    }

    /// When `things` may go that ask now.
    fn due(&mut self, things: usize, now: Instant) -> Instant {
        let due = self.next.max(now);
        if self.per_second > 0.0 {
            self.next = due + Duration::from_secs_f64(things as f64 / self.per_second);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_spreads_events_over_time_and_makes_up_for_nothing() {
        let (mut pace, now) = (SendPace::new(10.0), Instant::now() + Duration::from_secs(1));
        let half = Duration::from_millis(500);
        assert_eq!(pace.due(5, now), now);
        assert_eq!(pace.due(5, now), now + half);
        assert_eq!(pace.due(5, now + 10 * half), now + 10 * half);
        assert_eq!(SendPace::new(0.0).due(1_000, now), now);
    }

    #[tokio::test]
    async fn stopped_pace_does_not_wait() {
        let (mut pace, stop) = (SendPace::new(0.001), CancellationToken::new());
        assert_eq!(pace.turn(1, &stop).await, Turn::Come);
        stop.cancel();
        assert_eq!(pace.turn(1, &stop).await, Turn::Stopped);
    }
}
