//! Processes that are killed.

use std::time::Duration;

use shoptrail_backend::warehouse::bigquery::Settings;
use shoptrail_backend::warehouse::{Offsets, Publication, Replaces, Warehouse};

use super::super::warehouse::small::{BRONZE, SMALL, change, small};
use super::super::world::{TOPIC, TestBigQuery, TestWarehouse, basis, bronze_since, landing};
use super::proxy::{ALWAYS, Effect, Fault, Proxy, fault};
use super::server::connect;

/// A process that is killed makes no more calls: play it at every single one.
#[tokio::test(flavor = "multi_thread")]
async fn build_killed_at_any_call_publishes_all_or_nothing() {
    let test = TestBigQuery::with(&[&SMALL]).await;
    let proxy = Proxy::start(&test.server).await;
    let changes = |amount| vec![change(Replaces::All, &[(1, "a", amount)])];
    let mut published = test
        .bigquery
        .publish(&Publication::default(), changes(0), basis(""))
        .await
        .unwrap();
    for calls in 0.. {
        let victim = connect(impatient(&test.settings, &proxy)).await;
        proxy.play(vec![Fault {
            skip: calls,
            ..fault(&[], ALWAYS, Effect::Break)
        }]);
        let amount = i64::try_from(calls).unwrap() + 1;
        let ended = victim
            .publish(&published, changes(amount), basis(""))
            .await
            .is_ok();
        proxy.play(Vec::new());
        let now = test.bigquery.publication().await.unwrap();
        let rows = test
            .bigquery
            .read(&now, &SMALL, &Default::default())
            .await
            .unwrap();
        let expected = if now.version == published.version {
            None
        } else {
            Some(small(&[(1, "a", amount)]))
        };
        match expected {
            Some(expected) => assert!(rows.equals(&expected), "killed after {calls} calls: {rows}"),
            None => assert!(!ended, "killed after {calls} calls and still succeeded"),
        }
        // The next run succeeds, whatever was left behind.
        published = test
            .bigquery
            .publish(&now, changes(amount), basis(""))
            .await
            .unwrap();
        let rows = test
            .bigquery
            .read(&published, &SMALL, &Default::default())
            .await
            .unwrap();
        assert!(
            rows.equals(&small(&[(1, "a", amount)])),
            "after {calls} calls: {rows}"
        );
        if ended {
            assert!(calls > 5, "a publish makes more calls than {calls}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lander_killed_at_any_call_loses_and_doubles_nothing() {
    let test = TestBigQuery::with(&BRONZE).await;
    let proxy = Proxy::start(&test.server).await;
    let mut next = 0;
    for calls in 0.. {
        let victim = connect(impatient(&test.settings, &proxy)).await;
        let before = test.bigquery.offsets(TOPIC).await.unwrap();
        proxy.play(vec![Fault {
            skip: calls,
            ..fault(&[], ALWAYS, Effect::Break)
        }]);
        let record = [next.to_string()];
        let ended = victim
            .land(landing(before.clone(), next, &record))
            .await
            .is_ok();
        proxy.play(Vec::new());
        // The next lander goes on from the offsets that stand.
        let now = test.bigquery.offsets(TOPIC).await.unwrap();
        if now == before {
            assert!(!ended, "killed after {calls} calls and still succeeded");
            test.bigquery
                .land(landing(now, next, &record))
                .await
                .unwrap();
        }
        next += 1;
        let rows = bronze_since(&test.bigquery, None).await.unwrap().0;
        let mut records: Vec<i64> = rows
            .column("record")
            .unwrap()
            .str()
            .unwrap()
            .iter()
            .map(|text| text.unwrap().parse().unwrap())
            .collect();
        records.sort_unstable();
        assert_eq!(
            records,
            (0..next).collect::<Vec<_>>(),
            "killed after {calls} calls"
        );
        assert_eq!(
            test.bigquery.offsets(TOPIC).await.unwrap(),
            Offsets::from([(0, next - 1)])
        );
        if ended {
            assert!(calls > 5, "a landing makes more calls than {calls}");
            return;
        }
    }
}

/// A process that does not try again.
fn impatient(settings: &Settings, proxy: &Proxy) -> Settings {
    let mut settings = Settings {
        retry_for: Duration::ZERO,
        ..settings.clone()
    };
    if let Some(server) = &mut settings.server {
        server.rest = proxy.rest.clone();
    }
    settings
}
