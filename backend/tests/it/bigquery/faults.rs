//! Bad days: each ends in a sentence and an exit code of its own, and the next run is right.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use shoptrail_backend::build::Mode;
use shoptrail_backend::warehouse::bigquery::{Class, Settings};
use shoptrail_backend::warehouse::{Publication, Replaces, Warehouse, WarehouseError};

use super::super::warehouse::small::{SMALL, change};
use super::super::world::{
    TestBigQuery, TestLake, TestWarehouse, assert_same_tables, basis, build, land, shuffled_world,
};
use super::proxy::{ALWAYS, Effect, Fault, Proxy, fault, refusal};
use super::server::{DATASET, PROJECT, Server, connect};

/// What the body of a commit contains, and of no other call.
const COMMIT: &str = "BEGIN TRANSACTION";

/// Runs the command as a scheduler does.
fn shoptrail(rest: Option<&str>, arguments: &[&str], credentials: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
    command
        .args(arguments)
        .env("GOOGLE_APPLICATION_CREDENTIALS", credentials)
        .env("SHOPTRAIL_LOG", "error");
    for variable in [
        "SHOPTRAIL_BIGQUERY_ENDPOINT",
        "SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT",
    ] {
        command.env_remove(variable);
    }
    if let Some(rest) = rest {
        // Nothing is listening there: only bulk reads would go to it.
        command.args([
            "--bigquery-endpoint",
            rest,
            "--bigquery-grpc-endpoint",
            rest,
        ]);
    }
    command.output().unwrap()
}

/// A dataset, the way to it through a proxy, and a lake that gets the same events.
struct Shop {
    proxy: Proxy,
    bigquery: TestBigQuery,
    lake: TestLake,
    records: Vec<String>,
}

impl Shop {
    async fn open() -> Self {
        let (bigquery, lake) = (TestBigQuery::new().await, TestLake::new().await);
        let proxy = Proxy::start(&bigquery.server).await;
        Self {
            proxy,
            bigquery,
            lake,
            records: shuffled_world(5, 40),
        }
    }

    /// Something to build, in both warehouses.
    async fn sell(&mut self) {
        let sold = self.records.split_off(self.records.len() - 5);
        land(self.bigquery.warehouse(), &sold).await;
        land(self.lake.warehouse(), &sold).await;
        build(self.lake.warehouse(), Mode::Increment).await;
    }

    /// `shoptrail build` through the proxy.
    async fn build(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
        let address = format!("bigquery://{PROJECT}/{DATASET}");
        command.args([
            "build",
            "--time-zone",
            "Europe/Berlin",
            "--retry-seconds",
            "3",
            "--warehouse",
            &address,
        ]);
        command.args(["--bigquery-endpoint", self.proxy.rest.as_str()]);
        command
            .args([
                "--bigquery-grpc-endpoint",
                self.bigquery.server.grpc.as_str(),
            ])
            .env("SHOPTRAIL_LOG", "error");
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// A day whose run fails: it ends in an exit code and a sentence, and has published nothing.
    async fn bad_day(&self, name: &str, faults: Vec<Fault>, code: i32, sentence: &str) {
        let before = self.bigquery.bigquery.publication().await.unwrap().version;
        let said = self.failing_day(name, faults, code).await;
        assert!(said.contains(sentence), "{name}: {said}");
        assert_eq!(
            self.bigquery.bigquery.publication().await.unwrap().version,
            before,
            "{name}"
        );
    }

    async fn failing_day(&self, name: &str, faults: Vec<Fault>, code: i32) -> String {
        self.proxy.play(faults);
        let output = self.build().await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        assert!(said.contains("hint: "), "{name}: {said}");
        assert!(
            self.proxy.left().is_empty(),
            "{name}: {:?} struck nothing",
            self.proxy.left()
        );
        self.bigquery.server.idle().await;
        said
    }

    /// A run that succeeds, after which every row is right.
    async fn good_day(&self, name: &str, faults: Vec<Fault>) {
        self.proxy.play(faults);
        let output = self.build().await;
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            self.proxy.left().is_empty(),
            "{name}: {:?} struck nothing",
            self.proxy.left()
        );
        assert_same_tables(self.bigquery.warehouse(), self.lake.warehouse(), name).await;
    }
}

const LOOK_UP: [&str; 2] = ["GET", "/datasets/clicks"];
const SUBMIT: [&str; 3] = ["POST", "/bigquery/v2/", "/jobs"];
const LOOK_AT_LOAD: [&str; 2] = ["GET", "/jobs/shoptrail_load_"];
const UPLOAD: [&str; 2] = ["PUT", "/upload/"];

