//! The rows of a rebuild, dealt to parts: files on this machine, each part small enough for memory.
//!
//! A rebuild owns a folder by a lock on a file in it. One that was killed leaves its folder unlocked; the next takes it away.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polars::prelude::*;

use crate::warehouse::{WarehouseError, parquet};

const LOCK: &str = "lock";

/// A rebuild has locked its folder within this time.
const YOUNG: Duration = Duration::from_secs(60);

/// The parts, and the folder they lie in.
pub(super) struct Parts {
    folder: PathBuf,
    /// Locked as long as this is used.
    _lock: File,
    files: BTreeMap<usize, Vec<PathBuf>>,
    /// How many files have been written.
    written: usize,
}

impl Parts {
    /// Makes a folder within `parent`, and takes away those of rebuilds that were killed.
    ///
    /// # Errors
    /// Returns an error if the file system refuses.
    pub(super) fn make(parent: &Path) -> Result<Self, WarehouseError> {
        remove_abandoned(parent).map_err(|source| io_error(parent, source))?;
        let folder = parent.join(uuid::Uuid::new_v4().to_string());
        let lock = fs::create_dir_all(&folder).and_then(|()| File::create(folder.join(LOCK)));
        let lock = lock.map_err(|source| io_error(&folder, source))?;
        lock.lock().map_err(|source| io_error(&folder, source))?;
        Ok(Self {
            folder,
            _lock: lock,
            files: BTreeMap::new(),
            written: 0,
        })
    }

    /// The folder, which goes with the parts.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds rows to a part.
    ///
    /// # Errors
    /// Returns an error if they cannot be written.
    pub(super) fn add(&mut self, part: usize, rows: &DataFrame) -> Result<(), WarehouseError> {
        let path = self
            .folder
            .join(format!("part-{part}-{}.parquet", self.written));
        self.written += 1;
        let file = File::create_new(&path).map_err(|source| io_error(&path, source))?;
        parquet::write(&file, rows).map_err(|source| WarehouseError::Data {
            what: path.display().to_string(),
            source,
        })?;
        self.files.entry(part).or_default().push(path);
        Ok(())
    }

    /// The rows of a part, not read yet; `None` if it has none.
    ///
    /// # Errors
    /// Returns an error if its files cannot be opened.
    pub(super) fn rows(&self, part: usize) -> PolarsResult<Option<LazyFrame>> {
        let Some(paths) = self.files.get(&part) else {
            return Ok(None);
        };
        let paths = paths
            .iter()
            .map(|path| PlRefPath::new(path.to_string_lossy()));
        let args = UnifiedScanArgs {
            // A folder's name may hold what a pattern would be made of.
            glob: false,
            ..UnifiedScanArgs::default()
        };
        let sources = ScanSources::Paths(paths.collect());
        let rows = DslBuilder::scan_parquet(sources, ParquetOptions::default(), args)?.build();
        Ok(Some(rows.into()))
    }

    /// Removes the rows of a part, which nothing needs any more.
    pub(super) fn remove(&mut self, part: usize) {
        for path in self.files.remove(&part).into_iter().flatten() {
            // What stays goes with the folder.
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "files of a rebuild stay until the next one");
        }
    }
}

/// Removes folders that nobody holds the lock of. One that is young may not be locked yet.
fn remove_abandoned(parent: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        let lock = File::open(entry.path().join(LOCK));
        if age > YOUNG && lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn io_error(path: &Path, source: io::Error) -> WarehouseError {
    WarehouseError::Io {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn folder_goes_with_its_rebuild_and_that_of_a_killed_one_with_the_next() {
        let lake = tempfile::tempdir().unwrap();
        let parent = lake.path().join("_rebuild");
        let old = |folder: &Path| {
            let an_hour_ago = SystemTime::now() - Duration::from_secs(60 * 60);
            let folder = File::open(folder).unwrap();
            folder.set_modified(an_hour_ago).unwrap();
        };
        let killed = parent.join("killed");
        fs::create_dir_all(&killed).unwrap();
        File::create(killed.join(LOCK)).unwrap();
        let running = Parts::make(&parent).unwrap();
        assert!(killed.exists(), "it may be about to be locked");
        old(&killed);
        old(running.folder());
        let other = Parts::make(&parent).unwrap();
        assert!(!killed.exists());
        assert!(running.folder().exists(), "it holds its lock");
        let folder = other.folder().to_path_buf();
        drop(other);
        assert!(!folder.exists());
    }

    #[test]
    fn part_has_the_rows_that_were_added_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut parts = Parts::make(&folder.path().join("[odd] name")).unwrap();
        let rows = |numbers: &[i64]| df!("number" => numbers).unwrap();
        parts.add(1, &rows(&[1, 2])).unwrap();
        parts.add(2, &rows(&[9])).unwrap();
        parts.add(1, &rows(&[3])).unwrap();
        let read = |parts: &Parts| Some(parts.rows(1).unwrap()?.collect().unwrap());
        assert_eq!(read(&parts), Some(rows(&[1, 2, 3])));
        parts.remove(1);
        assert_eq!(read(&parts), None);
    }
}
