//! The edge: the Worker in workerd, run by our own host (`local/edge/`), as a child process.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::broker::TOPIC;
use super::children::{ChildCommand, Family, Service};
use super::identity::{ApiKey, write_private};
use super::origin::PageOrigin;
use super::queue::QueueServer;

/// The program that runs the Worker, in the workspace.
const HOST: &str = "local/edge/host.mjs";

/// The write key of the demo shop.
pub const WRITE_KEY: &str = "pk_demo";

/// Simulated shoppers send days of history at once. A shop's own edge takes events of the last week alone.
pub const MAX_EVENT_AGE_DAYS: &str = "400";

const START_DEADLINE: Duration = Duration::from_secs(90);
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// The host ends workerd when it is asked to; what the queue holds is on the disk.
const GRACE: Duration = Duration::from_secs(3);

/// What the Worker is told.
pub struct EdgeConfig<'a> {
    /// Folder of the workspace: holds `edge-worker/`, the host and npm's packages.
    pub root: &'a Path,
    /// Folder of what the Worker's platform keeps.
    pub dir: &'a Path,
    /// File for what the host and the Worker say.
    pub log: &'a Path,
    /// Where the edge listens on 127.0.0.1.
    pub port: u16,
    /// Where the local pages are served: their scripts may send events.
    pub web_port: u16,
    /// Other pages whose scripts may send events.
    pub origins: &'a [PageOrigin],
    /// The REST API, up to `/v3`.
    pub rest_url: String,
    /// The cluster behind it.
    pub cluster_id: &'a str,
    /// The key that may produce.
    pub key: &'a ApiKey,
    /// Id of the record's schema.
    pub schema_id: u32,
    /// The queues that the Worker's bindings lead to.
    pub queues: &'a QueueServer,
}

/// Starts the Worker and waits until it lets the shop's pages in.
///
/// # Errors
/// Returns an error if npm's packages or the built Worker are missing, or it does not come up.
pub async fn start(config: &EdgeConfig<'_>, family: Family) -> Result<Service> {
    check_built(config.root)?;
    let dir = std::path::absolute(config.dir)?;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    // Arguments can be read by every user of the machine; this file cannot.
    let file = dir.join("settings.json");
    write_private(&file, &serde_json::to_vec_pretty(&settings(config, &dir))?)?;
    let command = ChildCommand {
        name: "edge",
        program: "node".into(),
        args: vec![config.root.join(HOST).into(), file.into()],
        envs: environment(&dir),
        dir: config.root.join("edge-worker"),
        log: std::path::absolute(config.log)?,
        grace: GRACE,
    };
    let service = Service::start(command, family)?;
    service
        .until_ready(START_DEADLINE, until_ours(config.port, config.web_port))
        .await?;
    Ok(service)
}

/// What the host runs.
fn check_built(root: &Path) -> Result<()> {
    let needed = [
        ("node_modules/miniflare", "npm packages", "setup"),
        ("edge-worker/build/index.js", "built Worker", "worker"),
        ("target/tracker", "built tracker", "tracker"),
    ];
    for (path, what, command) in needed {
        ensure!(
            root.join(path).exists(),
            "no {what} in `{}`\nhint: run `cargo xtask {command}`",
            root.display()
        );
    }
    Ok(())
}

/// Keeps what wrangler's library writes below the data folder, and its statistics to itself.
fn environment(dir: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("WRANGLER_SEND_METRICS", "false".into()),
        ("WRANGLER_SEND_ERROR_REPORTS", "false".into()),
        ("WRANGLER_LOG_PATH", dir.join("log").into()),
        ("NO_COLOR", "1".into()),
    ]
}

/// The settings of `local/edge/host.mjs`; the Worker's own come on top of those in `wrangler.toml`.
fn settings(config: &EdgeConfig, dir: &Path) -> Value {
    let port = config.web_port;
    let mut origins = vec![
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
    ];
    origins.extend(config.origins.iter().map(PageOrigin::to_string));
    let shops = json!([{"write_key": WRITE_KEY, "shop_id": "demo", "origins": origins}]);
    json!({
        "config": config.root.join("edge-worker/wrangler.toml"),
        "state": dir,
        "port": config.port,
        "refusals": format!("http://127.0.0.1:{port}/micro/refusals"),
        "queues": {"url": config.queues.url, "token": config.queues.token},
        "variables": {
            // All simulated shoppers have one address.
            "SHOPTRAIL_MAX_AGE_DAYS": MAX_EVENT_AGE_DAYS,
            "SHOPTRAIL_RATE_LIMITS": "off",
            "SHOPTRAIL_SHOPS": shops.to_string(),
            "SHOPTRAIL_KAFKA_REST_URL": config.rest_url,
            "SHOPTRAIL_KAFKA_CLUSTER_ID": config.cluster_id,
            "SHOPTRAIL_KAFKA_TOPIC": TOPIC,
            "SHOPTRAIL_SCHEMA_ID": config.schema_id.to_string(),
            "SHOPTRAIL_KAFKA_API_KEY": config.key.key,
            "SHOPTRAIL_KAFKA_API_SECRET": config.key.secret,
        },
    })
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
