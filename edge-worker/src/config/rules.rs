//! What shops add to the rules that tell channels. What cannot be used of it is left out and named; the rest holds.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use shoptrail_schemas::derive::{Rules, ShopRules, SourceCategory};

use super::ConfigError;

const VARIABLE: &str = "SHOPTRAIL_RULES";

/// Reads the rules. Returns what can be used of them, and what is not used and why.
#[must_use]
pub fn read(json: &str) -> (Rules, Vec<ConfigError>) {
    let mut problems = Vec::new();
    let mut fields = match members(json) {
        Ok(fields) => fields,
        Err(cause) => {
            let (line, column) = (cause.line(), cause.column());
            problems.push(format!(
                "is not used: it is not a JSON object: line {line}, column {column}"
            ));
            BTreeMap::new()
        }
    };
    let own = fields
        .remove("shops")
        .map(|shops| of_shops(shops, &mut problems))
        .unwrap_or_default();
    let common = of_one(fields, "", &mut problems);
    let named = problems
        .into_iter()
        .map(|problem| ConfigError::new(VARIABLE, problem));
    (Rules::new(common, own), named.collect())
}

/// The fields of an object, by their names.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn members(object: &str) -> serde_json::Result<Fields<'_>> {
    serde_json::from_str(object)
}

fn of_shops(object: &RawValue, problems: &mut Vec<String>) -> Vec<(String, ShopRules)> {
    let Ok(given) = members(object.get()) else {
        problems.push("`shops` is not used: it is no object of shops and their rules".to_owned());
        return Vec::new();
    };
    let mut shops = Vec::new();
    for (shop_id, rules) in given {
        match members(rules.get()) {
            Ok(fields) => {
                let rules = of_one(fields, &format!("shops.{shop_id}."), problems);
                shops.push((shop_id, rules));
            }
            Err(_) => problems.push(format!(
                "`shops.{shop_id}` is not used: it is no object of rules"
            )),
        }
    }
    shops
}

/// Reads the rules of all shops or of one; `place` stands before the names of its fields.
fn of_one(fields: Fields<'_>, place: &str, problems: &mut Vec<String>) -> ShopRules {
    let mut rules = ShopRules::default();
    for (name, value) in fields {
        let path = format!("{place}{name}");
        match name.as_str() {
            "own_hosts" => rules.own_hosts = hosts(&path, value, problems),
            "payment_hosts" => rules.payment_hosts = hosts(&path, value, problems),
            "sources" => rules.sources = sources(&path, value, problems),
            _ => problems.push(format!(
                "has a field `{path}`; there are `own_hosts`, `payment_hosts` and `sources`, and `shops` with these of single shops"
            )),
        }
    }
    rules
}

fn hosts(path: &str, list: &RawValue, problems: &mut Vec<String>) -> Vec<String> {
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
        problems.push(format!("`{path}` is not used: it is no list of hosts"));
        return Vec::new();
    };
    let mut hosts = Vec::with_capacity(list.len());
    for (position, host) in list.into_iter().enumerate() {
        match serde_json::from_str::<String>(host.get()) {
            Ok(host) if is_host(&host) => hosts.push(host),
            _ => problems.push(format!(
                "`{path}` {position} is not used: it is no host like `pay.example`, without scheme, port and path"
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

fn sources(
    path: &str,
    object: &RawValue,
    problems: &mut Vec<String>,
) -> BTreeMap<String, SourceCategory> {
    let Ok(given) = members(object.get()) else {
        problems.push(format!(
            "`{path}` is not used: it is no object of sources and categories"
        ));
        return BTreeMap::new();
    };
    let mut sources = BTreeMap::new();
    for (source, category) in given {
        match serde_json::from_str(category.get()) {
            Ok(category) => {
                sources.insert(source, category);
            }
            Err(_) => problems.push(format!(
                "`{path}.{source}` is not used: its category is none of `search`, `social`, `shopping`, `video` and `email`"
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
        assert_eq!(*rules.of("any"), serde_json::from_str(json).unwrap());
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn rules_of_one_shop_are_read_and_what_is_wrong_in_them_is_named_with_the_shop() {
        let json = r#"{"own_hosts":["a.example"],"shops":{
            "north":{"own_hosts":["b.example"],"sources":{"c.example":"email"}},
            "south":{"payment_hosts":["d.example","https://pk_secret/"],"sources":{"e":"pk_secret"},"shops":{}},
            "west":["pk_secret"]}}"#;
        let (rules, problems) = problems(json);
        assert_eq!(rules.of("north").own_hosts, ["b.example", "a.example"]);
        assert_eq!(rules.of("north").sources.len(), 1);
        assert_eq!(rules.of("south").payment_hosts, ["d.example"]);
        assert_eq!(rules.of("west").own_hosts, ["a.example"]);
        assert_eq!(problems.len(), 4, "{problems:?}");
        for place in [
            "`shops.south.payment_hosts` 1 ",
            "`shops.south.sources.e` ",
            "a field `shops.south.shops`",
            "`shops.west` is not used",
        ] {
            assert!(
                problems.iter().any(|problem| problem.contains(place)),
                "{place} {problems:?}"
            );
        }
        assert!(!problems.concat().contains("pk_secret"), "{problems:?}");
        let (rules, problems) =
            self::problems(r#"{"shops":["pk_secret"],"own_hosts":["a.example"]}"#);
        assert_eq!(rules.of("north").own_hosts, ["a.example"]);
        assert!(
            problems[0].contains("`shops` is not used: "),
            "{problems:?}"
        );
    }

    #[test]
    fn entry_that_cannot_be_used_is_named_without_its_value_and_the_others_hold() {
        let json = r#"{"own_hosts":["https://pk_secret/","a.example"],"payment_hosts":"pk_secret",
            "sources":{"b.example":"pk_secret","c.example":"email"},"hosts":[]}"#;
        let (rules, problems) = problems(json);
        let rules = rules.of("any");
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
