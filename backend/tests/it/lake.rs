//! What only a lake has: files, versions, and others who write to the same tables.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use polars::prelude::*;
use shoptrail_backend::bronze;
use shoptrail_backend::build::Mode;
use shoptrail_backend::warehouse::lake::Lake;
use shoptrail_backend::warehouse::{
    Cursor, Landing, Offsets, Publication, Query, Warehouse, WarehouseError,
};

use super::readers::script;
use super::warehouse::landing::quarantined;
use super::warehouse::small::{BRONZE, change, gone, read, small, with_small};
use super::world::{
    TOPIC, TestLake, TestWarehouse, assert_same_tables, basis, bronze_since, build, land, landing,
    shuffled_world,
};

#[tokio::test(flavor = "multi_thread")]
async fn reader_of_an_older_publication_still_sees_it() {
    let (test, first) = with_small::<TestLake>().await;
    let changes = vec![change(gone(&[(1, "a", 1), (1, "b", 2)]), &[(1, "c", 9)])];
    test.lake
        .publish(&first, changes, basis("2"))
        .await
        .unwrap();
    let then = small(&[(1, "a", 1), (1, "b", 2), (2, "a", 3)]);
    assert!(read(&test.lake, &first, Query::all()).await.equals(&then));
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_publications_leave_a_short_log_and_the_last_one_readable() {
    // Past the versions at which a lake writes checkpoints and tidies.
    let (test, mut publication) = with_small::<TestLake>().await;
    let log = test.folder.path().join("silver_small/_delta_log");
    for amount in 0..205 {
        if amount == 150 {
            age(&log);
        }
        let changes = vec![change(gone(&[(2, "a", 0)]), &[(2, "a", amount)])];
        publication = test
            .lake
            .publish(&publication, changes, basis("1"))
            .await
            .unwrap();
    }
    let now = small(&[(1, "a", 1), (1, "b", 2), (2, "a", 204)]);
    assert!(
        read(test.restarted().await.as_ref(), &publication, Query::all())
            .await
            .equals(&now)
    );
    assert!(!log.join("00000000000000000005.json").exists());
    assert!(log.join("00000000000000000195.json").exists());
}

/// Makes every file of a folder as old as one that no reader needs any more.
fn age(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = File::options().write(true).open(entry.unwrap().path());
        file.unwrap().set_modified(two_days_ago()).unwrap();
    }
}

