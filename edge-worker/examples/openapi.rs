//! Writes `openapi.json`, or with `--check` fails when it is stale.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let description = shoptrail_edge::openapi::openapi();
    if !std::env::args().any(|argument| argument == "--check") {
        return std::fs::write(file, description);
    }
    if std::fs::read_to_string(file)? == description {
        return Ok(());
    }
    let stale = "openapi.json is stale\nhint: run `cargo run -p shoptrail-edge --example openapi`";
    Err(std::io::Error::other(stale))
}
