//! What a person reads: the help of every command, and the usual errors. The texts are in `snapshots/`; after a change look at
//! them, then keep them with `INSTA_UPDATE=always cargo test -p shoptrail-backend --test cli`.

use std::process::{Command, Output};

use insta::{Settings, assert_snapshot};

/// Runs the command without any variable of this shell.
fn shoptrail(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shoptrail"))
        .args(arguments)
        .env_clear()
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    // Blank lines of help hold the spaces of their paragraph.
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Everything that was said, and the exit code.
fn answer(arguments: &[&str]) -> String {
    let output = shoptrail(arguments);
    let code = output.status.code().expect("an exit code");
    let said = text(&[output.stdout, output.stderr].concat());
    format!(
        "$ shoptrail {}\n{said}\n(exit code {code})",
        arguments.join(" ")
    )
}

fn with_plain_names(check: impl FnOnce()) {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(check);
}

#[test]
fn help_of_every_command_is_as_it_was_reviewed() {
    let commands = [
        "land",
        "build",
        "run",
        "runs",
        "replay",
        "forget",
        "show",
        "tables",
        "local",
        "doctor",
        "simulate",
        "config",
        "completions",
        "man",
    ];
    with_plain_names(|| {
        assert_snapshot!("help", text(&shoptrail(&["--help"]).stdout));
        for command in commands {
            let help = text(&shoptrail(&[command, "--help"]).stdout);
            assert_snapshot!(format!("help_{command}"), help);
        }
    });
}

#[test]
fn usual_errors_say_what_is_wrong_and_what_to_do() {
    let cases: [(&str, &[&str]); 19] = [
        ("no_such_command", &["biuld"]),
        ("no_such_flag", &["build", "--every-second"]),
        (
            "warehouse_of_no_kind",
            &["build", "--warehouse", "data/lake"],
        ),
        (
            "warehouse_without_dataset",
            &["show", "gold_daily_kpis", "--warehouse", "bigquery://demo"],
        ),
        (
            "lake_that_is_not_there",
            &[
                "show",
                "gold_daily_kpis",
                "--warehouse",
                "lake:no/such/lake",
            ],
        ),
        ("time_zone", &["build", "--time-zone", "Berlin"]),
        ("currency", &["build", "--currency", "euro"]),
        (
            "reporting_of_a_shop",
            &[
                "build",
                "--shop-reporting",
                r#"{"north":{"time_zone":"Boston"}}"#,
            ],
        ),
        ("key_without_secret", &["land", "--api-key", "key"]),
        (
            "rule_with_a_fault",
            &[
                "replay",
                "--schema-id",
                "1",
                "--rules",
                r#"{"own_hosts":["https://shop.example/"]}"#,
            ],
        ),
        (
            "queue_that_is_not_named",
            &["replay", "--schema-id", "1", "--undelivered"],
        ),
        (
            "rebuild_again_and_again",
            &["build", "--rebuild", "--every-ms", "5"],
        ),
        (
            "rebuild_of_some_tables",
            &["build", "--rebuild", "--tables", "gold_daily_kpis"],
        ),
        (
            "table_that_no_build_makes",
            &["build", "--tables", "gold_daily_kpis,bronze_events"],
        ),
        ("day_that_is_none", &["build", "--since", "yesterday"]),
        (
            "days_backwards",
            &["build", "--since", "2026-11-05", "--until", "2026-11-01"],
        ),
        ("rate_of_live_shoppers", &["simulate", "--live"]),
        ("log_filter", &["tables", "--log", "shoptrail=loud"]),
        ("manual_of_no_command", &["man", "biuld"]),
    ];
    with_plain_names(|| {
        for (name, arguments) in cases {
            assert_snapshot!(format!("error_{name}"), answer(arguments));
        }
    });
}

#[test]
fn settings_show_where_they_come_from_and_no_secret() {
    let output = Command::new(env!("CARGO_BIN_EXE_shoptrail"))
        .args(["config", "--currency", "USD"])
        .args(["--bigquery-endpoint", "http://me:hidden@127.0.0.1:9050/"])
        .args(["--bigquery-grpc-endpoint", "http://127.0.0.1:9060/"])
        .env_clear()
        .env("SHOPTRAIL_WAREHOUSE", "bigquery://my-shop/clicks")
        .env("SHOPTRAIL_KAFKA_API_KEY", "hidden")
        .env("SHOPTRAIL_KAFKA_API_SECRET", "hidden")
        .env("SHOPTRAIL_HASH_KEY", "hidden")
        .env("SHOPTRAIL_CLOUDFLARE_API_TOKEN", "hidden")
        .output()
        .expect("the command starts");
    let settings = text(&output.stdout);
    assert!(!settings.contains("hidden"), "{settings}");
    with_plain_names(|| assert_snapshot!("config", settings));
}

#[test]
fn settings_as_json_hold_a_value_or_null_for_each_flag() {
    let output = shoptrail(&["config", "--format", "json"]);
    let settings: Vec<serde_json::Value> =
        serde_json::from_slice(&output.stdout).expect("a list in JSON");
    let of = |flag: &str| settings.iter().find(|setting| setting["flag"] == flag);
    let warehouse = of("--warehouse").expect("a setting");
    assert_eq!(warehouse["value"], "lake:data/lake");
    assert_eq!(warehouse["from"], "default");
    let secret = of("--api-secret").expect("a setting");
    assert!(secret["value"].is_null());
    assert_eq!(secret["from"], "unset");
}

#[test]
fn every_shell_gets_completions_and_every_command_a_manual_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&shoptrail(&["completions", shell]).stdout);
        assert!(script.contains("every-ms"), "{shell}");
    }
    for command in ["land", "build", "show", "tables", "local", "simulate"] {
        let page = text(&shoptrail(&["man", command]).stdout);
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
}

/// On Linux there is a disk that is always full.
#[test]
#[cfg(target_os = "linux")]
fn log_that_cannot_be_written_stops_nothing() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let lake = tempfile::tempdir().expect("a folder for the test");
    let status = Command::new(env!("CARGO_BIN_EXE_shoptrail"))
        .args(["build", "--log", "trace", "--warehouse"])
        .arg(format!("lake:{}", lake.path().display()))
        .stdout(std::process::Stdio::null())
        .stderr(full)
        .status()
        .expect("the command starts");
    assert!(status.success(), "{status}");
}
