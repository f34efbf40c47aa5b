//! Which small files to merge: landings write what has come, however little, and readers want few files.
//!
//! Files are merged by size, up to sixteen of a size into one of the next, so that a row is written again only a few times.
//! Fewer make a full file where they are larger: a merge holds all its rows in memory. The newest files of each size are
//! left alone: a build that has not read them yet reads them as small as they are.

use deltalake_core::kernel::Add;

use super::statistics::Bounds;
use crate::bronze::LANDED_AT;

/// Files that are merged into one.
const MERGED: usize = 16;
/// The newest files of a size, which stay.
const LEFT_ALONE: usize = 4;
/// A file of this size or more stays as it is: reading a few rows of it should not cost more than this.
pub(super) const FULL_BYTES: i64 = 32 * 1024 * 1024;
/// The sizes: below an eighth of a mebibyte, sixteen times that, and up to full.
const SIZES: [i64; 3] = [FULL_BYTES / 256, FULL_BYTES / 16, FULL_BYTES];

/// Returns the files to merge next, in the order of landing; none while there are few of each size.
pub(super) fn plan(files: impl IntoIterator<Item = Add>) -> Vec<Add> {
    let mut by_size: [Vec<Add>; SIZES.len()] = Default::default();
    for file in files {
        if let Some(size) = SIZES.iter().position(|below| file.size < *below)
            && let Some(files) = by_size.get_mut(size)
        {
            files.push(file);
        }
    }
    let crowded = by_size
        .into_iter()
        .find(|files| files.len() >= MERGED + LEFT_ALONE);
    let mut files = crowded.unwrap_or_default();
    files.sort_by_cached_key(|file| {
        let bounds = Bounds::read(file.stats.as_deref());
        (bounds.latest(LANDED_AT), file.modification_time)
    });
    let mut size = 0;
    let is_room = |file: &Add| {
        let has_room = size < FULL_BYTES;
        size += file.size;
        has_room
    };
    files.into_iter().take(MERGED).take_while(is_room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: i64, size: i64) -> Add {
        Add {
            path: number.to_string(),
            size,
            modification_time: number,
            ..Add::default()
        }
    }

    /// Lands as many files of one size, merging after each; returns how many files there are and the bytes written again.
    fn land(landings: i64, size: i64) -> (usize, i64) {
        let mut files: Vec<Add> = Vec::new();
        let mut rewritten = 0;
        for number in 0..landings {
            files.push(file(number, size));
            let merged = plan(files.iter().cloned());
            if let Some(last) = merged.last() {
                let size = merged.iter().map(|file| file.size).sum();
                rewritten += size;
                let path = last.path.clone();
                files.retain(|file| merged.iter().all(|other| other.path != file.path));
                files.push(file_at(&path, size));
            }
        }
        (files.len(), rewritten)
    }

    fn file_at(path: &str, size: i64) -> Add {
        file(path.parse().unwrap(), size)
    }

    #[test]
    fn few_files_stay_however_many_landings_there_were() {
        let (files, rewritten) = land(100_000, 20_000);
        // 2 GB: some 60 full files, and up to twenty of each size below.
        assert!(files < 140, "{files}");
        assert!(rewritten <= 4 * 100_000 * 20_000, "{rewritten}");
    }

    #[test]
    fn newest_files_are_left_alone() {
        assert!(plan((0..19).map(|number| file(number, 1_000))).is_empty());
        let merged = plan((0..20).rev().map(|number| file(number, 1_000)));
        let paths: Vec<String> = merged.into_iter().map(|file| file.path).collect();
        let oldest: Vec<String> = (0..16).map(|number| number.to_string()).collect();
        assert_eq!(paths, oldest);
    }

    #[test]
    fn merge_ends_where_the_file_is_full() {
        let size = FULL_BYTES / 3;
        assert_eq!(plan((0..20).map(|number| file(number, size))).len(), 4);
        let (files, rewritten) = land(1_000, size);
        assert!(files <= 1_000 / 4 + 20, "{files}");
        assert!(rewritten <= 1_000 * size, "{rewritten}");
    }

    #[test]
    fn full_files_are_never_written_again() {
        assert!(plan((0..100).map(|number| file(number, FULL_BYTES))).is_empty());
    }
}
