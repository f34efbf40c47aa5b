//! The command `shoptrail`.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    shoptrail_backend::cli::run(shoptrail_backend::cli::Cli::parse()).await
}
