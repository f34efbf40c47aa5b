//! What a shop adds to the rules that tell channels. What cannot be used of it is left out and named; the rest holds.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use shoptrail_schemas::derive::{Rules, SourceCategory};

use super::ConfigError;

const VARIABLE: &str = "SHOPTRAIL_RULES";

/// Reads the rules. Returns what can be used of them, and what is not used and why.
#[must_use]
pub fn read(json: &str) -> (Rules, Vec<ConfigError>) {
    let mut rules = Rules::default();
    let mut problems = Vec::new();
    let fields: BTreeMap<String, &RawValue> = match serde_json::from_str(json) {
        Ok(fields) => fields,
        Err(cause) => {
            let (line, column) = (cause.line(), cause.column());
            problems.push(format!(
                "is not used: it is not a JSON object: line {line}, column {column}"
            ));
            BTreeMap::new()
        }
    };
    for (name, value) in fields {
        match name.as_str() {
            "own_hosts" => rules.own_hosts = hosts(&name, value, &mut problems),
            "payment_hosts" => rules.payment_hosts = hosts(&name, value, &mut problems),
            "sources" => rules.sources = sources(value, &mut problems),
            _ => problems.push(format!(
                "has a field `{name}`; there are `own_hosts`, `payment_hosts` and `sources`"
            )),
        }
    }
    let named = problems
        .into_iter()
        .map(|problem| ConfigError::new(VARIABLE, problem));
    (rules, named.collect())
}

fn hosts(name: &str, list: &RawValue, problems: &mut Vec<String>) -> Vec<String> {
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
        problems.push(format!("`{name}` is not used: it is no list of hosts"));
        return Vec::new();
    };
    let mut hosts = Vec::with_capacity(list.len());
    for (position, host) in list.into_iter().enumerate() {
        match serde_json::from_str::<String>(host.get()) {
            Ok(host) if is_host(&host) => hosts.push(host),
            _ => problems.push(format!(
                "`{name}` {position} is not used: it is no host like `pay.example`, without scheme, port and path"
            )),
        }
    }
    hosts
}

/// Hosts are compared with those of addresses: what has a scheme or a path would never be met.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|char| char.is_whitespace() || matches!(char, '/' | ':' | '*' | '?' | '#' | '@'))
}

fn sources(object: &RawValue, problems: &mut Vec<String>) -> BTreeMap<String, SourceCategory> {
    let Ok(given) = serde_json::from_str::<BTreeMap<String, &RawValue>>(object.get()) else {
        problems
            .push("`sources` is not used: it is no object of sources and categories".to_owned());
        return BTreeMap::new();
    };
    let mut sources = BTreeMap::new();
    for (source, category) in given {
        match serde_json::from_str(category.get()) {
            Ok(category) => {
                sources.insert(source, category);
            }
            Err(_) => problems.push(format!(
                "`sources.{source}` is not used: its category is none of `search`, `social`, `shopping`, `video` and `email`"
            )),
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: &str) -> (Rules, Vec<String>) {
        let (rules, problems) = read(json);
        (rules, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rules_are_read() {
        let json = r#"{"own_hosts":["a.example"],"payment_hosts":["b.example"],"sources":{"c.example":"email"}}"#;
        let (rules, problems) = problems(json);
        assert_eq!(rules, serde_json::from_str(json).unwrap());
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn entry_that_cannot_be_used_is_named_without_its_value_and_the_others_hold() {
        let json = r#"{"own_hosts":["https://pk_secret/","a.example"],"payment_hosts":"pk_secret",
            "sources":{"b.example":"pk_secret","c.example":"email"},"hosts":[]}"#;
        let (rules, problems) = problems(json);
        assert_eq!(rules.own_hosts, ["a.example"]);
        assert_eq!(rules.sources.len(), 1);
        assert_eq!(rules.sources["c.example"], SourceCategory::Email);
        assert_eq!(problems.len(), 4, "{problems:?}");
        for place in [
            "`own_hosts` 0 ",
            "`payment_hosts` ",
            "`sources.b.example` ",
            "a field `hosts`",
        ] {
            assert!(
                problems.iter().any(|problem| problem.contains(place)),
                "{place} {problems:?}"
            );
        }
        assert!(!problems.concat().contains("pk_secret"), "{problems:?}");
    }

    #[test]
    fn text_that_is_no_object_leaves_the_rules_as_they_are() {
        let (rules, problems) = problems("pk_secret");
        assert_eq!(rules, Rules::default());
        assert!(
            problems[0].starts_with("`SHOPTRAIL_RULES` is not used: "),
            "{problems:?}"
        );
        assert!(!problems[0].contains("pk_secret"), "{problems:?}");
    }
}
