//! What a monitor sees of landing and building: counts and times in Prometheus' text format, which OpenTelemetry's collector
//! reads as well.
//!
//! `deploy/prometheus/alerts.yml` has alerts on them, `docs/operations.md` says what to do.

use std::net::SocketAddr;

use anyhow::Context;
use axum::routing::get;
use axum::{Json, Router};
use clap::Args;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::build::Summary;

const STARTED_AT: &str = "shoptrail_started_timestamp_seconds";
const LANDINGS: &str = "shoptrail_landings_total";
const LANDED_ROWS: &str = "shoptrail_landed_rows_total";
const UNREADABLE_ROWS: &str = "shoptrail_unreadable_rows_total";
const LAG: &str = "shoptrail_land_lag_offsets";
const LANDED_AT: &str = "shoptrail_landed_timestamp_seconds";
const BUILDS: &str = "shoptrail_builds_total";
const BUILD_SECONDS: &str = "shoptrail_build_duration_seconds";
const BUILT_ROWS: &str = "shoptrail_build_rows_total";
const BUILT_AT: &str = "shoptrail_built_timestamp_seconds";
const PUBLICATION: &str = "shoptrail_publication";
const PUBLISHED_AT: &str = "shoptrail_published_timestamp_seconds";
const CHECKS: &str = "shoptrail_checks_warned";
const BYTES: &str = "shoptrail_bytes_total";

/// Flags of commands that can be watched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsArgs {
    /// Serves Prometheus metrics at `/metrics` of this IP address and port, and `/health`; without it nothing is served
    #[arg(long, value_name = "ADDRESS", env = "SHOPTRAIL_METRICS")]
    metrics: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Serves them until what it returns is dropped.
    ///
    /// # Errors
    /// Returns an error if the address is taken or not of this machine.
    pub async fn serve(&self) -> anyhow::Result<Option<AbortOnDropHandle<()>>> {
        let Some(address) = self.metrics else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot serve metrics at {address}\nhint: choose another `--metrics`")
        })?;
        let recorder = PrometheusBuilder::new()
            .install_recorder()
            .context("metrics are collected already")?;
        describe();
        gauge!(STARTED_AT).set(now_s());
        tracing::info!(address = %listener.local_addr()?, "metrics");
        let served = axum::serve(listener, router(recorder));
        let task = tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::warn!(%error, "metrics are no longer served");
            }
        });
        Ok(Some(AbortOnDropHandle::new(task)))
    }
}

fn router(recorder: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || async move { recorder.render() }))
        .route("/health", get(health))
}

/// That the process answers; whether its work goes on is told by the times in `/metrics`.
async fn health() -> Json<serde_json::Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

fn describe() {
    describe_gauge!(STARTED_AT, Unit::Seconds, "Time the process started");
    describe_counter!(LANDINGS, "Landings made");
    describe_counter!(LANDED_ROWS, "Records landed in bronze");
    describe_counter!(
        UNREADABLE_ROWS,
        "Records that are none, put into the quarantine of bronze"
    );
    describe_gauge!(
        LAG,
        "Offsets between what has landed and the end of the topic"
    );
    describe_gauge!(LANDED_AT, Unit::Seconds, "Time of the last landing");
    describe_counter!(BUILDS, "Runs of the build that did not fail, by result");
    describe_gauge!(
        BUILD_SECONDS,
        Unit::Seconds,
        "What the last publication took"
    );
    describe_counter!(
        BUILT_ROWS,
        "Rows of bronze that runs read as new, and of them those left out of silver, by kind"
    );
    describe_gauge!(
        BUILT_AT,
        Unit::Seconds,
        "Time of the last run that did not fail, with or without anything new"
    );
    describe_gauge!(PUBLICATION, "Number of the newest publication");
    describe_gauge!(
        PUBLISHED_AT,
        Unit::Seconds,
        "Time of the last publication made"
    );
    describe_gauge!(
        CHECKS,
        "Checks of the last publication that found something to look at"
    );
    describe_counter!(
        BYTES,
        Unit::Bytes,
        "Bytes that builds read and wrote, and that the warehouse billed, by kind"
    );
}

/// Counts a landing.
pub(crate) fn landed(rows: usize, unreadable: usize, lag: i64) {
    counter!(LANDINGS).increment(1);
    counter!(LANDED_ROWS).increment(rows as u64);
    counter!(UNREADABLE_ROWS).increment(unreadable as u64);
    lags(lag);
    gauge!(LANDED_AT).set(now_s());
}

/// Tells how far landing is behind.
pub(crate) fn lags(offsets: i64) {
    gauge!(LAG).set(offsets as f64);
}

/// Counts a run of the build that did not fail.
pub(crate) fn built(summary: &Summary) {
    let result = match summary.tables {
        0 => "unchanged",
        _ => "published",
    };
    counter!(BUILDS, "result" => result).increment(1);
    gauge!(BUILT_AT).set(now_s());
    gauge!(PUBLICATION).set(summary.publication as f64);
    if summary.tables == 0 {
        return;
    }
    gauge!(PUBLISHED_AT).set(now_s());
    gauge!(CHECKS).set(summary.checks_warned as f64);
    gauge!(BUILD_SECONDS).set(summary.duration_ms as f64 / 1_000.0);
    let rows = [
        ("new", summary.bronze_rows),
        ("left out", summary.left_out_rows),
        ("quarantined", summary.quarantined_rows),
    ];
    for (kind, rows) in rows {
        counter!(BUILT_ROWS, "kind" => kind).increment(rows as u64);
    }
    let bytes = [
        ("read", summary.traffic.bytes_read),
        ("written", summary.traffic.bytes_written),
        ("billed", summary.traffic.bytes_billed),
    ];
    for (kind, bytes) in bytes {
        counter!(BYTES, "kind" => kind).increment(bytes);
    }
}

fn now_s() -> f64 {
    chrono::Utc::now().timestamp_millis() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");
    const OPERATIONS: &str = include_str!("../../docs/operations.md");

    #[test]
    fn what_is_documented_and_alerted_upon_is_served() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            gauge!(STARTED_AT).set(1.0);
            landed(3, 1, 7);
            built(&Summary {
                tables: 2,
                ..Summary::default()
            });
        });
        let served = handle.render();
        let names = |text: &str| -> Vec<String> {
            let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            let words = text.split(|letter| !is_part(letter));
            let ours = words.filter(|word| word.starts_with("shoptrail_"));
            ours.map(str::to_owned).collect()
        };
        let documented = names(OPERATIONS);
        let mut known = names(&served);
        known.dedup();
        for name in documented.iter().chain(&names(ALERTS)) {
            assert!(known.contains(name), "{name} is not served");
        }
        for name in &known {
            assert!(documented.contains(name), "{name} is not documented");
        }
        assert!(served.contains("shoptrail_land_lag_offsets 7"), "{served}");
    }

    #[test]
    fn every_alert_is_explained() {
        let alerts = ALERTS
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- alert: "));
        let alerts: Vec<_> = alerts.collect();
        assert!(!alerts.is_empty());
        for alert in alerts {
            assert!(OPERATIONS.contains(&format!("### {alert}\n")), "{alert}");
        }
    }
}
