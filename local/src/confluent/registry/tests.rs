//! The registry's rules and codes, on a file of the test's own.

use super::*;

const SHORT: &str = r#"{"type":"string","maxLength":5}"#;
const SHORT_TOO: &str = r#"{ "maxLength": 5, "type": "string" }"#;
const LONG: &str = r#"{"type":"string","maxLength":9}"#;

fn registry(name: &str) -> (Registry, PathBuf) {
    let file = std::env::temp_dir().join(format!(
        "shoptrail-registry-{name}-{}.json",
        std::process::id()
    ));
    let _ = std::fs::remove_file(&file);
    (Registry::open(&file).expect("a new registry"), file)
}

#[test]
fn same_schema_has_the_same_id_in_every_subject_and_after_a_restart() {
    let (registry, file) = registry("same");
    let id = registry.register("a-value", SHORT).expect("it is taken");
    assert_eq!(id, FIRST_ID);
    assert_eq!(
        registry
            .register("a-value", SHORT_TOO)
            .expect("it is known"),
        id
    );
    assert_eq!(
        registry.register("b-value", SHORT).expect("it is taken"),
        id
    );
    assert_eq!(
        registry
            .register("a-value", LONG)
            .expect("it is compatible"),
        id + 1
    );

    let again = Registry::open(&file).expect("the file is read");
    assert_eq!(again.versions("a-value").expect("it is there"), [1, 2]);
    assert_eq!(
        again
            .version("a-value", VersionChoice::Latest)
            .expect("it is there")
            .schema,
        LONG
    );
    assert_eq!(
        again
            .find("a-value", SHORT_TOO)
            .expect("it is there")
            .version,
        1
    );
    assert_eq!(again.subjects(), ["a-value", "b-value"]);
    std::fs::remove_file(file).expect("it can be removed");
}

#[test]
fn incompatible_schema_is_refused_unless_the_level_is_none() {
    let (registry, file) = registry("incompatible");
    registry.register("a-value", LONG).expect("it is taken");
    let error = registry
        .register("a-value", SHORT)
        .expect_err("it is narrower");
    assert_eq!(error.code(), 409);
    assert!(
        error.to_string().contains("MAX_LENGTH_DECREASED"),
        "{error}"
    );
    assert_eq!(registry.versions("a-value").expect("it is there"), [1]);

    registry
        .set_level(Some("a-value"), CompatibilityLevel::None)
        .expect("it is stored");
    registry
        .register("a-value", SHORT)
        .expect("nothing is checked");
    std::fs::remove_file(file).expect("it can be removed");
}

#[test]
fn what_is_not_there_has_confluents_code() {
    let (registry, file) = registry("codes");
    registry.register("a-value", LONG).expect("it is taken");
    let latest = VersionChoice::Latest;
    assert_eq!(
        registry
            .version("b-value", latest)
            .expect_err("no subject")
            .code(),
        40401
    );
    assert_eq!(
        registry
            .version("a-value", VersionChoice::Number(2))
            .expect_err("no version")
            .code(),
        40402
    );
    assert_eq!(registry.schema(1).expect_err("no schema").code(), 40403);
    assert_eq!(
        registry
            .find("a-value", SHORT)
            .expect_err("no schema")
            .code(),
        40403
    );
    assert_eq!(
        registry
            .breaking("b-value", latest, SHORT)
            .expect_err("no subject")
            .code(),
        40401
    );
    assert_eq!(
        registry
            .register("a-value", "{")
            .expect_err("no JSON")
            .code(),
        42201
    );
    assert_eq!(
        registry
            .register("a-value", r#"{"dependencies":{}}"#)
            .expect_err("not judged")
            .code(),
        42201
    );
    assert_eq!(
        registry
            .level(Some("a-value"))
            .expect_err("none of its own")
            .code(),
        40408
    );
    std::fs::remove_file(file).expect("it can be removed");
}
