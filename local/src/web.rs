//! The local web server: the demo shop, the dashboard, the page of received events, and the data they show.
//!
//! It listens on 127.0.0.1 and answers only to that name or `localhost`, so that no foreign page reaches it by a name of
//! its own that points here (DNS rebinding), and refuses what a page of another site fetches or posts. What others than this
//! machine may see is in [`super::shared_dashboard`].

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::handler::HandlerWithoutStateExt;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::services::{ServeDir, ServeFile};

use super::broker::Broker;
use super::edge::WRITE_KEY;

/// Scripts of the dashboard, from npm.
const VENDOR: [(&str, &str); 3] = [
    ("/vendor/vega.js", "vega/build/vega.min.js"),
    ("/vendor/vega-lite.js", "vega-lite/build/vega-lite.min.js"),
    (
        "/vendor/vega-interpreter.js",
        "vega-interpreter/build/vega-interpreter.js",
    ),
];
/// Pages beside the shop, by the name of their folder.
const PAGES: [&str; 2] = ["dashboard", "micro"];
/// Above it time grows faster than what it saves.
const COMPRESSION: CompressionLevel = CompressionLevel::Precise(7);
/// Of documents. Pages bring stricter policies of their own; framing can only be forbidden here.
const DOCUMENT_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    ),
];
/// Of every answer.
const NO_SNIFFING: (HeaderName, HeaderValue) = (
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderValue::from_static("nosniff"),
);

/// The running server. Dropping it closes the port.
pub struct Web(JoinHandle<()>);

impl Web {
    /// Serves `router` to this machine's own pages.
    #[must_use]
    pub fn serve(listener: TcpListener, router: Router) -> Self {
        Self::start(listener, compressed(router).layer(from_fn(guard)))
    }

    /// Serves `router` to whomever it lets in.
    pub(crate) fn start(listener: TcpListener, router: Router) -> Self {
        Self(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("the local web server ended: {error}");
            }
        }))
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Answers as small as browsers take them.
pub(crate) fn compressed(router: Router) -> Router {
    router.layer(CompressionLayer::new().quality(COMPRESSION))
}

/// Listens on `port`, or the next port that is free.
///
/// # Errors
/// Returns an error if none of a hundred ports is free.
pub async fn listen(port: u16) -> Result<TcpListener> {
    for port in port..port.saturating_add(100) {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return Ok(listener);
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))
}

/// The pages: `shop/` at the root, the others under their names; scripts from `node_modules`.
pub fn pages(root: &Path, edge: &str) -> Router {
    let folder = root.join("web-demo");
    let config = json!({"tracker": format!("{edge}/t.js"), "key": WRITE_KEY});
    let config = format!("window.SHOPTRAIL = {config};\n");
    let config = get(async move || {
        (
            [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
            config,
        )
    });
    let router = folders(root, &PAGES).route("/config.js", config);
    let shop = folder.join("shop");
    let index: Arc<Path> = shop.join("index.html").into();
    let page_of_the_shop = move |request: Request| shop_page(index.clone(), request);
    router.fallback_service(ServeDir::new(&shop).fallback(page_of_the_shop.into_service()))
}

/// The dashboard alone.
pub(crate) fn dashboard(root: &Path) -> Router {
    let to_dashboard = get(async || Redirect::temporary("/dashboard/"));
    folders(root, &["dashboard"]).route("/", to_dashboard)
}

/// Pages beside the shop, and the scripts they use.
fn folders(root: &Path, pages: &[&str]) -> Router {
    let folder = root.join("web-demo");
    let mut router = Router::new();
    for (path, file) in VENDOR {
        router = router.route_service(path, ServeFile::new(root.join("node_modules").join(file)));
    }
    for page in pages {
        // Without its slash at the end the folder answers with a redirect.
        for path in [
            format!("/{page}"),
            format!("/{page}/"),
            format!("/{page}/{{*file}}"),
        ] {
            router = router.route_service(&path, ServeDir::new(&folder));
        }
    }
    router
}

/// The shop's script decides what a path shows: every path that may be a page gets the one HTML file.
async fn shop_page(index: Arc<Path>, request: Request) -> Response {
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"));
    if request.method() != Method::GET || !wants_page || request.uri().path().contains('.') {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    }
    match tokio::fs::read_to_string(&index).await {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!("cannot read `{}`: {error}", index.display());
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Drills: `POST /local/broker/stop` and `POST /local/broker/start`, each answered when it is done.
pub fn drills(broker: Arc<Broker>) -> Router {
    let done = |result: Result<()>| match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::CONFLICT, format!("{error:#}\n")).into_response(),
    };
    Router::new()
        .route(
            "/local/broker/stop",
            post(async move |State(broker): State<Arc<Broker>>| done(broker.stop().await)),
        )
        .route(
            "/local/broker/start",
            post(async move |State(broker): State<Arc<Broker>>| done(broker.resume().await)),
        )
        .with_state(broker)
}

async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.headers()) {
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
        None => next.run(request).await,
    };
    add_headers(&mut response);
    response
}

/// Adds what every answer tells the browser.
pub(crate) fn add_headers(response: &mut Response) {
    let headers = response.headers_mut();
    headers.extend([NO_SNIFFING]);
    if is_document(headers) {
        headers.extend(DOCUMENT_HEADERS);
    }
    // Everything here may be edited at any time: browsers ask again each time.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
}

/// What a browser can show in a window of its own. SVG is among it: it can hold scripts.
fn is_document(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    kind.is_none_or(|kind| {
        !(kind.contains("javascript") || kind.contains("css") || kind.contains("json"))
    })
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let host = text("host");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost") {
        return Some("this server answers to 127.0.0.1 and localhost only\n");
    }
    // A link may lead here from anywhere; scripts and forms of other sites may not.
    let foreign = text("sec-fetch-site") == "cross-site" && text("sec-fetch-mode") != "navigate";
    foreign.then_some("this server does not answer to pages of other sites\n")
}

/// Finds the workspace: the folder given, or the first from here upwards that holds it.
///
/// # Errors
/// Returns an error if there is no such folder.
pub fn workspace(given: Option<&Path>) -> Result<PathBuf> {
    let here = std::env::current_dir().context("no working directory")?;
    let mut candidates = match given {
        Some(root) => vec![root.to_owned()],
        None => here.ancestors().map(Path::to_owned).collect(),
    };
    candidates
        .retain(|root| root.join("web-demo/shop").is_dir() && root.join("edge-worker").is_dir());
    let root = candidates.into_iter().next();
    let root =
        root.context("the workspace is not here\nhint: start inside the project, or name it with `--project DIR`")?;
    std::path::absolute(root).context("no working directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        refusal(&headers.collect()).is_none()
    }

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for host in ["127.0.0.1:8080", "localhost:8080", "localhost"] {
            assert!(judged(&[("host", host)]), "{host}");
        }
        for host in [
            "shop.example:8080",
            "127.0.0.1.shop.example",
            "localhost.shop.example:80",
            "0.0.0.0:8080",
            "",
        ] {
            assert!(!judged(&[("host", host)]), "{host}");
        }
        assert!(!judged(&[]));
    }

    #[test]
    fn pages_of_other_sites_may_link_but_not_fetch() {
        let from = |site, mode| {
            judged(&[
                ("host", "localhost"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
            ])
        };
        assert!(from("cross-site", "navigate"));
        assert!(from("same-origin", "cors"));
        assert!(!from("cross-site", "cors"));
        assert!(!from("cross-site", "no-cors"));
    }
}
