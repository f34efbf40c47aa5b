//! Runs child commands: their output goes to a log, its last line to the terminal, and its tail into the error when the
//! command fails.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use shoptrail_local::log_tail::log_tail;
use shoptrail_local::progress;

/// Lines of a failed command's output that the error repeats; the log has all of them.
const LOG_LINES_SHOWN: usize = 40;

/// Runs `command` to its end, and writes what it says to `log`, which lies at `path`.
///
/// # Errors
/// Returns an error if it cannot be started or fails, with the end of its output and the log's path.
pub fn run(name: &str, command: &mut Command, mut log: File, path: &Path) -> Result<()> {
    let live = progress::live_line(name);
    let success = stream(command, |line| {
        live.says(line);
        writeln!(log, "{line}").context("cannot write the log")
    })?;
    if !success {
        bail!(
            "`{}` failed, log: {}\n{}",
            shown(command),
            path.display(),
            log_tail(path, LOG_LINES_SHOWN)
        );
    }
    Ok(())
}

/// Runs `command` and hands each line of its output, both streams in order, to `each`. Returns whether it succeeded.
///
/// # Errors
/// Returns an error if it cannot be started, or `each` fails.
pub fn stream(command: &mut Command, mut each: impl FnMut(&str) -> Result<()>) -> Result<bool> {
    let mut child = {
        let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", shown(command)))?;
        // The command keeps its ends of the pipe; without this the reader would never see the end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        read_lines(reader, &mut each)?;
        child
    };
    Ok(child.wait()?.success())
}

fn read_lines(reader: PipeReader, each: &mut impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        each(String::from_utf8_lossy(&bytes).trim_end())?;
        bytes.clear();
    }
    Ok(())
}

/// The standard output of a short command, or `None` when it cannot be started or fails.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::piped()).output().ok()?;
    // `java -version` answers on stderr.
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&text).into_owned())
}

/// Where `program` lies on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_command_shows_the_end_of_its_output() {
        let path = std::env::temp_dir().join(format!("shoptrail-run-{}.log", std::process::id()));
        let log = File::create(&path).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "seq 100; echo broken >&2; exit 3"]);
        let error = run("xtask test", &mut command, log, &path)
            .expect_err("exit code 3")
            .to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.ends_with("100\nbroken"), "{error}");
        assert!(!error.contains("\n60\n"), "{error}");
    }

    #[test]
    fn program_that_is_missing_is_named() {
        let error =
            stream(&mut Command::new("no-such-program"), |_| Ok(())).expect_err("there is none");
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }
}