fn two_days_ago() -> SystemTime {
    SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_a_build_that_died_are_taken_back() {
    let (test, first) = with_small::<TestLake>().await;
    let changes = vec![change(gone(&[(1, "a", 1), (1, "b", 2)]), &[(1, "lost", 7)])];
    let second = test
        .lake
        .publish(&first, changes, basis("2"))
        .await
        .unwrap();
    // Killed after its tables were committed and before its publication stood.
    std::fs::remove_file(
        test.folder
            .path()
            .join("_published")
            .join(format!("{:012}.json", second.version)),
    )
    .unwrap();

    let lake = test.restarted().await;
    let now = lake.publication().await.unwrap();
    assert_eq!(now, first);
    assert!(
        read(lake.as_ref(), &now, Query::all())
            .await
            .equals(&small(&[(1, "a", 1), (1, "b", 2), (2, "a", 3)]))
    );
    let changes = vec![change(gone(&[(2, "a", 0)]), &[(2, "z", 4)])];
    let third = lake.publish(&now, changes, basis("2")).await.unwrap();
    assert!(
        read(lake.as_ref(), &third, Query::all())
            .await
            .equals(&small(&[(1, "a", 1), (1, "b", 2), (2, "z", 4)]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_brought_again_after_a_kill_enter_quarantine_once() {
    let test = TestLake::new().await;
    let mut first = landing(Offsets::new(), 0, &["good".to_owned()]);
    first.quarantine = quarantined(1);
    first.up_to = Offsets::from([(0, 1)]);
    test.lake.land(first).await.unwrap();
    // A lander killed between quarantine and bronze left bronze behind: play it by a second, empty bronze.
    std::fs::remove_dir_all(test.folder.path().join(bronze::EVENTS.name)).unwrap();
    let lake = test.restarted().await;
    lake.prepare(&[&bronze::EVENTS]).await.unwrap();
    let mut again = landing(Offsets::new(), 0, &["good".to_owned()]);
    again.quarantine = quarantined(1);
    again.up_to = Offsets::from([(0, 1)]);
    lake.land(again).await.unwrap();
    let publication = Publication::default();
    let quarantine = lake
        .read(&publication, &bronze::QUARANTINE, &Query::all())
        .await
        .unwrap();
    assert_eq!(quarantine.height(), 1);
    assert_eq!(
        bronze_since(lake.as_ref(), None).await.unwrap().0.height(),
        1
    );
}

/// Parquet files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("_delta_log") {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            found.push(path);
        }
    }
    found
}

fn offsets_of(rows: &DataFrame) -> Vec<i64> {
    let offsets = rows.column("_offset").unwrap().i64().unwrap();
    let mut offsets: Vec<i64> = offsets.iter().flatten().collect();
    offsets.sort_unstable();
    offsets
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_files_go_when_no_reader_can_need_them() {
    let (test, mut publication) = with_small::<TestLake>().await;
    let folder = test.folder.path().join("silver_small");
    let of_a_killed_build = folder.join("day=1970-01-02/part-killed.parquet");
    let of_a_running_build = folder.join("day=1970-01-02/part-running.parquet");
    fs::copy(&files(&folder)[0], &of_a_killed_build).unwrap();
    fs::copy(&files(&folder)[0], &of_a_running_build).unwrap();
    let killed = File::options().write(true).open(&of_a_killed_build);
    killed.unwrap().set_modified(two_days_ago()).unwrap();
    for amount in 0..101 {
        let changes = vec![change(gone(&[(2, "a", 0)]), &[(2, "a", amount)])];
        let published = test.lake.publish(&publication, changes, basis(""));
        publication = published.await.unwrap();
    }
    assert!(!of_a_killed_build.exists());
    assert!(of_a_running_build.exists());
    assert!(
        files(&folder).len() > 101,
        "what was replaced just now may have readers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_landings_leave_few_files_and_every_row_once() {
    let test = TestLake::with(&BRONZE).await;
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    for number in 0..230 {
        // A new process now and then.
        let lake = Lake::new(test.folder.path());
        let lake = if number % 50 == 0 { &lake } else { &test.lake };
        let after = match number {
            0 => Offsets::new(),
            _ => Offsets::from([(0, number - 1)]),
        };
        let record = format!("record {number}");
        // Other processes have landed since this one looked.
        lake.land(landing(after, number, &[record])).await.unwrap();
        if number % 7 == 0 {
            let (rows, here) = bronze_since(lake, cursor.as_ref()).await.unwrap();
            seen.extend(offsets_of(&rows));
            cursor = Some(here);
        }
    }
    let (rows, _) = bronze_since(&test.lake, cursor.as_ref()).await.unwrap();
    seen.extend(offsets_of(&rows));
    let every: Vec<i64> = (0..230).collect();
    assert_eq!(seen, every, "builds see each landing once, in order");
    let (rows, _) = bronze_since(&test.lake, None).await.unwrap();
    assert_eq!(offsets_of(&rows), every);
    let live = script("rewrite.py", &["count", &table(&test, "bronze_events")]);
    assert!(live.trim().parse::<usize>().unwrap() < 50, "{live}");
}

/// Another process with the same lake, as one that has been started by mistake.
fn other(test: &TestLake) -> Lake {
    Lake::new(test.folder.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_builds_that_publish_at_once_one_wins_and_its_rows_alone_are_published() {
    let (test, mut publication) = with_small::<TestLake>().await;
    let second = other(&test);
    let both = [(2, "left", 0), (2, "right", 0), (2, "a", 0)];
    for round in 0..20 {
        let rows = |name| vec![change(gone(&both), &[(2, name, round)])];
        let (left, right) = tokio::join!(
            test.lake.publish(&publication, rows("left"), basis("left")),
            second.publish(&publication, rows("right"), basis("right")),
        );
        let (won, name, lost) = match (left, right) {
            (Ok(won), Err(lost)) => (won, "left", lost),
            (Err(lost), Ok(won)) => (won, "right", lost),
            both => panic!("one of them wins: {both:?}"),
        };
        assert!(matches!(lost, WarehouseError::Behind { .. }), "{lost}");
        let now = read(&test.lake, &won, Query::all()).await;
        let wanted = small(&[(1, "a", 1), (1, "b", 2), (2, name, round)]);
        assert!(now.equals(&wanted), "{now}");
        publication = won;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn landers_of_two_topics_at_once_leave_no_landing_behind_a_builds_cursor() {
    let test = TestLake::with(&BRONZE).await;
    let second = other(&test);
    let (mut cursor, mut seen) = (None, 0);
    for number in 0..40 {
        let after = match number {
            0 => Offsets::new(),
            _ => Offsets::from([(0, number - 1)]),
        };
        let record = ["record".to_owned()];
        let mine = landing(after.clone(), number, &record);
        let theirs = Landing {
            topic: "another".to_owned(),
            ..landing(after, number, &record)
        };
        let (left, right, read) = tokio::join!(
            test.lake.land(mine),
            second.land(theirs),
            bronze_since(&test.lake, cursor.as_ref()),
        );
        left.unwrap();
        right.unwrap();
        let (rows, here) = read.unwrap();
        (seen, cursor) = (seen + rows.height(), Some(here));
    }
    let (rows, _) = bronze_since(&test.lake, cursor.as_ref()).await.unwrap();
    assert_eq!(seen + rows.height(), 80);
}

fn table(test: &TestLake, name: &str) -> String {
    test.folder.path().join(name).to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_rewritten_and_deleted_by_others_change_no_table() {
    let records = shuffled_world(4, 20);
    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;

    let test = TestLake::new().await;
    let parts: Vec<&[String]> = records.chunks(records.len().div_ceil(6)).collect();
    for (number, part) in parts.iter().enumerate() {
        land(&test.lake, part).await;
        let bronze = table(&test, "bronze_events");
        match number {
            // Before a build has read what landed, and after it.
            1 => drop(script("rewrite.py", &["compact", &bronze])),
            3 => drop(script("rewrite.py", &["order", &bronze, "_offset"])),
            4 => drop(script("rewrite.py", &["vacuum", &bronze])),
            _ => {}
        }
        if number != 3 {
            let read = build(&test.lake, Mode::Increment).await.bronze_rows;
            assert!(read <= 2 * part.len(), "only what is new is read: {read}");
        }
    }
    assert_same_tables(&test.lake, &whole.lake, "compacted by others").await;
    build(&test.lake, Mode::Rebuild).await;
    assert_same_tables(&test.lake, &whole.lake, "compacted by others, rebuilt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_of_an_older_version_is_refused_with_a_way_on() {
    let test = TestLake::with(&BRONZE).await;
    let refused = bronze_since(&test.lake, Some(&Cursor("17".to_owned()))).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("hint: `shoptrail build --rebuild`"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_of_every_partition_are_found_again() {
    let test = TestLake::with(&BRONZE).await;
    let mut after = Offsets::new();
    for up_to in [
        Offsets::from([(3, 8)]),
        Offsets::from([(3, 9), (64, 5), (1_000, 0)]),
    ] {
        let landing = Landing {
            after,
            up_to: up_to.clone(),
            ..landing(Offsets::new(), 0, &[])
        };
        test.lake.land(landing).await.unwrap();
        assert_eq!(test.restarted().await.offsets(TOPIC).await.unwrap(), up_to);
        after = up_to;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantine_holds_each_record_once_whatever_a_killed_lander_left() {
    let test = TestLake::new().await;
    let lands = async |lake: &dyn Warehouse, after: Offsets, quarantined_at: &[i64], last: i64| {
        let rows = quarantined_at
            .iter()
            .map(|offset| quarantined(*offset).lazy());
        let rows: Vec<LazyFrame> = rows.collect();
        let quarantine = if rows.is_empty() {
            bronze::QUARANTINE.empty()
        } else {
            concat(rows, UnionArgs::default())
                .unwrap()
                .collect()
                .unwrap()
        };
        let landing = Landing {
            after,
            quarantine,
            up_to: Offsets::from([(0, last)]),
            ..landing(Offsets::new(), 0, &[])
        };
        lake.land(landing).await.unwrap();
    };
    // Killed between quarantine, which holds offsets up to 9, and bronze, which holds none.
    lands(&test.lake, Offsets::new(), &[2, 7], 9).await;
    fs::remove_dir_all(test.folder.path().join(bronze::EVENTS.name)).unwrap();
    let lake = test.restarted().await;
    lake.prepare(&[&bronze::EVENTS]).await.unwrap();
    // The next lander's landings end elsewhere, and it is restarted once more.
    lands(lake.as_ref(), Offsets::new(), &[2], 4).await;
    let lake = test.restarted().await;
    lands(lake.as_ref(), Offsets::from([(0, 4)]), &[7], 8).await;
    lands(lake.as_ref(), Offsets::from([(0, 8)]), &[11], 12).await;
    let now = Publication::default();
    let rows = lake
        .read(&now, &bronze::QUARANTINE, &Query::all())
        .await
        .unwrap();
    assert_eq!(offsets_of(&rows), [2, 7, 11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn landers_and_builds_that_start_together_make_each_table_once() {
    let folder = tempfile::tempdir().unwrap();
    let lakes: Vec<Lake> = (0..8).map(|_| Lake::new(folder.path())).collect();
    let prepared = lakes.iter().map(|lake| lake.prepare(&BRONZE));
    for prepared in futures_util::future::join_all(prepared).await {
        prepared.unwrap();
    }
    land(&lakes[0], &["record".to_owned()]).await;
    assert_eq!(bronze_since(&lakes[7], None).await.unwrap().0.height(), 1);
}
