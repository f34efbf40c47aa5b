//! What the stack needs of the machine, said before anything starts.

use anyhow::{Result, ensure};

/// Most of them are the broker's: two for each segment of a partition, one for each connection. Seen: 190 in workerd, 120 in
/// Kafka while a hundred clients send.
const OPEN_FILES: u64 = 512;

/// Checks the limits that this process hands on to its children.
///
/// # Errors
/// Returns an error if one is too small; it says how to raise it.
pub fn check() -> Result<()> {
    // Only Linux says it in a file; elsewhere the parts speak for themselves.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match open_files(&limits) {
        Some(limit) => check_open_files(limit),
        None => Ok(()),
    }
}

fn check_open_files(limit: u64) -> Result<()> {
    ensure!(
        limit >= OPEN_FILES,
        "a program may open {limit} files here, and the parts of the stack need {OPEN_FILES}\nhint: run `ulimit -n {OPEN_FILES}` in this shell first, as root if it is refused"
    );
    Ok(())
}

/// The soft limit in the form of `/proc/self/limits`; nothing if there is none.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_that_is_too_small_is_said_in_one_sentence_with_the_way_to_raise_it() {
        let limits = "Max processes             95866                95866                processes\n\
                      Max open files            256                  4096                 files\n";
        assert_eq!(open_files(limits), Some(256));
        let error = check_open_files(256).expect_err("too small").to_string();
        assert_eq!(
            error,
            "a program may open 256 files here, and the parts of the stack need 512\nhint: run `ulimit -n 512` in this shell first, as root if it is refused"
        );
        assert!(check_open_files(1_024).is_ok());
    }

    #[test]
    fn no_limit_is_enough() {
        let limits = "Max open files            unlimited            unlimited            files\n";
        assert_eq!(open_files(limits), None);
    }
}
