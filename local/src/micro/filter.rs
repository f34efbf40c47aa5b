//! Which entries are asked for: the parameters of `GET`, and the body of `POST` as users of Snowplow Micro send it.

use serde::Deserialize;

use super::entry::Entry;

/// Entries of a page, if nobody says how many.
const USUAL_LIMIT: usize = 1_000;

/// What an entry must be; without a field everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EntryFilter {
    /// Type of the event; of a bad one also the code of its first rejection.
    pub event_type: Option<String>,
    /// The shop whose write key it came with.
    pub shop: Option<String>,
    /// Part of the page's address.
    pub page: Option<String>,
    /// Received at this time or later, in milliseconds since the epoch.
    pub since: Option<i64>,
    /// Received before this time, in milliseconds since the epoch.
    pub until: Option<i64>,
    /// Anything in the entry, upper and lower case alike.
    pub contains: Option<String>,
    /// Whether it has warnings.
    pub warnings: Option<bool>,
    /// At most so many, the newest first.
    pub limit: Option<usize>,
    /// After so many that are newer.
    pub offset: Option<usize>,
    /// How they are written.
    pub format: EntryFormat,
}

/// How entries are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EntryFormat {
    /// An array.
    #[default]
    Json,
    /// One a line, as a file to keep.
    Jsonl,
}

/// The entries of one page, and how many there are on all pages.
pub(super) struct FoundEntries<'a> {
    pub page: Vec<&'a str>,
    pub matched: usize,
}

impl EntryFilter {
    /// The entries that it asks for.
    pub(super) fn of<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> FoundEntries<'a> {
        let contains = self.contains.as_ref().map(|text| text.to_lowercase());
        let matching: Vec<&str> = entries
            .filter(|entry| self.matches(entry, contains.as_deref()))
            .map(|entry| entry.json.as_str())
            .collect();
        let matched = matching.len();
        let page = matching
            .into_iter()
            .skip(self.offset.unwrap_or(0))
            .take(self.limit.unwrap_or(USUAL_LIMIT))
            .collect();
        FoundEntries { page, matched }
    }

    fn matches(&self, entry: &Entry, contains: Option<&str>) -> bool {
        let labels = &entry.labels;
        let is = |wanted: &Option<String>, value: &Option<String>| {
            wanted.is_none() || wanted.as_deref() == value.as_deref()
        };
        let is_on_page = self.page.as_deref().is_none_or(|part| {
            let page = labels.page_url.as_deref();
            page.is_some_and(|page| page.contains(part))
        });
        (is(&self.event_type, &labels.event_type) || is(&self.event_type, &labels.code))
            && is(&self.shop, &labels.shop_id)
            && is_on_page
            && self
                .since
                .is_none_or(|since| labels.received_at >= Some(since))
            && self
                .until
                .is_none_or(|until| labels.received_at.is_some_and(|at| at < until))
            && self
                .warnings
                .is_none_or(|wanted| wanted == labels.has_warnings)
            && contains.is_none_or(|text| entry.json.to_lowercase().contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Labels;
    use super::*;

    fn entry(number: i64, event_type: &str, page: &str) -> Entry {
        Entry {
            is_good: true,
            json: format!(r#"{{"number":{number}}}"#),
            labels: Labels {
                event_type: Some(event_type.to_owned()),
                code: None,
                shop_id: Some("demo".to_owned()),
                page_url: Some(page.to_owned()),
                received_at: Some(number),
                has_warnings: number == 2,
            },
        }
    }

    fn found(filter: &str) -> (Vec<i64>, usize) {
        let entries = [
            entry(3, "purchase", "http://shop.example/thanks"),
            entry(2, "page_view", "http://shop.example/cart"),
            entry(1, "page_view", "http://shop.example/"),
        ];
        let filter: EntryFilter = serde_json::from_str(filter).expect("a filter");
        let found = filter.of(entries.iter());
        let number = |text: &&str| {
            let entry: serde_json::Value = serde_json::from_str(text).expect("an entry");
            entry["number"].as_i64().expect("its number")
        };
        (found.page.iter().map(number).collect(), found.matched)
    }

    #[test]
    fn every_field_narrows_and_all_must_hold() {
        assert_eq!(found("{}"), (vec![3, 2, 1], 3));
        assert_eq!(found(r#"{"event_type": "page_view"}"#), (vec![2, 1], 2));
        assert_eq!(found(r#"{"page": "/cart"}"#), (vec![2], 1));
        assert_eq!(found(r#"{"shop": "other"}"#), (vec![], 0));
        assert_eq!(found(r#"{"since": 2, "until": 3}"#), (vec![2], 1));
        assert_eq!(found(r#"{"contains": "NUMBER\":3"}"#), (vec![3], 1));
        assert_eq!(found(r#"{"warnings": true}"#), (vec![2], 1));
        assert_eq!(
            found(r#"{"event_type": "page_view", "warnings": false}"#),
            (vec![1], 1)
        );
    }

    #[test]
    fn pages_follow_each_other() {
        assert_eq!(found(r#"{"limit": 2}"#), (vec![3, 2], 3));
        assert_eq!(found(r#"{"limit": 2, "offset": 2}"#), (vec![1], 3));
        assert_eq!(found(r#"{"offset": 9}"#), (vec![], 3));
    }

    #[test]
    fn filter_that_is_not_there_is_refused() {
        let refused = serde_json::from_str::<EntryFilter>(r#"{"schema": "iglu:com.acme/x"}"#);
        let reason = refused.expect_err("no such field").to_string();
        assert!(reason.contains("unknown field `schema`"), "{reason}");
    }
}
