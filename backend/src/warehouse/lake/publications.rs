//! Publications on disk: `_published/<version>.json`, made whole or not at all, never changed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::{Publication, WarehouseError};
use super::files::{io_error, make_folder, sync_folder};

/// How many old publications stay for readers that are still at them.
const KEPT: u64 = 20;

/// The newest publication under `root`; the empty one when there is none.
pub(super) fn newest(root: &Path) -> Result<Publication, WarehouseError> {
    let folder = root.join("_published");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Publication::default()),
        other => other.map_err(|source| io_error(&folder, source))?,
    };
    let newest = entries
        .filter_map(|entry| version_of(&entry.ok()?.path()))
        .max();
    let Some(version) = newest else {
        return Ok(Publication::default());
    };
    let path = path_of(&folder, version);
    let text = fs::read(&path).map_err(|source| io_error(&path, source))?;
    serde_json::from_slice(&text).map_err(|error| WarehouseError::Corrupt {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Removes all publications but the newest, and returns it.
pub(super) fn keep_newest(root: &Path) -> Result<Publication, WarehouseError> {
    let newest = newest(root)?;
    let folder = root.join("_published");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(newest),
        other => other.map_err(|source| io_error(&folder, source))?,
    };
    for entry in entries {
        let path = entry.map_err(|source| io_error(&folder, source))?.path();
        if version_of(&path).is_some_and(|version| version < newest.version) {
            fs::remove_file(&path).map_err(|source| io_error(&path, source))?;
        }
    }
    Ok(newest)
}

/// Writes a publication; fails when its version exists already.
pub(super) fn write(root: &Path, publication: &Publication) -> Result<(), WarehouseError> {
    let folder = root.join("_published");
    make_folder(&folder).map_err(|source| io_error(&folder, source))?;
    let draft = folder.join(format!("{}.draft", uuid::Uuid::new_v4()));
    let text = serde_json::to_vec_pretty(publication).map_err(|error| WarehouseError::Corrupt {
        path: draft.display().to_string(),
        reason: error.to_string(),
    })?;
    let written = File::create_new(&draft).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(|source| io_error(&draft, source))?;
    // A hard link appears with its whole content and fails when the name is taken: the compare-and-set of this format.
    let linked = fs::hard_link(&draft, path_of(&folder, publication.version));
    fs::remove_file(&draft).map_err(|source| io_error(&draft, source))?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(WarehouseError::Behind {
            writer: "build",
            what: "the published tables".to_owned(),
        }),
        other => other.map_err(|source| io_error(&folder, source)),
    }?;
    sync_folder(&folder).map_err(|source| io_error(&folder, source))?;
    remove_old(&folder, publication.version.saturating_sub(KEPT));
    Ok(())
}

/// Removes one publication per new one; a failure only leaves a small file.
fn remove_old(folder: &Path, version: u64) {
    match fs::remove_file(path_of(folder, version)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, version, "old publication not removed");
        }
        _ => {}
    }
}

fn path_of(folder: &Path, version: u64) -> PathBuf {
    folder.join(format!("{version:012}.json"))
}

fn version_of(path: &Path) -> Option<u64> {
    (path.extension()? == "json").then(|| path.file_stem()?.to_str()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_publication_is_the_last_written() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(newest(root.path()).unwrap(), Publication::default());
        for version in 1..=30 {
            write(
                root.path(),
                &Publication {
                    version,
                    ..Publication::default()
                },
            )
            .unwrap();
        }
        assert_eq!(newest(root.path()).unwrap().version, 30);
        let left = fs::read_dir(root.path().join("_published"))
            .unwrap()
            .count();
        assert_eq!(left as u64, KEPT);
    }

    #[test]
    fn version_is_taken_only_once() {
        let root = tempfile::tempdir().unwrap();
        let first = Publication {
            version: 1,
            published_at: 1,
            ..Publication::default()
        };
        write(root.path(), &first).unwrap();
        let second = Publication {
            published_at: 2,
            ..first.clone()
        };
        assert!(matches!(
            write(root.path(), &second),
            Err(WarehouseError::Behind { .. })
        ));
        assert_eq!(newest(root.path()).unwrap(), first);
    }
}
