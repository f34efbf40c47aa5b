//! The journal: one file to which every change of the queues is appended, and from which a start finds them again.
//!
//! An entry is its length (4 bytes), a hash (8 bytes) and JSON. What [`Journal::append`] has written survives the end of
//! every process and of the machine; what was written in part, because the disk was full or the machine ended, is not read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

const HEADER_BYTES: usize = 12;
/// A message has 128,000 bytes and a third more in base64; a length beyond this is damage.
const MAX_ENTRY_BYTES: usize = 1 << 20;
/// Entries of a rewritten journal that are held in memory.
const WRITTEN_TOGETHER: usize = 256;

/// One change of the queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// A message was taken.
    Sent {
        /// Tells it from every other.
        id: u64,
        /// Its queue.
        queue: String,
        /// When it was taken, in milliseconds.
        at: i64,
        /// When it may be delivered.
        due: i64,
        /// How the body is written: `text`, `json`, `bytes` or `v8`.
        format: String,
        /// The body in base64, as workerd sent it.
        body: String,
    },
    /// A delivery failed.
    Failed {
        /// The message.
        id: u64,
        /// Deliveries until now.
        attempts: u32,
        /// When it may be delivered again.
        due: i64,
    },
    /// A message was given up, and is in the dead letter queue.
    Moved {
        /// The message.
        id: u64,
        /// The dead letter queue.
        queue: String,
    },
    /// Messages are done with.
    Done {
        /// The messages.
        ids: Vec<u64>,
    },
}

/// Where an entry lies in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    offset: u64,
    length: usize,
}

impl Place {
    /// For tests without a file.
    #[cfg(test)]
    pub(super) const fn of_length(length: usize) -> Self {
        Self { offset: 0, length }
    }

    /// Bytes in the file.
    #[must_use]
    pub fn bytes(self) -> u64 {
        (HEADER_BYTES + self.length) as u64
    }
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk takes or gives nothing.
    #[error("cannot {what} `{path}`: {source}")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An entry that was written whole is no longer what it was.
    #[error("`{0}` was changed by somebody else")]
    Changed(PathBuf),
}

/// The open file.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Bytes of whole entries; what lies behind them counts for nothing.
    length: u64,
}

impl Journal {
    /// Opens or makes the file, and hands every whole entry to `found`.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or written.
    pub fn open(
        path: PathBuf,
        found: impl FnMut(Place, JournalEntry),
    ) -> Result<Self, JournalError> {
        let file = open_private(&path).map_err(|source| failed("open", &path, source))?;
        let length = read_entries(&file, found).map_err(|source| failed("read", &path, source))?;
        let all = file
            .metadata()
            .map_err(|source| failed("read", &path, source))?
            .len();
        if all > length {
            tracing::warn!(
                bytes = all - length,
                "the local queue's last entry was not written whole, so nothing in it was acknowledged"
            );
        }
        file.set_len(length)
            .map_err(|source| failed("shorten", &path, source))?;
        Ok(Self { file, path, length })
    }

    /// Bytes of the entries.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends entries and returns where they lie, once they are on the disk: all of them or none.
    ///
    /// # Errors
    /// Returns an error if the disk does not take them.
    pub fn append(&mut self, entries: &[JournalEntry]) -> Result<Vec<Place>, JournalError> {
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(entries.len());
        for entry in entries {
            let offset = self.length + bytes.len() as u64;
            let length = write_entry(&mut bytes, entry);
            places.push(Place { offset, length });
        }
        let written = self
            .file
            .write_all_at(&bytes, self.length)
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // If this fails too, the next entries are written over the remains.
            let _ = self.file.set_len(self.length);
            return Err(failed("write", &self.path, source));
        }
        self.length += bytes.len() as u64;
        Ok(places)
    }

    /// Reads an entry again.
    ///
    /// # Errors
    /// Returns an error if the disk does not give it, or it is not what it was.
    pub fn read(&self, place: Place) -> Result<JournalEntry, JournalError> {
        let mut bytes = vec![0; HEADER_BYTES + place.length];
        self.file
            .read_exact_at(&mut bytes, place.offset)
            .map_err(|source| failed("read", &self.path, source))?;
        let (header, json) = bytes.split_at(HEADER_BYTES);
        parse(header, json).ok_or_else(|| JournalError::Changed(self.path.clone()))
    }

    /// Replaces the file by one that holds `entries` alone, and returns that and where they lie in it.
    ///
    /// # Errors
    /// Returns an error if the disk does not take it: the old file is as it was then.
    pub fn rewritten(
        &self,
        entries: impl IntoIterator<Item = Result<JournalEntry, JournalError>>,
    ) -> Result<(Self, Vec<Place>), JournalError> {
        let unfinished = self.path.with_extension("unfinished");
        let file = match std::fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => open_private(&unfinished),
        };
        let mut new = Self {
            file: file.map_err(|source| failed("open", &unfinished, source))?,
            path: unfinished.clone(),
            length: 0,
        };
        let mut places = Vec::new();
        let mut entries = entries.into_iter();
        loop {
            let some: Vec<_> = entries
                .by_ref()
                .take(WRITTEN_TOGETHER)
                .collect::<Result<_, _>>()?;
            if some.is_empty() {
                break;
            }
            places.extend(new.append(&some)?);
        }
        std::fs::rename(&unfinished, &self.path)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|source| failed("replace", &self.path, source))?;
        new.path.clone_from(&self.path);
        Ok((new, places))
    }
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> JournalError {
    let path = path.to_owned();
    JournalError::Disk { what, path, source }
}

/// Events of shoppers lie in it: only its owner may read them.
fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    sync_folder(path)?;
    Ok(file)
}

