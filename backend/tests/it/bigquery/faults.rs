//! Bad days: each ends in a sentence and an exit code of its own, and the next run is right.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use shoptrail_backend::build::Mode;
use shoptrail_backend::warehouse::bigquery::Settings;
use shoptrail_backend::warehouse::{Offsets, Publication, Warehouse};

use super::super::warehouse::{BRONZE, SMALL, change, small};
use super::super::world::{
    TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land, landing, shuffled_world,
};
use super::proxy::{Effect, Fault, Proxy, refusal};
use super::server::{PROJECT, connect, server};

const ALWAYS: usize = usize::MAX;
/// What the body of a commit contains, and of no other call.
const COMMIT: &str = "BEGIN TRANSACTION";

fn fault(on: &[&str], times: usize, effect: Effect) -> Fault {
    Fault { on: on.iter().map(|part| (*part).to_owned()).collect(), skip: 0, times, effect }
}

/// Runs the command as a scheduler does.
fn shoptrail(rest: Option<&str>, arguments: &[&str], credentials: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
    command.args(arguments).env("GOOGLE_APPLICATION_CREDENTIALS", credentials).env("SHOPTRAIL_LOG", "error");
    for variable in ["SHOPTRAIL_BIGQUERY_ENDPOINT", "SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT"] {
        command.env_remove(variable);
    }
    if let Some(rest) = rest {
        // Nothing is listening there: only bulk reads would go to it.
        command.args(["--bigquery-endpoint", rest, "--bigquery-grpc-endpoint", rest]);
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
        let proxy = Proxy::start(server().await).await;
        let records = shuffled_world(5, 40);
        Self { proxy, bigquery: TestBigQuery::new().await, lake: TestLake::new().await, records }
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
        let server = server().await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
        let address = format!("bigquery://{PROJECT}/{}", self.bigquery.settings.dataset);
        command.args(["build", "--time-zone", "Europe/Berlin", "--retry-seconds", "3", "--warehouse", &address]);
        command.args(["--bigquery-endpoint", self.proxy.rest.as_str()]);
        command.args(["--bigquery-grpc-endpoint", server.grpc.as_str()]).env("SHOPTRAIL_LOG", "error");
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// A day with faults, after which the next run is right.
    async fn day(&mut self, name: &str, faults: Vec<Fault>, code: i32, sentence: &str) {
        self.sell().await;
        self.proxy.play(faults);
        let output = self.build().await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        assert!(said.contains(sentence), "{name}: {said}");
        assert!(self.proxy.struck() > 0, "{name}: no call was struck");
        self.proxy.play(Vec::new());
        if code != 0 {
            assert!(said.contains("hint: "), "{name}: {said}");
            let next = self.build().await;
            assert!(next.status.success(), "{name}, next run: {}", String::from_utf8_lossy(&next.stderr));
        }
        assert_same_tables(self.bigquery.warehouse(), self.lake.warehouse(), name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_days_end_in_a_sentence_and_the_next_run_is_right() {
    let mut shop = Shop::open().await;
    let lookup = ["GET", "/datasets/dataset_"];
    let submit = ["POST", "/bigquery/v2/", "/jobs"];

    let expired = "Request had invalid authentication credentials.";
    let faults = vec![fault(&submit, ALWAYS, refusal(401, "authError", expired))];
    shop.day("credentials expired", faults, 10, expired).await;

    let denied = "Access Denied: Dataset: User does not have permission to get it.";
    shop.day("dataset denied", vec![fault(&lookup, 1, refusal(403, "accessDenied", denied))], 12, denied).await;
    let denied = "User does not have bigquery.jobs.create permission in project";
    shop.day("jobs denied", vec![fault(&submit, 1, refusal(403, "accessDenied", denied))], 12, denied).await;

    let quota = "Quota exceeded: Your project exceeded quota for imports per project";
    let faults = vec![fault(&["/upload/"], ALWAYS, refusal(403, "quotaExceeded", quota))];
    shop.day("quota exceeded", faults, 13, "(tried for ").await;
    let limit = refusal(403, "rateLimitExceeded", "Exceeded rate limits: too many api requests");
    shop.day("rate limit for a while", vec![fault(&submit, 2, limit)], 0, "").await;
    let outage = refusal(503, "backendError", "Error encountered during execution. Retrying may solve the problem.");
    shop.day("outage for a while", vec![fault(&submit, 2, outage)], 0, "").await;

    let costly = "Query exceeded limit for bytes billed: 1. 10485760 or higher required.";
    let faults = vec![fault(&[COMMIT], 1, refusal(400, "bytesBilledLimitExceeded", costly))];
    shop.day("too costly", faults, 18, costly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_fail_or_get_lost_are_run_again_or_explained() {
    let mut shop = Shop::open().await;
    let look = ["GET", "/jobs/shoptrail_load_"];
    let ended = |reason: &str| {
        let error = json!({"reason": reason, "message": "The job encountered an error during execution."});
        Effect::Replace(json!({"status": {"state": "DONE", "errorResult": error}}))
    };
    shop.day("load failed for a passing reason", vec![fault(&look, 1, ended("jobBackendError"))], 0, "").await;
    shop.day("load failed for good", vec![fault(&look, 1, ended("invalid"))], 15, "The job encountered").await;

    let gone = || refusal(404, "notFound", "Not found: Job");
    shop.day("load job lost after submission", vec![fault(&look, 1, gone())], 0, "").await;
    shop.day("answer to an upload lost", vec![fault(&["PUT", "/upload/"], 1, Effect::LoseAnswer)], 0, "").await;
    shop.day("upload broken off", vec![fault(&["PUT", "/upload/"], 1, Effect::Break)], 0, "").await;
    shop.day("upload session forgotten", vec![fault(&["PUT", "/upload/"], 1, gone())], 0, "").await;
    shop.day("answer to the commit lost", vec![fault(&[COMMIT], 1, Effect::LoseAnswer)], 0, "").await;

    // The server goes away with the commit: that job cannot be looked at, nor what became of it. The marker was read once
    // before, when the run began.
    let away_from_commit_on = |effect| {
        let looks = Fault { skip: 1, ..fault(&["shoptrail_marker_", "_shoptrail_publication"], ALWAYS, Effect::Break) };
        vec![fault(&[COMMIT], 1, effect), fault(&["shoptrail_build_"], ALWAYS, Effect::Break), looks]
    };
    shop.day("away after the commit", away_from_commit_on(Effect::LoseAnswer), 16, "the connection broke").await;
    shop.day("away before the commit", away_from_commit_on(Effect::Break), 16, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_table_stops_the_run_until_it_is_rebuilt() {
    let mut shop = Shop::open().await;
    shop.sell().await;
    assert!(shop.build().await.status.success());
    let table = format!("`{PROJECT}.{}.gold_daily_kpis`", shop.bigquery.settings.dataset);
    server().await.sql(&format!("ALTER TABLE {table} DROP COLUMN orders")).await;
    shop.sell().await;
    let output = shop.build().await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(14), "{said}");
    assert!(said.contains("table `gold_daily_kpis`: column `orders` is missing, expected INT64"), "{said}");

    server().await.sql(&format!("DROP TABLE {table}")).await;
    let restarted = shop.bigquery.restarted().await;
    restarted.prepare(&shoptrail_backend::build::tables()).await.unwrap();
    build(restarted.as_ref(), Mode::Rebuild).await;
    assert_same_tables(restarted.as_ref(), shop.lake.warehouse(), "rebuilt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_wrong_places_and_credentials_are_named() {
    let server = server().await;
    let dataset = server.dataset().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    std::fs::write(&file, r#"{"type": "service_account", "private_key": "secret-that-no-log-may-show"}"#).unwrap();
    let wrong = file.to_str().unwrap();
    let address = format!("bigquery://{PROJECT}/{dataset}");
    let build = |address: &str, rest: Option<&str>, credentials: &str| {
        let output = shoptrail(rest, &["build", "--retry-seconds", "1", "--warehouse", address], credentials);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };

    let (code, said) = build(&address, None, "/no/such/file.json");
    assert!(code == Some(10) && said.contains("/no/such/file.json"), "{said}");
    let (code, said) = build(&address, None, wrong);
    assert!(code == Some(10) && !said.contains("secret-that-no-log-may-show"), "{said}");

    let rest = Some(server.rest.as_str());
    let (code, said) = build(&format!("bigquery://{PROJECT}/no_such_dataset"), rest, wrong);
    assert!(code == Some(11) && said.contains("no_such_dataset"), "{said}");
    let (code, said) = build("bigquery://no-such-project/any", rest, wrong);
    assert!(code == Some(11) && said.contains("no-such-project"), "{said}");
    let (code, said) = build(&address, Some("http://127.0.0.1:1/"), wrong);
    assert!(code == Some(16) && said.contains("(tried for "), "{said}");
    let (code, said) = build("bigquery://only-a-project", rest, wrong);
    assert!(code == Some(1) && said.contains("bigquery://PROJECT/DATASET"), "{said}");
}

/// A process that is killed makes no more calls: play it at every single one.
#[tokio::test(flavor = "multi_thread")]
async fn build_killed_at_any_call_publishes_all_or_nothing() {
    let proxy = Proxy::start(server().await).await;
    let test = TestBigQuery::with(&[&SMALL]).await;
    let changes = |amount| vec![change(shoptrail_backend::warehouse::Replaces::All, &[(1, "a", amount)])];
    let mut published = test.bigquery.publish(&Publication::default(), changes(0), Default::default()).await.unwrap();
    for calls in 0.. {
        let victim = connect(impatient(&test.settings, &proxy)).await;
        proxy.play(vec![Fault { skip: calls, ..fault(&[], ALWAYS, Effect::Break) }]);
        let amount = i64::try_from(calls).unwrap() + 1;
        let ended = victim.publish(&published, changes(amount), Default::default()).await.is_ok();
        proxy.play(Vec::new());
        let now = test.bigquery.publication().await.unwrap();
        let rows = test.bigquery.read(&now, &SMALL, &Default::default()).await.unwrap();
        let expected = if now.version == published.version { None } else { Some(small(&[(1, "a", amount)])) };
        match expected {
            Some(expected) => assert!(rows.equals(&expected), "killed after {calls} calls: {rows}"),
            None => assert!(!ended, "killed after {calls} calls and still succeeded"),
        }
        // The next run succeeds, whatever was left behind.
        published = test.bigquery.publish(&now, changes(amount), Default::default()).await.unwrap();
        let rows = test.bigquery.read(&published, &SMALL, &Default::default()).await.unwrap();
        assert!(rows.equals(&small(&[(1, "a", amount)])), "after {calls} calls: {rows}");
        if ended {
            assert!(calls > 8, "a publish makes more calls than {calls}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lander_killed_at_any_call_loses_and_doubles_nothing() {
    let proxy = Proxy::start(server().await).await;
    let test = TestBigQuery::with(&BRONZE).await;
    let mut next = 0;
    for calls in 0.. {
        let victim = connect(impatient(&test.settings, &proxy)).await;
        let before = test.bigquery.offsets(super::super::world::TOPIC).await.unwrap();
        proxy.play(vec![Fault { skip: calls, ..fault(&[], ALWAYS, Effect::Break) }]);
        let record = [next.to_string()];
        let ended = victim.land(landing(before.clone(), next, &record)).await.is_ok();
        proxy.play(Vec::new());
        // The next lander goes on from the offsets that stand.
        let now = test.bigquery.offsets(super::super::world::TOPIC).await.unwrap();
        if now == before {
            assert!(!ended, "killed after {calls} calls and still succeeded");
            test.bigquery.land(landing(now, next, &record)).await.unwrap();
        }
        next += 1;
        let rows = test.bigquery.bronze_since(None).await.unwrap().0;
        let mut records: Vec<i64> =
            rows.column("record").unwrap().str().unwrap().iter().map(|text| text.unwrap().parse().unwrap()).collect();
        records.sort_unstable();
        assert_eq!(records, (0..next).collect::<Vec<_>>(), "killed after {calls} calls");
        assert_eq!(test.bigquery.offsets(super::super::world::TOPIC).await.unwrap(), Offsets::from([(0, next - 1)]));
        if ended {
            assert!(calls > 8, "a landing makes more calls than {calls}");
            return;
        }
    }
}

/// A process that does not try again.
fn impatient(settings: &Settings, proxy: &Proxy) -> Settings {
    let mut settings = Settings { retry_for: Duration::ZERO, ..settings.clone() };
    if let Some(server) = &mut settings.server {
        server.rest = proxy.rest.clone();
    }
    settings
}
