//! The end of a log, for messages about the program that wrote it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// More than the lines that are shown; a log may be far longer.
const BYTES: u64 = 64 * 1024;

/// The last lines of a log; nothing if it cannot be read.
#[must_use]
pub fn log_tail(log: &Path, lines: usize) -> String {
    let bytes = last_bytes(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let skipped = all.len().saturating_sub(lines);
    all.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}

fn last_bytes(log: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_of_a_long_log_are_shown() {
        let log = std::env::temp_dir().join(format!("shoptrail-tail-{}.log", std::process::id()));
        let text: String = (0..100_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&log, text).unwrap();
        let tail = log_tail(&log, 2);
        std::fs::remove_file(&log).unwrap();
        assert_eq!(tail, "line 99998\nline 99999");
        assert_eq!(log_tail(&log, 2), "", "the log is gone");
    }
}
