//! Golden cases (`tests/golden`): a folder with `input.jsonl` (one record a line) and one CSV per table it is about. Each
//! case holds alone on the lake. All of them together give the same tables record by record, with every build killed before its
//! publication stood and then run again, and on BigQuery.
//!
//! To add a case, add a folder. `SHOPTRAIL_GOLDEN=write` writes the CSVs of tables that have one; read the difference.

use std::fs;
use std::path::{Path, PathBuf};

use shoptrail_backend::build::Mode;
use shoptrail_backend::show::{self, Format, ShowArgs};
use shoptrail_backend::warehouse::Warehouse;

use super::world::{TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land};

#[tokio::test(flavor = "multi_thread")]
async fn golden_cases_hold() {
    for (case, records) in cases() {
        let all = whole::<TestLake>(&records).await;
        compare(&case, all.warehouse()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_cases_give_the_same_tables_however_their_records_arrive() {
    let cases: Vec<Vec<String>> = cases().into_iter().map(|(_, records)| records).collect();
    let lake = whole::<TestLake>(&cases.concat()).await;
    let lake = lake.warehouse();
    let one_by_one = one_by_one(&cases).await;
    assert_same_tables(&one_by_one.lake, lake, "record by record").await;
    let with_kills = with_kills(&cases.concat()).await;
    assert_same_tables(&with_kills.lake, lake, "with kills").await;
    let bigquery = whole::<TestBigQuery>(&cases.concat()).await;
    assert_same_tables(bigquery.warehouse(), lake, "on BigQuery").await;
}

/// Whether the CSVs are written; they are compared in the next run.
fn is_writing() -> bool {
    std::env::var_os("SHOPTRAIL_GOLDEN").is_some_and(|value| value == "write")
}

/// The folders of all cases, and their records.
fn cases() -> Vec<(PathBuf, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let with_records = |case: PathBuf| {
        let input = fs::read_to_string(case.join("input.jsonl")).unwrap();
        (case, input.lines().map(str::to_owned).collect())
    };
    cases.into_iter().map(with_records).collect()
}

async fn whole<W: TestWarehouse>(records: &[String]) -> W {
    let test = W::new().await;
    land(test.warehouse(), records).await;
    build(test.warehouse(), Mode::Increment).await;
    test
}

/// Lands the first record of each case and builds, then the second of each, and so on.
async fn one_by_one(cases: &[Vec<String>]) -> TestLake {
    let test = TestLake::new().await;
    let longest = cases.iter().map(Vec::len).max().unwrap();
    for number in 0..longest {
        let records = cases.iter().filter_map(|case| case.get(number));
        land(&test.lake, &records.cloned().collect::<Vec<_>>()).await;
        build(&test.lake, Mode::Increment).await;
    }
    test
}

async fn with_kills(records: &[String]) -> TestLake {
    let test = TestLake::new().await;
    for part in records.chunks(records.len().div_ceil(2)) {
        land(&test.lake, part).await;
        let version = build(test.restarted().await.as_ref(), Mode::Increment)
            .await
            .publication;
        fs::remove_file(
            test.folder
                .path()
                .join("_published")
                .join(format!("{version:012}.json")),
        )
        .unwrap();
        build(test.restarted().await.as_ref(), Mode::Increment).await;
    }
    test
}

async fn compare(case: &Path, lake: &dyn Warehouse) {
    let mut compared = 0;
    for file in fs::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if file.extension().is_some_and(|extension| extension == "csv") {
            let table = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut made = Vec::new();
            show::run(&ShowArgs::all(&table, Format::Csv), lake, &mut made)
                .await
                .unwrap();
            if is_writing() {
                fs::write(&file, &made).unwrap();
            }
            let made = String::from_utf8(made).unwrap();
            let expected = fs::read_to_string(&file).unwrap();
            assert!(
                made == expected,
                "{}:\n{}",
                file.display(),
                difference(&expected, &made)
            );
            compared += 1;
        }
    }
    assert!(compared > 0, "{} has no expected table", case.display());
}

/// The lines that only one of two texts has.
fn difference(expected: &str, made: &str) -> String {
    let only = |sign: char, left: &str, right: &str| {
        left.lines()
            .filter(|line| !right.lines().any(|other| other == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    only('-', expected, made) + &only('+', made, expected)
}
