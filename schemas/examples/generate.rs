//! Writes the generated files of the contract: `cargo run -p shoptrail-schemas --example generate [-- --check]`.
//!
//! With `--check` it writes nothing, names the stale files and exits 1.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use shoptrail_schemas::generate;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let check = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--check"] => true,
        _ => {
            eprintln!("error: usage: generate [--check]");
            return ExitCode::from(2);
        }
    };
    run(check).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(check: bool) -> io::Result<ExitCode> {
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut stale = 0;
    for (path, text) in generate::files(repository)? {
        let target = repository.join(&path);
        if fs::read_to_string(&target).is_ok_and(|current| current == text) {
            continue;
        }
        stale += 1;
        if check {
            eprintln!(
                "error: `{}` is stale: run `cargo xtask schemas`",
                path.display()
            );
        } else {
            write(&target, &text)?;
            println!("wrote {}", path.display());
        }
    }
    Ok(if check && stale > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}
