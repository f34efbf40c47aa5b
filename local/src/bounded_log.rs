//! A log that cannot fill the disk: what a program writes goes through a pipe into a file, and when that is full the file
//! becomes the older half and a new one begins.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Bytes of one of the two files: days of what a part says when all is well.
pub const MAX_BYTES: u64 = 8 << 20;
const READ_BYTES: usize = 64 * 1024;

/// A log and where its older half is.
#[derive(Clone, Debug)]
pub struct BoundedLog {
    path: PathBuf,
    max_bytes: u64,
}

impl BoundedLog {
    /// Begins a log: what the files held is gone.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn create(path: &Path, max_bytes: u64) -> io::Result<Self> {
        File::create(path)?;
        let log = Self {
            path: path.to_owned(),
            max_bytes,
        };
        match std::fs::remove_file(log.older()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(log),
        }
    }

    /// Where the older half is, if there is one.
    #[must_use]
    pub fn older(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".1");
        path.into()
    }

    /// An end of a pipe for a program's output. The receiver learns when all of it is in the file: all who held the end
    /// are gone then.
    ///
    /// # Errors
    /// Returns an error if the system gives no pipe or no thread.
    pub fn pipe(&self) -> io::Result<(PipeWriter, Receiver<()>)> {
        let (reader, writer) = io::pipe()?;
        let (done, all_written) = channel();
        let log = self.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                log.copy(reader);
                // Nobody may be waiting for it.
                let _ = done.send(());
            })?;
        Ok((writer, all_written))
    }

    /// A disk that takes nothing costs the text, not the program: the pipe is emptied all the same.
    fn copy(&self, mut reader: PipeReader) {
        let mut buffer = vec![0; READ_BYTES];
        let mut file = None;
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if let Some(text) = buffer.get(..count) {
                file = self.write(file.take(), text).ok();
            }
        }
    }

    fn write(&self, file: Option<(File, u64)>, text: &[u8]) -> io::Result<(File, u64)> {
        let (mut file, mut length) = match file {
            Some(file) => file,
            None => self.open()?,
        };
        if length + text.len() as u64 > self.max_bytes {
            std::fs::rename(&self.path, self.older())?;
            (file, length) = self.open()?;
        }
        file.write_all(text)?;
        Ok((file, length + text.len() as u64))
    }

    fn open(&self) -> io::Result<(File, u64)> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn written(script: &str, max_bytes: u64) -> (tempfile::TempDir, BoundedLog) {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let log = BoundedLog::create(&folder.path().join("child.log"), max_bytes).expect("a file");
        let (writer, all_written) = log.pipe().expect("a pipe");
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdout(writer.try_clone().expect("a second end"))
            .stderr(writer)
            .spawn()
            .expect("sh runs");
        child.wait().expect("it ends");
        all_written.recv().expect("all is written");
        (folder, log)
    }

    #[test]
    fn endless_output_stays_within_two_files_that_hold_its_end() {
        let (_folder, log) = written("seq 1 400000", 1 << 20);
        let newer = std::fs::read_to_string(&log.path).expect("the log");
        let older = std::fs::read_to_string(log.older()).expect("its older half");
        assert!(newer.len() <= 1 << 20 && older.len() <= 1 << 20);
        assert!(newer.ends_with("399999\n400000\n"));
        let first: u32 = newer
            .lines()
            .nth(1)
            .expect("a line")
            .parse()
            .expect("a number");
        assert!(older.trim_end().len() > 1 << 19 && first < 400_000);
    }

    #[test]
    fn both_outputs_are_in_the_log() {
        let (_folder, log) = written("echo out; echo err >&2", 1 << 20);
        let text = std::fs::read_to_string(&log.path).expect("the log");
        assert_eq!(text, "out\nerr\n");
        assert!(!log.older().exists());
    }
}
