//! Turns: landers take turns, and so do builds. Who changes tables holds a lock of the file system meanwhile, which ends with
//! the process however that ends.
//!
//! The format alone is not enough: it lets two writers commit at once if both only add files, and then each of two builds
//! would publish the rows of both, and a landing could get an earlier time than one that a build has already read.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::super::WarehouseError;

const LOOK: Duration = Duration::from_millis(20);

/// A lander's or a build's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _locked: File,
}

/// Waits until no other lander commits.
///
/// # Errors
/// Returns an error if the lake's folder cannot be written or its file system has no locks.
pub(super) async fn landing(root: &Path) -> Result<Turn, WarehouseError> {
    turn(root, "_landing.lock").await
}

/// Waits until no other build publishes.
///
/// # Errors
/// Returns an error as [`landing`] does.
pub(super) async fn publishing(root: &Path) -> Result<Turn, WarehouseError> {
    turn(root, "_publishing.lock").await
}

async fn turn(root: &Path, name: &str) -> Result<Turn, WarehouseError> {
    let path = root.join(name);
    let io_error = |source| WarehouseError::Io {
        path: path.display().to_string(),
        source,
    };
    let file = fs::create_dir_all(root)
        .and_then(|()| File::create(&path))
        .map_err(io_error)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Turn { _locked: file }),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
            Err(TryLockError::Error(source)) => return Err(io_error(source)),
        }
    }
}
