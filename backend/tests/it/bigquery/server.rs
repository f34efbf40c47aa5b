//! The BigQuery API server of the tests: local-bigquery, which we did not write, as `cargo xtask setup` installs it.
//!
//! Each test has a server of its own: with every table and every query it has ever seen, the server gets slower. It ends
//! when it is dropped, and with this process however that ends: its standard input is a pipe from here.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shoptrail_backend::warehouse::bigquery::{BigQuery, Server as Endpoint, Settings};
use url::Url;

/// The project of all tests.
pub const PROJECT: &str = "test-shop";
/// The dataset of all tests.
pub const DATASET: &str = "clicks";
/// Starting Python and its libraries on a busy machine.
const START: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

/// A running server.
pub struct Server {
    pub rest: Url,
    pub grpc: Url,
    process: Child,
    _data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is left of it goes with its folder.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// A server with one dataset, which is empty.
    pub async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let data = tempfile::tempdir().unwrap();
        let (rest, grpc) = (free_port(), free_port());
        let process = Command::new(python())
            .arg(root.join("tests/bigquery/serve.py"))
            .args([
                "--port",
                &rest.to_string(),
                "--grpc-port",
                &grpc.to_string(),
            ])
            .arg("--data-dir")
            .arg(data.path())
            .stdin(Stdio::piped())
            .stderr(std::fs::File::create(data.path().join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let url = |port: u16| Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let server = Self {
            rest: url(rest),
            grpc: url(grpc),
            process,
            _data: data,
        };
        server.ready().await;
        server.make_dataset().await;
        server
    }

    async fn ready(&self) {
        let start = Instant::now();
        while !self.answers().await {
            assert!(
                start.elapsed() < START,
                "the BigQuery server does not answer within {} s",
                START.as_secs()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn answers(&self) -> bool {
        let url = format!("{}bigquery/v2/projects/{PROJECT}/datasets", self.rest);
        reqwest::get(url)
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// Waits until no job is under way: one whose answer was lost goes on.
    pub async fn idle(&self) {
        let which = "stateFilter=pending&stateFilter=running";
        let url = format!("{}bigquery/v2/projects/{PROJECT}/jobs?{which}", self.rest);
        loop {
            let answer = reqwest::get(&url).await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
            let listed: Value = answer.json().await.unwrap();
            match listed["jobs"].as_array() {
                Some(jobs) if !jobs.is_empty() => tokio::time::sleep(LOOK).await,
                _ => return,
            }
        }
    }

    async fn make_dataset(&self) {
        let url = format!("{}bigquery/v2/projects/{PROJECT}/datasets", self.rest);
        let body = json!({"datasetReference": {"projectId": PROJECT, "datasetId": DATASET}});
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Settings for the dataset behind a REST address: the server's own, or a proxy's.
    pub fn settings(&self, rest: &Url) -> Settings {
        Settings {
            project: PROJECT.to_owned(),
            dataset: DATASET.to_owned(),
            server: Some(Endpoint {
                rest: rest.clone(),
                grpc: self.grpc.clone(),
            }),
            max_bytes_billed: 1 << 40,
            sink_table: None,
            sink_overlap: Duration::ZERO,
            retry_for: Duration::from_secs(30),
            job_for: Duration::from_secs(600),
        }
    }

    /// Runs SQL as somebody else would, and waits for its end.
    pub async fn sql(&self, sql: &str) {
        let url = format!("{}bigquery/v2/projects/{PROJECT}/queries", self.rest);
        let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 60_000});
        let answer = reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{sql}: {text}");
    }
}

/// Connects as a process that has just started.
pub async fn connect(settings: Settings) -> BigQuery {
    BigQuery::connect(settings).await.unwrap()
}

/// The Python that has the server, and the libraries that read a lake.
pub fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join("target/tools/local-bigquery/venv/bin/python");
    assert!(
        python.exists(),
        "{} is missing\nhint: `cargo xtask setup`",
        python.display()
    );
    python
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
