//! The BigQuery API server of the tests: local-bigquery, which we did not write, as `cargo xtask setup` installs it.
//!
//! One process serves all tests of this binary, each in a dataset of its own. It ends when this process does: its standard
//! input is a pipe from here.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use shoptrail_backend::warehouse::bigquery::{BigQuery, Server as Endpoint, Settings};
use tokio::sync::OnceCell;
use url::Url;

/// The project of all tests.
pub const PROJECT: &str = "test-shop";
/// Starting Python and its libraries on a busy machine.
const START: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

static SERVER: OnceCell<Server> = OnceCell::const_new();
static DATASETS: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub struct Server {
    pub rest: Url,
    pub grpc: Url,
    _process: Child,
    _data: tempfile::TempDir,
}

/// The server, started by whoever asks first.
pub async fn server() -> &'static Server {
    SERVER.get_or_init(Server::start).await
}

impl Server {
    async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let python = root.join("target/tools/local-bigquery/venv/bin/python");
        assert!(python.exists(), "{} is missing\nhint: `cargo xtask setup`", python.display());
        let data = tempfile::tempdir().unwrap();
        let (rest, grpc) = (free_port(), free_port());
        let process = Command::new(python)
            .arg(root.join("tests/bigquery/serve.py"))
            .args(["--port", &rest.to_string(), "--grpc-port", &grpc.to_string()])
            .arg("--data-dir")
            .arg(data.path())
            .stdin(Stdio::piped())
            .stderr(std::fs::File::create(data.path().join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let url = |port: u16| Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let server = Self { rest: url(rest), grpc: url(grpc), _process: process, _data: data };
        server.ready().await;
        server
    }

    async fn ready(&self) {
        let start = Instant::now();
        while !self.answers().await {
            assert!(start.elapsed() < START, "the BigQuery server does not answer within {} s", START.as_secs());
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn answers(&self) -> bool {
        let url = format!("{}bigquery/v2/projects/{PROJECT}/datasets", self.rest);
        reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// A new, empty dataset.
    pub async fn dataset(&self) -> String {
        let name = format!("dataset_{}", DATASETS.fetch_add(1, Ordering::Relaxed));
        let url = format!("{}bigquery/v2/projects/{PROJECT}/datasets", self.rest);
        let body = json!({"datasetReference": {"projectId": PROJECT, "datasetId": name}});
        let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        name
    }

    /// Settings for a dataset behind a REST address: the server's own, or a proxy's.
    pub fn settings(&self, rest: &Url, dataset: &str) -> Settings {
        Settings {
            project: PROJECT.to_owned(),
            dataset: dataset.to_owned(),
            server: Some(Endpoint { rest: rest.clone(), grpc: self.grpc.clone() }),
            max_bytes_billed: 1 << 40,
            sink_table: None,
            sink_overlap: Duration::ZERO,
            retry_for: Duration::from_secs(30),
        }
    }

    /// Runs SQL as somebody else would, and waits for its end.
    pub async fn sql(&self, sql: &str) {
        let url = format!("{}bigquery/v2/projects/{PROJECT}/queries", self.rest);
        let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 60_000});
        let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{sql}: {text}");
    }
}

/// Connects as a process that has just started.
pub async fn connect(settings: Settings) -> BigQuery {
    BigQuery::connect(settings).await.unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