/// A new name is on the disk only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn write_entry(bytes: &mut Vec<u8>, entry: &JournalEntry) -> usize {
    let start = bytes.len();
    bytes.extend([0; HEADER_BYTES]);
    serde_json::to_writer(&mut *bytes, entry).expect("strings and numbers can be written as JSON");
    let length = bytes.len() - start - HEADER_BYTES;
    let header = header(&bytes[start + HEADER_BYTES..]);
    bytes[start..start + HEADER_BYTES].copy_from_slice(&header);
    length
}

fn header(json: &[u8]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..].copy_from_slice(&xxh3_64(json).to_le_bytes());
    header
}

fn parse(found: &[u8], json: &[u8]) -> Option<JournalEntry> {
    (found == header(json)).then(|| serde_json::from_slice(json).ok())?
}

/// Returns the bytes of the whole entries: reading ends at the first that is not.
fn read_entries(file: &File, mut found: impl FnMut(Place, JournalEntry)) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut offset = 0;
    loop {
        let mut header = [0; HEADER_BYTES];
        if !fills(&mut reader, &mut header)? {
            return Ok(offset);
        }
        let [a, b, c, d, ..] = header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > MAX_ENTRY_BYTES {
            return Ok(offset);
        }
        let mut json = vec![0; length];
        if !fills(&mut reader, &mut json)? {
            return Ok(offset);
        }
        let Some(entry) = parse(&header, &json) else {
            return Ok(offset);
        };
        let place = Place { offset, length };
        offset += place.bytes();
        found(place, entry);
    }
}

/// Whether there was enough to read.
fn fills(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(id: u64) -> JournalEntry {
        JournalEntry::Sent {
            id,
            queue: "events".to_owned(),
            at: 7,
            due: 7,
            format: "text".to_owned(),
            body: "Ym9keQ==".to_owned(),
        }
    }

    fn found(path: &Path) -> Vec<JournalEntry> {
        let mut all = Vec::new();
        Journal::open(path.to_owned(), |_, entry| all.push(entry)).expect("it opens");
        all
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder for the test")
    }

    #[test]
    fn entries_are_found_again_and_can_be_read_where_they_lie() {
        let folder = folder();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(path.clone(), |_, _| {}).expect("it is made");
        let places = journal.append(&[sent(1), sent(2)]).expect("room");
        let done = JournalEntry::Done { ids: vec![1] };
        journal.append(std::slice::from_ref(&done)).expect("room");
        assert_eq!(journal.read(places[1]).expect("it is there"), sent(2));
        drop(journal);
        assert_eq!(found(&path), [sent(1), sent(2), done]);
    }

    #[test]
    fn entry_that_was_cut_off_is_left_out_and_written_over() {
        let folder = folder();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(path.clone(), |_, _| {}).expect("it is made");
        journal.append(&[sent(1)]).expect("room");
        let whole = journal.length();
        journal.append(&[sent(2)]).expect("room");
        for cut in 1..(journal.length() - whole) {
            let file = OpenOptions::new().write(true).open(&path).expect("a file");
            file.set_len(whole + cut).expect("it can be cut");
            assert_eq!(found(&path), [sent(1)], "{cut} bytes of the second");
        }
        let mut journal = Journal::open(path.clone(), |_, _| {}).expect("it opens");
        journal.append(&[sent(3)]).expect("room");
        assert_eq!(found(&path), [sent(1), sent(3)]);
    }

    #[test]
    fn rewritten_journal_holds_what_it_was_given() {
        let folder = folder();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(path.clone(), |_, _| {}).expect("it is made");
        journal.append(&[sent(1), sent(2), sent(3)]).expect("room");
        let (mut journal, places) = journal.rewritten([Ok(sent(2))]).expect("room");
        assert_eq!(journal.read(places[0]).expect("it is there"), sent(2));
        journal.append(&[sent(4)]).expect("room");
        assert_eq!(found(&path), [sent(2), sent(4)]);
    }

    /// Set for the process that the test starts: the folder it writes to.
    const FULL: &str = "SHOPTRAIL_TEST_FULL_DISK";

    /// The test starts itself with a limit on the size of its files, which acts as a full disk does.
    #[test]
    fn full_disk_takes_a_batch_whole_or_not_at_all() {
        if let Some(path) = std::env::var_os(FULL) {
            let mut journal = Journal::open(path.into(), |_, _| {}).expect("it is made");
            let mut taken = 0_u64;
            while journal
                .append(&[sent(2 * taken), sent(2 * taken + 1)])
                .is_ok()
            {
                taken += 1;
            }
            println!("taken={taken}");
            // Room for a smaller one is used.
            let done = JournalEntry::Done { ids: Vec::new() };
            println!("smaller={}", journal.append(&[done]).is_ok());
            return;
        }
        let folder = folder();
        let path = folder.path().join("journal");
        let script = r#"trap '' XFSZ; ulimit -f 8; exec "$0" --exact --nocapture queue::journal::tests::full_disk_takes_a_batch_whole_or_not_at_all"#;
        let output = std::process::Command::new("sh")
            .args(["-c", script])
            .arg(std::env::current_exe().expect("the test knows its file"))
            .env(FULL, &path)
            .output()
            .expect("the test starts itself");
        let text = String::from_utf8_lossy(&output.stdout);
        let taken: u64 = text
            .split_once("taken=")
            .and_then(|(_, rest)| rest.lines().next()?.parse().ok())
            .unwrap_or_else(|| panic!("no count in {text}"));
        let entries = found(&path);
        let whole: Vec<_> = (0..2 * taken).map(sent).collect();
        assert!(taken > 0);
        assert_eq!(entries[..whole.len()], whole);
        assert!(
            entries[whole.len()..]
                .iter()
                .all(|entry| matches!(entry, JournalEntry::Done { .. }))
        );
    }
}
