//! Whether somebody looks at the tables: a file that the local web server touches while a page is open and visible.
//!
//! While nobody does, landing gathers more before it commits and building rests, so that a stack left alone leaves the
//! machine alone. Who looks again has the newest events within seconds.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

/// While a dashboard is visible the file is touched more often than this.
const LASTS: Duration = Duration::from_secs(15);

/// The file, if there is one: without it everything is done at once.
#[derive(Args, Clone, Debug, Default)]
pub struct Attention {
    /// Slows down while this file has not been touched for 15 seconds
    #[arg(long = "watched", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Attention {
    /// By this file.
    #[must_use]
    pub fn to(file: PathBuf) -> Self {
        Self { file: Some(file) }
    }

    /// The flag that says the same to another program.
    #[must_use]
    pub fn to_args(&self) -> Vec<String> {
        let file = self.file.iter();
        file.flat_map(|file| ["--watched".to_owned(), file.display().to_string()])
            .collect()
    }

    /// Whether somebody looks, or nobody knows.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.file
            .as_deref()
            .is_none_or(|file| touched(file).is_ok_and(is_recent))
    }

    /// Says that somebody looks.
    pub fn pay(&self) {
        let Some(file) = &self.file else {
            return;
        };
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(file);
        if let Err(error) = opened.and_then(|file| file.set_modified(SystemTime::now())) {
            tracing::warn!("cannot touch `{}`: {error}", file.display());
        }
    }
}

fn touched(file: &Path) -> io::Result<SystemTime> {
    file.metadata()?.modified()
}

/// A time that lies ahead was written by another clock, and counts.
fn is_recent(touched: SystemTime) -> bool {
    touched.elapsed().map_or(true, |since| since < LASTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_is_paid_by_a_touch_and_ends_some_seconds_later() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("watched");
        let attention = Attention::to(file.clone());
        assert!(!attention.is_paid(), "nobody has looked yet");
        attention.pay();
        assert!(attention.is_paid());
        let long_ago = SystemTime::now() - LASTS;
        let opened = File::options()
            .write(true)
            .open(&file)
            .expect("it is there");
        opened.set_modified(long_ago).expect("a time of its own");
        assert!(!attention.is_paid());
        attention.pay();
        assert!(attention.is_paid());
    }

    #[test]
    fn without_a_file_somebody_always_looks() {
        assert!(Attention::default().is_paid());
    }
}
