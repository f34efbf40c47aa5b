//! SQL text, made of definitions and of values that anyone may have written: literals are the border between the two.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::table::Table;
use crate::warehouse::{Day, Filter, Person, Query};

/// Storage Read takes this many bytes of row restriction
/// (<https://cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1>: 1 MB).
const MAX_RESTRICTION: usize = 900_000;

/// A text as a literal.
pub(super) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for character in value.chars() {
        match character {
            '\'' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            // Newlines among them: a literal in single quotes holds none.
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(literal, "\\u{:04x}", u32::from(control));
            }
            other => literal.push(other),
        }
    }
    literal.push('\'');
    literal
}

/// UTC microseconds as a literal, kept within the range of the type.
pub(super) fn timestamp(micros: i64) -> String {
    // 0001-01-01 to the last microsecond of 9999-12-31.
    let micros = micros.clamp(-62_135_596_800_000_000, 253_402_300_799_999_999);
    let instant = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    format!("TIMESTAMP '{}'", instant.format("%Y-%m-%d %H:%M:%S%.6f+00"))
}

fn date(day: Day) -> String {
    let date = chrono::NaiveDate::default() + chrono::Duration::days(day.into());
    format!("DATE '{date}'")
}

/// `column IN (…)` over days; false for none.
fn in_days<'a>(column: &str, days: impl IntoIterator<Item = &'a Day>) -> String {
    let days: Vec<String> = days.into_iter().map(|day| date(*day)).collect();
    if days.is_empty() {
        "FALSE".to_owned()
    } else {
        format!("{column} IN ({})", days.join(", "))
    }
}

/// The row restriction of a query. A list too long for it becomes the range it lies in: whoever reads filters again.
pub(super) fn restriction(table: &Table, query: &Query) -> String {
    let days = query
        .days
        .as_ref()
        .zip(table.partition)
        .map(|(days, column)| in_days(column, days));
    let filters = query.filters.iter().map(condition);
    days.into_iter()
        .chain(filters)
        .collect::<Vec<_>>()
        .join(" AND ")
}

fn condition(filter: &Filter) -> String {
    match filter {
        Filter::TextBetween(column, low, high) => {
            format!("{column} BETWEEN {} AND {}", text(low), text(high))
        }
        Filter::TimestampBetween(column, low, high) => {
            format!(
                "{column} BETWEEN {} AND {}",
                timestamp(*low),
                timestamp(*high)
            )
        }
        Filter::Missing(column) => format!("{column} IS NULL"),
        Filter::TextIn(column, values) => {
            let list = values
                .iter()
                .map(|value| text(value))
                .collect::<Vec<_>>()
                .join(", ");
            match (values.iter().min(), values.iter().max()) {
                (Some(low), Some(high)) if list.len() > MAX_RESTRICTION => {
                    format!("{column} BETWEEN {} AND {}", text(low), text(high))
                }
                (Some(_), Some(_)) => format!("{column} IN ({list})"),
                _ => "FALSE".to_owned(),
            }
        }
    }
}

/// The statement that empties a table.
pub(super) fn delete_all(target: &str) -> String {
    format!("DELETE FROM `{target}` WHERE TRUE")
}

/// The statement that takes away the rows whose keys are staged, all of them in `days`.
pub(super) fn delete_keys(
    target: &str,
    table: &Table,
    staging: &str,
    days: &BTreeSet<Day>,
) -> String {
    let same = table
        .key
        .iter()
        .map(|column| format!("gone.{column} = held.{column}"));
    let same = same.collect::<Vec<_>>().join(" AND ");
    let pruned = match table.partition {
        Some(column) => format!("{} AND ", in_days(&format!("held.{column}"), days)),
        None => String::new(),
    };
    format!(
        "DELETE FROM `{target}` AS held WHERE {pruned}EXISTS (SELECT 1 FROM `{staging}` AS gone WHERE {same})"
    )
}

