//! Records that no edge has cleaned: they have ids as they came, which builds take out or hash.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use shoptrail_edge::privacy::{PrivacyRules, Subject};
use shoptrail_schemas::Record;

use crate::warehouse::{Person, Warehouse};

/// Adds to a person what such records tell: of each id that builds hash both forms, and the visitors who were last known as a
/// customer whose id builds take out.
///
/// # Errors
/// Returns an error if the warehouse cannot be read.
pub(super) async fn complete(
    warehouse: &dyn Warehouse,
    person: Person,
    privacy: &PrivacyRules,
) -> anyhow::Result<Person> {
    let mut found = Found::new(person, privacy);
    for portion in warehouse.unread(None, None).await?.portions {
        let rows = warehouse.bronze(portion).await?;
        // What landing understood it has cleaned.
        let is_text = rows.column("event_id").ok().map(|ids| ids.is_null());
        let rows = match is_text {
            Some(is_text) => rows.filter(&is_text)?,
            None => rows,
        };
        for text in rows.column("record")?.str()?.iter().flatten() {
            found.look_at(text);
        }
    }
    Ok(found.into_person())
}

struct Found<'a> {
    person: Person,
    privacy: &'a PrivacyRules,
    /// By shop and visitor, where builds take the customer out.
    last_known: HashMap<(String, String), LastKnown>,
}

/// The customer that a visitor was last known as.
#[derive(Default)]
struct LastKnown {
    at: i64,
    is_theirs: bool,
    /// The visitor as builds make it.
    kept: String,
}

/// Of an event, as it came or as builds make it.
#[derive(Deserialize)]
struct Ids {
    anonymous_id: String,
    #[serde(default)]
    user_id: Option<String>,
    event_timestamp: i64,
}

impl<'a> Found<'a> {
    fn new(person: Person, privacy: &'a PrivacyRules) -> Self {
        Self {
            person,
            privacy,
            last_known: HashMap::new(),
        }
    }

    /// What is no record of an event is in no table but quarantine, where its text tells.
    fn look_at(&mut self, text: &str) {
        let Ok(record) = serde_json::from_str::<Record<&RawValue>>(text) else {
            return;
        };
        let shop_id = record.edge.shop_id.as_str();
        let wanted = self.person.shop.as_deref();
        if record.edge.derived.is_some() || wanted.is_some_and(|wanted| wanted != shop_id) {
            return;
        }
        let subject = Subject {
            shop_id,
            keeps_user_id: true,
        };
        let event = record.event.get();
        let Cow::Owned(cleaned) = self.privacy.clean(event, subject) else {
            return;
        };
        let ids = |text: &str| serde_json::from_str::<Ids>(text);
        if let (Ok(came), Ok(kept)) = (ids(event), ids(&cleaned)) {
            self.add(shop_id, came, kept);
        }
    }

    fn add(&mut self, shop_id: &str, came: Ids, kept: Ids) {
        let Person {
            visitors, users, ..
        } = &mut self.person;
        add_both(visitors, &came.anonymous_id, &kept.anonymous_id);
        let Some(user) = came.user_id.filter(|id| !id.is_empty()) else {
            return;
        };
        if let Some(kept) = kept.user_id.filter(|id| !id.is_empty()) {
            add_both(users, &user, &kept);
            return;
        }
        let now = LastKnown {
            at: came.event_timestamp,
            is_theirs: users.contains(&user),
            kept: kept.anonymous_id,
        };
        let visitor = (shop_id.to_owned(), came.anonymous_id);
        let last = self.last_known.entry(visitor).or_default();
        if last.at <= now.at {
            *last = now;
        }
    }

    fn into_person(self) -> Person {
        let mut person = self.person;
        let theirs = self
            .last_known
            .into_iter()
            .filter(|(_, last)| last.is_theirs);
        for id in theirs.flat_map(|((_, came), last)| [came, last.kept]) {
            if !person.visitors.contains(&id) {
                person.visitors.push(id);
            }
        }
        person
    }
}

/// Where one form of an id is known, the other one is too.
fn add_both(ids: &mut Vec<String>, came: &str, kept: &str) {
    let has = |id: &str| ids.iter().any(|known| known == id);
    let missing = match (has(came), has(kept)) {
        (true, false) => kept,
        (false, true) => came,
        _ => return,
    };
    ids.push(missing.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of an edge that cleans nothing.
    fn record(shop: &str, at: i64, visitor: &str, user: &str) -> String {
        format!(
            r#"{{"event":{{"event_timestamp":{at},"anonymous_id":"{visitor}","user_id":"{user}"}},
            "batch":{{"sent_at":{at},"tracker":{{"name":"t","version":"1"}}}},
            "edge":{{"received_at":{at},"shop_id":"{shop}","schema_version":1,"device":"desktop","browser":"Chrome",
            "os":"Linux","bot_score":0,"bot_reasons":[]}}}}"#
        )
    }

    fn person(visitors: &[&str], users: &[&str], shop: Option<&str>) -> Person {
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Person {
            visitors: texts(visitors),
            users: texts(users),
            shop: shop.map(str::to_owned),
        }
    }

    fn completed(person: Person, privacy: &PrivacyRules, records: &[String]) -> Person {
        let mut found = Found::new(person, privacy);
        for record in records {
            found.look_at(record);
        }
        found.into_person()
    }

    #[test]
    fn visitor_belongs_to_the_customer_whose_id_was_taken_out_last() {
        let records = [
            record("demo", 3, "theirs", "jo@x.example"),
            record("demo", 2, "theirs", "amy@x.example"),
            record("demo", 1, "another's", "jo@x.example"),
            record("demo", 2, "another's", "amy@x.example"),
            record("other", 1, "of-another-shop", "jo@x.example"),
        ];
        let jo = person(&[], &["jo@x.example"], Some("demo"));
        let found = completed(jo, &PrivacyRules::default(), &records);
        assert_eq!(found.visitors, ["theirs"]);
        assert_eq!(found.users, ["jo@x.example"]);
    }

    #[test]
    fn ids_are_found_by_their_hashes_and_hashes_by_their_ids() {
        let rules = r#"{"fields":{"anonymous_id":"hash","user_id":"hash"}}"#;
        let key = "0123456789abcdef0123456789abcdef";
        let privacy = PrivacyRules::read(Some(rules), Some(key)).unwrap();
        let hash = |id: &str| privacy.hash("demo", id).unwrap();
        let (visitor, user) = (hash("v"), hash("c-42"));
        let records = [
            record("demo", 1, "v", "c-42"),
            record("demo", 1, "w", "c-43"),
        ];
        for given in [
            person(&["v"], &["c-42"], None),
            person(&[visitor.as_str()], &[user.as_str()], None),
        ] {
            let mut found = completed(given, &privacy, &records);
            found.visitors.sort_unstable_by_key(String::len);
            found.users.sort_unstable_by_key(String::len);
            assert_eq!(found.visitors, ["v", visitor.as_str()]);
            assert_eq!(found.users, ["c-42", user.as_str()]);
        }
    }
}
