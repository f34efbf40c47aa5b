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
const READING_AT: &str = "shoptrail_reading_timestamp_seconds";
const BUILDS: &str = "shoptrail_builds_total";
const BUILD_SECONDS: &str = "shoptrail_build_duration_seconds";
const BUILT_ROWS: &str = "shoptrail_build_rows_total";
const BUILT_AT: &str = "shoptrail_built_timestamp_seconds";
const PUBLICATION: &str = "shoptrail_publication";
const PUBLISHED_AT: &str = "shoptrail_published_timestamp_seconds";
const CHECKS: &str = "shoptrail_checks_warned";
const BYTES: &str = "shoptrail_bytes_total";

const RESULTS: [&str; 2] = ["published", "unchanged"];
const ROWS: [&str; 3] = ["new", "left out", "quarantined"];
const KINDS_OF_BYTES: [&str; 3] = ["read", "written", "billed"];

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
        begin_to_count();
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
    describe_gauge!(
        LANDED_AT,
        Unit::Seconds,
        "Time of the last landing of an event"
    );
    describe_gauge!(
        READING_AT,
        Unit::Seconds,
        "Time at which landing was last at work, with Kafka in reach"
    );
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
        "Time at which the tables last had all that had landed"
    );
    describe_gauge!(PUBLICATION, "Number of the newest publication");
    describe_gauge!(
        PUBLISHED_AT,
        Unit::Seconds,
        "Time of the last publication made; before the first, when building began"
    );
    describe_gauge!(CHECKS, "Checks whose last finding is something to look at");
    describe_counter!(
        BYTES,
        Unit::Bytes,
        "Bytes that builds read and wrote, and that the warehouse billed, by kind"
    );
}

/// A counter that is not there before it counts hides the first that it counted.
fn begin_to_count() {
    for name in [LANDINGS, LANDED_ROWS, UNREADABLE_ROWS] {
        counter!(name).increment(0);
    }
    for (name, label, values) in [
        (BUILDS, "result", &RESULTS[..]),
        (BUILT_ROWS, "kind", &ROWS[..]),
        (BYTES, "kind", &KINDS_OF_BYTES[..]),
    ] {
        for value in values {
            counter!(name, label => *value).increment(0);
        }
    }
}

/// Counts a landing.
pub(crate) fn landed(rows: usize, unreadable: usize) {
    counter!(LANDINGS).increment(1);
    counter!(LANDED_ROWS).increment(rows as u64);
    counter!(UNREADABLE_ROWS).increment(unreadable as u64);
    if rows > 0 {
        gauge!(LANDED_AT).set(now_s());
    }
}

/// Tells that landing is at work, and how far it is behind.
pub(crate) fn reads(lag: i64, is_in_reach: bool) {
    gauge!(LAG).set(lag as f64);
    if is_in_reach {
        gauge!(READING_AT).set(now_s());
    }
}

/// Tells that from now on there are builds.
pub(crate) fn begins_to_build() {
    gauge!(BUILT_AT).set(now_s());
    gauge!(PUBLISHED_AT).set(now_s());
}

/// Tells that there is nothing to build from.
pub(crate) fn is_up_to_date() {
    gauge!(BUILT_AT).set(now_s());
}

/// Counts a run of the build that did not fail.
pub(crate) fn built(summary: &Summary) {
    let [published, unchanged] = RESULTS;
    let result = match summary.is_published {
        true => published,
        false => unchanged,
    };
    counter!(BUILDS, "result" => result).increment(1);
    gauge!(BUILT_AT).set(now_s());
    gauge!(PUBLICATION).set(summary.publication as f64);
    if !summary.is_published {
        return;
    }
    gauge!(PUBLISHED_AT).set(now_s());
    gauge!(CHECKS).set(summary.checks_warned as f64);
    gauge!(BUILD_SECONDS).set(summary.duration_ms as f64 / 1_000.0);
    let rows = [
        summary.bronze_rows,
        summary.left_out_rows,
        summary.quarantined_rows,
    ];
    for (kind, rows) in ROWS.into_iter().zip(rows) {
        counter!(BUILT_ROWS, "kind" => kind).increment(rows as u64);
    }
    let bytes = [
        summary.traffic.bytes_read,
        summary.traffic.bytes_written,
        summary.traffic.bytes_billed,
    ];
    for (kind, bytes) in KINDS_OF_BYTES.into_iter().zip(bytes) {
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
            begin_to_count();
            landed(3, 1);
            reads(7, true);
            begins_to_build();
            built(&Summary {
                is_published: true,
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
        assert!(
            served.contains(r#"shoptrail_builds_total{result="unchanged"} 0"#),
            "{served}"
        );
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
