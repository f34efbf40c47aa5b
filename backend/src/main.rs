//! The command `shoptrail`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shoptrail_backend::cli::main()
}
