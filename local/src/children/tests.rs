//! Children that die, that ignore signals, and whose supervisor is killed.

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);
const SUPERVISOR: &str = "SHOPTRAIL_TEST_SUPERVISOR_DIR";

fn shell(dir: &Path, script: &str) -> ChildCommand {
    ChildCommand {
        name: "child",
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        envs: Vec::new(),
        dir: dir.to_owned(),
        log: dir.join("child.log"),
        grace: Duration::from_millis(500),
    }
}

fn fresh_dir(name: &str) -> PathBuf {
    let dir =
        std::env::temp_dir().join(format!("shoptrail-children-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a directory for the test");
    dir
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < DEADLINE,
            "not within {DEADLINE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn lives(pid: &str) -> bool {
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .expect("ps runs");
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn words(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn child_that_dies_is_started_again_and_its_pid_followed() {
    let dir = fresh_dir("again");
    let family = Family::of(&dir).await.expect("the folder is free");
    let pids = family.pids.clone();
    let service =
        Service::start(shell(&dir, "echo $$; exec sleep 1000"), family).expect("it starts");
    let log = dir.join("child.log");
    until("the first start", || words(&log).len() == 1).await;
    let first = words(&log)[0].clone();
    assert_eq!(pids.borrow()["child"].to_string(), first);

    std::process::Command::new("kill")
        .args(["-KILL", &first])
        .status()
        .expect("kill runs");
    until("the second start", || words(&log).len() == 2).await;
    let second = words(&log)[1].clone();
    until("the new pid", || {
        pids.borrow()
            .get("child")
            .is_some_and(|pid| pid.to_string() == second)
    })
    .await;

    service.stop().await;
    assert!(!lives(&second), "a stopped child is gone");
    assert!(pids.borrow().is_empty());
    service.resume().await;
    until("the third start", || words(&log).len() == 3).await;
    service.stop().await;
    std::fs::remove_dir_all(dir).expect("the directory can be removed");
}

#[tokio::test]
async fn child_and_grandchild_that_ignore_sigterm_are_killed_after_the_grace() {
    let dir = fresh_dir("stubborn");
    let script = "trap '' TERM; sh -c 'echo $$; while true; do sleep 0.1; done' & echo $$; while true; do sleep 0.1; done";
    let service = Service::start(
        shell(&dir, script),
        Family::of(&dir).await.expect("the folder is free"),
    )
    .expect("it starts");
    let log = dir.join("child.log");
    until("both run", || words(&log).len() == 2).await;
    service.stop().await;
    for pid in words(&log) {
        until("the group is gone", || !lives(&pid)).await;
    }
    std::fs::remove_dir_all(dir).expect("the directory can be removed");
}

#[tokio::test]
async fn end_of_the_log_is_shown_when_a_child_ends_before_it_is_ready() {
    let dir = fresh_dir("unready");
    let service = Service::start(
        shell(&dir, "echo no disk; exit 3"),
        Family::of(&dir).await.expect("the folder is free"),
    )
    .expect("it starts");
    let error = service
        .until_ready(DEADLINE, std::future::pending())
        .await
        .expect_err("it is never ready");
    assert!(
        format!("{error:#}").contains("child ended before it was ready"),
        "{error:#}"
    );
    assert!(format!("{error:#}").contains("no disk"), "{error:#}");
    service.stop().await;
    std::fs::remove_dir_all(dir).expect("the directory can be removed");
}

/// The test starts itself as the supervisor and kills that.
#[tokio::test]
async fn supervisor_killed_with_sigkill_takes_its_children_along() {
    if let Some(dir) = std::env::var_os(SUPERVISOR) {
        let script = "sh -c 'echo $$; exec sleep 1000' & echo $$; exec sleep 1000";
        let dir = PathBuf::from(dir);
        let _service = Service::start(
            shell(&dir, script),
            Family::of(&dir).await.expect("the folder is free"),
        )
        .expect("it starts");
        return std::future::pending().await;
    }
    let dir = fresh_dir("killed");
    let mut supervisor = Command::new(std::env::current_exe().expect("the test knows its file"))
        .args(["supervisor_killed_with_sigkill_takes_its_children_along"])
        .env(SUPERVISOR, &dir)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the test starts itself");
    let log = dir.join("child.log");
    until("child and grandchild run", || words(&log).len() == 2).await;
    supervisor.kill().await.expect("it can be killed");
    Family::of(&dir)
        .await
        .expect("the next stack waits until they are gone");
    for pid in words(&log) {
        assert!(!lives(&pid), "the child is gone");
    }
    std::fs::remove_dir_all(dir).expect("the directory can be removed");
}
