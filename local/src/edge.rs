//! The edge: the Worker in workerd, by `wrangler dev`, as a child process.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::broker::TOPIC;
use super::children::{ChildCommand, Family, Service};
use super::identity::{ApiKey, write_private};

/// The write key of the demo shop.
pub const WRITE_KEY: &str = "pk_demo";

const START_DEADLINE: Duration = Duration::from_secs(90);
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// wrangler ends workerd when it is asked to; what the queue holds was waited for before.
const GRACE: Duration = Duration::from_secs(3);

/// What the Worker is told.
pub struct EdgeConfig<'a> {
    /// Folder of the workspace: holds `edge-worker/` and wrangler.
    pub root: &'a Path,
    /// Folder of what the Worker's platform keeps.
    pub dir: &'a Path,
    /// File for what wrangler says.
    pub log: &'a Path,
    /// Where the edge listens on 127.0.0.1.
    pub port: u16,
    /// Where the local pages are served: their scripts may send events.
    pub web_port: u16,
    /// The REST API, up to `/v3`.
    pub rest_url: String,
    /// The cluster behind it.
    pub cluster_id: &'a str,
    /// The key that may produce.
    pub key: &'a ApiKey,
    /// Id of the record's schema.
    pub schema_id: u32,
}

/// Starts the Worker and waits until it lets the shop's pages in.
///
/// # Errors
/// If wrangler or the built Worker is missing, or does not come up.
pub async fn start(config: &EdgeConfig<'_>, family: Family) -> Result<Service> {
    let wrangler = config.root.join("node_modules/wrangler/bin/wrangler.js");
    let worker = config.root.join("edge-worker");
    ensure!(
        wrangler.exists(),
        "no wrangler in `{}`; hint: run `cargo xtask setup`",
        config.root.display()
    );
    ensure!(
        worker.join("build/index.js").exists(),
        "the Worker is not built; hint: run `cargo xtask worker`"
    );
    let tracker = config.root.join("target/tracker");
    ensure!(
        tracker.is_dir(),
        "the tracker is not built; hint: run `cargo xtask tracker`"
    );
    let dir = std::path::absolute(config.dir)?;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    // Arguments can be read by every user of the machine; this file cannot.
    let variables = dir.join("variables.env");
    write_private(&variables, variables_file(config).as_bytes())?;
    // Where Cloudflare would say where a visitor is. Without it wrangler asks the network, then invents a place.
    let place = dir.join("cf.json");
    std::fs::write(&place, "{}").with_context(|| format!("cannot write `{}`", place.display()))?;
    let command = ChildCommand {
        name: "edge",
        program: "node".into(),
        args: arguments(config.port, &wrangler, &dir, &variables),
        envs: environment(&dir),
        dir: worker,
        log: std::path::absolute(config.log)?,
        grace: GRACE,
    };
    let service = Service::start(command, family)?;
    service
        .until_ready(START_DEADLINE, until_ours(config.port, config.web_port))
        .await?;
    Ok(service)
}

fn arguments(port: u16, wrangler: &Path, dir: &Path, variables: &Path) -> Vec<OsString> {
    let port = port.to_string();
    let words: [&str; 8] = [
        "dev",
        "--local",
        "--ip",
        "127.0.0.1",
        "--port",
        &port,
        "--show-interactive-dev-session=false",
        "--log-level=info",
    ];
    let mut args = vec![wrangler.into()];
    args.extend(words.map(OsString::from));
    // 0: any free port. The debugger's own default would clash with the next stack's.
    args.extend(["--inspector-port", "0", "--inspector-ip", "127.0.0.1"].map(OsString::from));
    args.extend([
        "--persist-to".into(),
        dir.into(),
        "--env-file".into(),
        variables.into(),
    ]);
    args
}

/// Keeps what wrangler writes below the data folder, and its statistics to itself.
fn environment(dir: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        // Set by this stack alone: `wrangler.toml` then builds nothing.
        ("SHOPTRAIL_WORKER_BUILT", "1".into()),
        ("WRANGLER_SEND_METRICS", "false".into()),
        ("WRANGLER_SEND_ERROR_REPORTS", "false".into()),
        ("WRANGLER_HIDE_BANNER", "true".into()),
        ("WRANGLER_LOG_PATH", dir.join("log").into()),
        ("CLOUDFLARE_CF_FETCH_PATH", dir.join("cf.json").into()),
        ("WRANGLER_REGISTRY_PATH", dir.join("registry").into()),
        ("NO_COLOR", "1".into()),
    ]
}

/// The Worker's variables and secrets in dotenv's form. None of the values holds a quote or a line end.
fn variables_file(config: &EdgeConfig) -> String {
    let port = config.web_port;
    let shops = json!([{
        "write_key": WRITE_KEY,
        "shop_id": "demo",
        "origins": [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")],
    }]);
    let variables = [
        // All simulated shoppers have one address.
        ("SHOPTRAIL_RATE_LIMITS", "off".to_owned()),
        ("SHOPTRAIL_SHOPS", shops.to_string()),
        ("SHOPTRAIL_KAFKA_REST_URL", config.rest_url.clone()),
        ("SHOPTRAIL_KAFKA_CLUSTER_ID", config.cluster_id.to_owned()),
        ("SHOPTRAIL_KAFKA_TOPIC", TOPIC.to_owned()),
        ("SHOPTRAIL_SCHEMA_ID", config.schema_id.to_string()),
        ("SHOPTRAIL_KAFKA_API_KEY", config.key.key.clone()),
        ("SHOPTRAIL_KAFKA_API_SECRET", config.key.secret.clone()),
    ];
    variables
        .map(|(name, value)| format!("{name}='{value}'\n"))
        .concat()
}

/// Waits until the Worker lets our shop in. Asking that, and not for its health, tells it from the Worker of another stack
/// that took the port in the same moment.
async fn until_ours(port: u16, web_port: u16) {
    let client = reqwest::Client::new();
    let shop = format!("http://127.0.0.1:{web_port}");
    loop {
        let preflight = client.request(
            reqwest::Method::OPTIONS,
            format!("http://127.0.0.1:{port}/b"),
        );
        let reply = preflight
            .header("origin", &shop)
            .timeout(Duration::from_secs(2))
            .send()
            .await;
        let allowed =
            |reply: &reqwest::Response| reply.headers().get("access-control-allow-origin").cloned();
        if reply.is_ok_and(|reply| allowed(&reply).is_some_and(|origin| origin == shop.as_str())) {
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}
