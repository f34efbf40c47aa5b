//! Who is meant, and whether a text tells of them.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde_json::Value;
use shoptrail_edge::privacy::PrivacyRules;

use super::{ForgetArgs, uncleaned};
use crate::silver::visitors;
use crate::warehouse::{Filter, Person, Publication, Query, Warehouse};

/// The person of the flags, with the visitors who were last known as one of the customers, and with the hashes that stand for
/// them.
///
/// # Errors
/// Returns an error if an id is empty or the warehouse cannot be read.
pub(super) async fn of(
    warehouse: &dyn Warehouse,
    args: &ForgetArgs,
    privacy: &PrivacyRules,
) -> anyhow::Result<Person> {
    let mut given = args.visitors.iter().chain(&args.users);
    ensure!(given.all(|id| !id.is_empty()), "an id is empty");
    let published = warehouse.publication().await?;
    let shops = match &args.shop {
        Some(shop) => BTreeSet::from([shop.clone()]),
        None => shops(warehouse, &published).await?,
    };
    let users = with_hashes(args.users.iter().cloned(), &shops, privacy);
    let known = Query::all()
        .columns(&["shop_id", "anonymous_id"])
        .filter(Filter::TextIn("user_id", users.clone()));
    let known = warehouse.read(&published, &visitors::TABLE, &known).await?;
    let (of_shops, ids) = (
        known.column("shop_id")?.str()?,
        known.column("anonymous_id")?.str()?,
    );
    let theirs = of_shops.iter().zip(ids.iter()).filter_map(|(shop, id)| {
        let is_meant = args.shop.is_none() || args.shop.as_deref() == shop;
        id.filter(|_| is_meant).map(str::to_owned)
    });
    let all = args.visitors.iter().cloned().chain(theirs);
    let person = Person {
        visitors: with_hashes(all, &shops, privacy),
        users,
        shop: args.shop.clone(),
    };
    uncleaned::complete(warehouse, person, privacy).await
}

/// The shops that have visitors.
async fn shops(
    warehouse: &dyn Warehouse,
    published: &Publication,
) -> anyhow::Result<BTreeSet<String>> {
    let query = Query::all().columns(&["shop_id"]);
    let rows = warehouse.read(published, &visitors::TABLE, &query).await?;
    let shops: BTreeSet<&str> = rows.column("shop_id")?.str()?.iter().flatten().collect();
    Ok(shops.into_iter().map(str::to_owned).collect())
}

/// Ids, and what each of them is hashed to in each shop. Rules change: a field that has none now may have had one.
fn with_hashes(
    ids: impl Iterator<Item = String>,
    shops: &BTreeSet<String>,
    privacy: &PrivacyRules,
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for id in ids {
        all.extend(shops.iter().filter_map(|shop| privacy.hash(shop, &id)));
        all.insert(id);
    }
    all.into_iter().collect()
}

/// Whether a text tells of a person: a record by its ids, another JSON by any value, what is no JSON by an id in quotes.
pub(super) fn tells(text: &str, person: &Person) -> bool {
    let json = text.find(['{', '[']).and_then(|start| text.get(start..));
    let value: Option<Value> = json.and_then(|json| serde_json::from_str(json).ok());
    match value {
        Some(record) if record.get("event").is_some_and(Value::is_object) => {
            record_tells(&record, person)
        }
        Some(other) => any_value(&other, &|value| {
            is_one_of(value, &person.visitors) || is_one_of(value, &person.users)
        }),
        None => person
            .visitors
            .iter()
            .chain(&person.users)
            .any(|id| text.contains(&Value::from(id.as_str()).to_string())),
    }
}

fn record_tells(record: &Value, person: &Person) -> bool {
    let is = |pointer: &str, ids: &[String]| {
        record
            .pointer(pointer)
            .is_some_and(|value| is_one_of(value, ids))
    };
    let shop = record.pointer("/edge/shop_id").and_then(Value::as_str);
    // One without a shop may be of any.
    let is_shops = shop.is_none() || person.shop.is_none() || person.shop.as_deref() == shop;
    is_shops && (is("/event/anonymous_id", &person.visitors) || is("/event/user_id", &person.users))
}

fn is_one_of(value: &Value, ids: &[String]) -> bool {
    match value {
        Value::String(text) => ids.contains(text),
        Value::Number(number) => ids.contains(&number.to_string()),
        _ => false,
    }
}

fn any_value(value: &Value, test: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|field| any_value(field, test)),
        Value::Array(values) => values.iter().any(|value| any_value(value, test)),
        plain => test(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(shop: Option<&str>) -> Person {
        Person {
            visitors: vec!["v".to_owned()],
            users: vec!["42".to_owned()],
            shop: shop.map(str::to_owned),
        }
    }

    #[test]
    fn record_tells_of_a_person_by_its_ids_and_by_nothing_else() {
        let told = |text: &str| tells(text, &person(None));
        assert!(told(r#"{"event":{"anonymous_id":"v"}}"#));
        assert!(told(r#"{"event":{"anonymous_id":"\u0076"}}"#));
        assert!(told(r#"{"event":{"user_id":42}}"#));
        assert!(!told(
            r#"{"event":{"anonymous_id":"42","search_term":"v"}}"#
        ));
    }

    #[test]
    fn what_is_no_record_tells_of_a_person_by_the_id_itself() {
        let told = |text: &str| tells(text, &person(None));
        assert!(told("\0\0\0\0\u{1}{\"event\":{\"anonymous_id\":\"v\""));
        assert!(!told(r#"{"event":{"anonymous_id":"other""#));
        assert!(told(r#"[{"user_id":"42"}]"#));
    }

    #[test]
    fn id_of_another_shop_is_another_person() {
        let record =
            |shop: &str| format!(r#"{{"event":{{"user_id":"42"}},"edge":{{"shop_id":"{shop}"}}}}"#);
        assert!(tells(&record("a"), &person(Some("a"))));
        assert!(!tells(&record("b"), &person(Some("a"))));
        assert!(tells(r#"{"event":{"user_id":"42"}}"#, &person(Some("a"))));
    }
}