/// The answer for a job that has ended in an error.
fn ended(reason: &str) -> Effect {
    let error =
        json!({"reason": reason, "message": "The job encountered an error during execution."});
    Effect::Replace(json!({"status": {"state": "DONE", "errorResult": error}}))
}

#[tokio::test(flavor = "multi_thread")]
async fn run_that_fails_says_why_and_the_next_one_is_right() {
    let mut shop = Shop::open().await;
    shop.sell().await;

    let expired = "Request had invalid authentication credentials.";
    let faults = vec![fault(&SUBMIT, ALWAYS, refusal(401, "authError", expired))];
    shop.bad_day("credentials expired", faults, 10, expired)
        .await;
    let denied = "Access Denied: Dataset: User does not have permission to get it.";
    shop.bad_day(
        "dataset denied",
        vec![fault(&LOOK_UP, 1, refusal(403, "accessDenied", denied))],
        12,
        denied,
    )
    .await;
    let denied = "User does not have bigquery.jobs.create permission in project";
    shop.bad_day(
        "jobs denied",
        vec![fault(&SUBMIT, 1, refusal(403, "accessDenied", denied))],
        12,
        denied,
    )
    .await;
    let quota = "Quota exceeded: Your project exceeded quota for imports per project";
    let faults = vec![fault(
        &["/upload/"],
        ALWAYS,
        refusal(403, "quotaExceeded", quota),
    )];
    shop.bad_day("quota exceeded", faults, 13, "(tried for ")
        .await;
    let costly = "Query exceeded limit for bytes billed: 1. 10485760 or higher required.";
    let limited = [COMMIT, r#""maximumBytesBilled":"#];
    let faults = vec![fault(
        &limited,
        1,
        refusal(400, "bytesBilledLimitExceeded", costly),
    )];
    shop.bad_day("too costly", faults, 18, costly).await;
    // The load of the day before is found under its id, and is submitted once more.
    let faults = vec![fault(&LOOK_AT_LOAD, 2, ended("invalid"))];
    shop.bad_day("load failed for good", faults, 15, "The job encountered")
        .await;
    shop.good_day("after days that published nothing", Vec::new())
        .await;

    // The server goes away with the commit: that job cannot be looked at, nor what became of it. The marker was read once
    // before, when the run began.
    let away_from_commit_on = |effect| {
        let looks = Fault {
            skip: 1,
            ..fault(
                &["shoptrail_marker_", "_shoptrail_publication"],
                ALWAYS,
                Effect::Break,
            )
        };
        vec![
            fault(&[COMMIT], 1, effect),
            fault(&["shoptrail_build_"], ALWAYS, Effect::Break),
            looks,
        ]
    };
    for (name, effect) in [
        ("away before the commit", Effect::Break),
        ("away after the commit", Effect::LoseAnswer),
    ] {
        shop.sell().await;
        shop.failing_day(name, away_from_commit_on(effect), 16)
            .await;
        shop.good_day(&format!("after: {name}"), Vec::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_what_gets_lost_is_found() {
    let mut shop = Shop::open().await;
    shop.sell().await;
    let limit = refusal(
        403,
        "rateLimitExceeded",
        "Exceeded rate limits: too many api requests",
    );
    let outage = refusal(
        503,
        "backendError",
        "Error encountered during execution. Retrying may solve the problem.",
    );
    let gone = || refusal(404, "notFound", "Not found: Job");
    let faults = vec![
        fault(&LOOK_UP, 1, limit),
        fault(&SUBMIT, 2, outage),
        // One after another, as uploads and loads come.
        fault(&UPLOAD, 1, Effect::Break),
        fault(&UPLOAD, 1, Effect::LoseAnswer),
        fault(&UPLOAD, 1, gone()),
        fault(&LOOK_AT_LOAD, 1, ended("jobBackendError")),
        fault(&LOOK_AT_LOAD, 1, gone()),
        fault(&[COMMIT], 1, Effect::LoseAnswer),
    ];
    shop.good_day("a day of everything that passes", faults)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_table_stops_the_run_until_it_is_rebuilt() {
    let mut shop = Shop::open().await;
    shop.sell().await;
    assert!(shop.build().await.status.success());
    let marker = format!("`{PROJECT}.{DATASET}._shoptrail_publication`");
    let twice = format!("INSERT {marker} SELECT 99, state, changed_at FROM {marker}");
    shop.bigquery.server.sql(&twice).await;
    let output = shop.build().await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("it has 2 rows, not one"), "{said}");
    let once = format!("DELETE FROM {marker} WHERE version = 99");
    shop.bigquery.server.sql(&once).await;

    let table = format!("`{PROJECT}.{DATASET}.gold_daily_kpis`");
    shop.bigquery
        .server
        .sql(&format!("ALTER TABLE {table} DROP COLUMN orders"))
        .await;
    shop.sell().await;
    let output = shop.build().await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(14), "{said}");
    assert!(
        said.contains("table `gold_daily_kpis`: column `orders` is missing, expected INT64"),
        "{said}"
    );

    shop.bigquery
        .server
        .sql(&format!("DROP TABLE {table}"))
        .await;
    let restarted = shop.bigquery.restarted().await;
    restarted
        .prepare(&shoptrail_backend::build::tables())
        .await
        .unwrap();
    build(restarted.as_ref(), Mode::Rebuild).await;
    assert_same_tables(restarted.as_ref(), shop.lake.warehouse(), "rebuilt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_wrong_places_and_credentials_are_named() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    std::fs::write(
        &file,
        r#"{"type": "service_account", "private_key": "secret-that-no-log-may-show"}"#,
    )
    .unwrap();
    let wrong = file.to_str().unwrap();
    let address = format!("bigquery://{PROJECT}/{DATASET}");
    let build = |address: &str, rest: Option<&str>, credentials: &str| {
        let output = shoptrail(
            rest,
            &["build", "--retry-seconds", "1", "--warehouse", address],
            credentials,
        );
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };

    let (code, said) = build(&address, None, "/no/such/file.json");
    assert!(
        code == Some(10) && said.contains("/no/such/file.json"),
        "{said}"
    );
    let (code, said) = build(&address, None, wrong);
    assert!(
        code == Some(10) && !said.contains("secret-that-no-log-may-show"),
        "{said}"
    );

    let rest = Some(server.rest.as_str());
    let (code, said) = build(
        &format!("bigquery://{PROJECT}/no_such_dataset"),
        rest,
        wrong,
    );
    assert!(
        code == Some(11) && said.contains("no_such_dataset"),
        "{said}"
    );
    let (code, said) = build("bigquery://no-such-project/any", rest, wrong);
    assert!(
        code == Some(11) && said.contains("no-such-project"),
        "{said}"
    );
    let (code, said) = build(&address, Some("http://127.0.0.1:1/"), wrong);
    assert!(code == Some(16) && said.contains("(tried for "), "{said}");
    let (code, said) = build("bigquery://only-a-project", rest, wrong);
    assert!(
        code == Some(2) && said.contains("bigquery://PROJECT/DATASET"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn read_that_would_scan_too_much_is_refused_before_it_does() {
    let test = TestBigQuery::with(&[&SMALL]).await;
    let changes = vec![change(Replaces::All, &[(1, "a", 1)])];
    let published = test
        .bigquery
        .publish(&Publication::default(), changes, basis(""))
        .await
        .unwrap();
    let frugal = connect(Settings {
        max_bytes_billed: 1,
        ..test.settings.clone()
    })
    .await;
    let refused = frugal
        .read(&published, &SMALL, &Default::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, WarehouseError::BigQuery(error) if error.class == Class::TooCostly),
        "{refused}"
    );
    assert_eq!(frugal.traffic().bytes_read, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn job_that_never_ends_is_given_up() {
    let test = TestBigQuery::with(&[&SMALL]).await;
    let proxy = Proxy::start(&test.server).await;
    let impatient = connect(Settings {
        job_for: Duration::ZERO,
        ..test.server.settings(&proxy.rest)
    })
    .await;
    let running = Effect::Replace(json!({"status": {"state": "RUNNING"}}));
    proxy.play(vec![fault(&["GET", "/jobs/"], ALWAYS, running)]);
    let changes = vec![change(Replaces::All, &[(1, "a", 1)])];
    let given_up = impatient
        .publish(&Publication::default(), changes, basis(""))
        .await
        .unwrap_err();
    assert!(
        given_up.to_string().contains("has not ended in 0 minutes"),
        "{given_up}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_and_show_make_nothing() {
    let server = Server::start().await;
    let address = format!("bigquery://{PROJECT}/{DATASET}");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
        command.args(arguments).args([
            "--warehouse",
            &address,
            "--bigquery-endpoint",
            server.rest.as_str(),
        ]);
        command
            .args(["--bigquery-grpc-endpoint", server.grpc.as_str()])
            .output()
            .unwrap()
    };
    let output = run(&["build", "--dry-run"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let forecast: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        forecast,
        json!({"bronze_rows": 0, "bytes_read": 0, "bytes_to_write": 0, "changes": []})
    );
    assert!(run(&["show", "gold_daily_kpis"]).status.success());
    let url = format!(
        "{}bigquery/v2/projects/{PROJECT}/datasets/{DATASET}/tables",
        server.rest
    );
    let tables: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(tables["totalItems"].as_i64().unwrap_or(0), 0, "{tables}");
}