/// The condition that a row of Confluent's sink tells of a person.
pub(super) fn of_person(person: &Person) -> String {
    let one_of = |column: &str, ids: &[String]| {
        let ids: Vec<String> = ids.iter().map(|id| text(id)).collect();
        (!ids.is_empty()).then(|| format!("{column} IN ({})", ids.join(", ")))
    };
    let ids = [
        one_of("event.anonymous_id", &person.visitors),
        one_of("event.user_id", &person.users),
    ];
    let ids: Vec<String> = ids.into_iter().flatten().collect();
    let ids = if ids.is_empty() {
        "FALSE".to_owned()
    } else {
        format!("({})", ids.join(" OR "))
    };
    match &person.shop {
        Some(shop) => format!("{ids} AND edge.shop_id = {}", text(shop)),
        None => ids,
    }
}

/// The statement that makes a float of a whole number.
pub(super) fn widen(target: &str, column: &str) -> String {
    format!("ALTER TABLE `{target}` ALTER COLUMN {column} SET DATA TYPE FLOAT64")
}

/// The statement that takes over staged rows.
pub(super) fn insert(target: &str, table: &Table, staging: &str) -> String {
    let columns = table.column_names().collect::<Vec<_>>().join(", ");
    format!("INSERT INTO `{target}` ({columns}) SELECT {columns} FROM `{staging}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silver::sessions;

    #[test]
    fn text_cannot_leave_its_literal() {
        assert_eq!(text("it's \\ \"x\" `y`"), r#"'it\'s \\ "x" `y`'"#);
        assert_eq!(text("a\nb\u{0}\u{7f}"), r"'a\u000ab\u0000\u007f'");
        assert_eq!(text("') OR TRUE --"), r"'\') OR TRUE --'");
    }

    #[test]
    fn restriction_names_days_and_filters_within_the_types_range() {
        let query = Query::all()
            .days(&[20_000, 20_001].into())
            .filter(Filter::TimestampBetween("session_end", 1_500_000, i64::MAX))
            .filter(Filter::TextIn("session_key", vec!["a".into(), "b".into()]));
        assert_eq!(
            restriction(&sessions::TABLE, &query),
            "day IN (DATE '2024-10-04', DATE '2024-10-05') AND session_end BETWEEN TIMESTAMP '1970-01-01 \
             00:00:01.500000+00' AND TIMESTAMP '9999-12-31 23:59:59.999999+00' AND session_key IN ('a', 'b')"
        );
        assert_eq!(restriction(&sessions::TABLE, &Query::all()), "");
        let nothing = Query::all().filter(Filter::TextIn("session_key", Vec::new()));
        assert_eq!(restriction(&sessions::TABLE, &nothing), "FALSE");
    }

    #[test]
    fn person_is_found_by_ids_that_are_literals() {
        let person = Person {
            visitors: vec!["a' OR TRUE --".to_owned()],
            users: vec!["42".to_owned()],
            shop: Some("demo".to_owned()),
        };
        assert_eq!(
            of_person(&person),
            r"(event.anonymous_id IN ('a\' OR TRUE --') OR event.user_id IN ('42')) AND edge.shop_id = 'demo'"
        );
        assert_eq!(of_person(&Person::default()), "FALSE");
    }

    #[test]
    fn list_too_long_for_a_restriction_becomes_its_range() {
        let values: Vec<String> = (0..100_000)
            .map(|number| format!("key-{number:06}"))
            .collect();
        let query = Query::all().filter(Filter::TextIn("session_key", values));
        assert_eq!(
            restriction(&sessions::TABLE, &query),
            "session_key BETWEEN 'key-000000' AND 'key-099999'"
        );
    }

    #[test]
    fn deletion_names_what_goes_and_no_more() {
        let days = [20_000].into();
        assert_eq!(
            delete_keys("p.d.silver_sessions", &sessions::TABLE, "p.d.keys", &days),
            "DELETE FROM `p.d.silver_sessions` AS held WHERE held.day IN (DATE '2024-10-04') AND EXISTS (SELECT 1 FROM \
             `p.d.keys` AS gone WHERE gone.shop_id = held.shop_id AND gone.session_key = held.session_key)"
        );
        assert!(delete_all("t").ends_with("WHERE TRUE"));
    }
}
