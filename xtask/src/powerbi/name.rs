//! Names of the model: words for people, and tags by which Power BI knows an object again.

use xxhash_rust::xxh3::xxh3_128;

/// Words that are not merely capitalized.
const WORDS: [(&str, &str); 6] = [
    ("id", "ID"),
    ("kpis", "KPIs"),
    ("ltv", "LTV"),
    ("ms", "(ms)"),
    ("os", "OS"),
    ("rfm", "RFM"),
];

/// `average_session_duration_ms` as people read it: `Average Session Duration (ms)`.
pub(super) fn title(snake_case: &str) -> String {
    snake_case
        .split('_')
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

fn word(lower: &str) -> String {
    if let Some((_, special)) = WORDS.iter().find(|(plain, _)| *plain == lower) {
        return (*special).to_owned();
    }
    let mut letters = lower.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A name as TMDL writes it: in quotes where it is more than letters and digits.
pub(super) fn quoted(name: &str) -> String {
    if name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "''"))
}

/// A UUID (version 8) that is always the same for one path of names.
pub(super) fn lineage_tag(path: &str) -> String {
    const VERSION: u128 = 0x8 << 76;
    const VARIANT: u128 = 0b10 << 62;
    const FREE: u128 = !(0xf << 76 | 0b11 << 62);
    let hex = format!(
        "{:032x}",
        xxh3_128(path.as_bytes()) & FREE | VERSION | VARIANT
    );
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_what_people_read() {
        assert_eq!(title("customer_ltv"), "Customer LTV");
        assert_eq!(
            title("average_session_duration_ms"),
            "Average Session Duration (ms)"
        );
        assert_eq!(
            title("expected_value_12m_minor"),
            "Expected Value 12m Minor"
        );
    }

    #[test]
    fn names_of_several_words_are_quoted() {
        assert_eq!(quoted("Currency"), "Currency");
        assert_eq!(quoted("Shop's Day"), "'Shop''s Day'");
    }

    #[test]
    fn a_tag_is_a_stable_uuid() {
        let tag = lineage_tag("Daily KPIs/Day");
        assert_eq!(tag, lineage_tag("Daily KPIs/Day"));
        assert_ne!(tag, lineage_tag("Daily KPIs"));
        assert_eq!((tag.len(), &tag[14..15]), (36, "8"));
        assert!("89ab".contains(&tag[19..20]));
    }
}
