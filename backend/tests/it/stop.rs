//! The command as a process that is asked to stop in the middle of its work.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::world::{TestLake, TestWarehouse, land, shuffled_world};

/// Enough for a build that takes far longer than a signal on its way.
const VISITS: usize = 4_000;

/// A build over the lake that has read its bronze and works on its tables.
fn building(test: &TestLake) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_shoptrail"))
        .args(["build", "--log-format", "json", "--log"])
        .arg("shoptrail_backend=debug")
        .arg("--warehouse")
        .arg(format!("lake:{}", test.folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.as_mut().unwrap());
    let started = said
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("\"building\""));
    assert!(started, "the build ended before it began");
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn build_that_is_stopped_in_the_middle_of_a_plan_ends_and_publishes_nothing() {
    let test = TestLake::new().await;
    land(&test.lake, &shuffled_world(1, VISITS)).await;
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = building(&test);
        let kill = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        let publication = test.restarted().await.publication().await.unwrap();
        assert!(publication.tables.is_empty(), "{signal}: {publication:?}");
    }
}
