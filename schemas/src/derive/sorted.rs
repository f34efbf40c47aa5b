//! Looks entries up in a text that is in the order of bytes, by bisection: it needs no table and nothing to be built at
//! the start, and a list costs its own bytes.

use std::cmp::Ordering;

/// Returns what follows the comma in the entry of a name, or nothing where the entry has no comma. `None` if no entry has
/// the name, which is given in two parts.
pub(super) fn find<'a>(
    list: &'a str,
    end_of_entry: u8,
    prefix: &str,
    name: &str,
) -> Option<&'a str> {
    let bytes = list.as_bytes();
    let is_end = |byte: &u8| *byte == end_of_entry;
    let (mut from, mut to) = (0, bytes.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let before = bytes.get(from..middle)?;
        let start = from + before.iter().rposition(is_end).map_or(0, |at| at + 1);
        let rest = bytes.get(start..to)?;
        let entry = rest.get(..rest.iter().position(is_end).unwrap_or(rest.len()))?;
        let end = start + entry.len();
        let known = entry.iter().position(|byte| *byte == b',');
        let known = entry.get(..known.unwrap_or(entry.len()))?;
        match order(prefix.as_bytes(), name.as_bytes(), known) {
            Ordering::Equal => return list.get(start + known.len()..end).map(value),
            Ordering::Less => to = start,
            Ordering::Greater => from = end + 1,
        }
    }
    None
}

/// Where a name in two parts stands to a known one.
fn order(prefix: &[u8], name: &[u8], known: &[u8]) -> Ordering {
    let (start, rest) = known.split_at_checked(prefix.len()).unwrap_or((known, &[]));
    prefix.cmp(start).then_with(|| name.cmp(rest))
}

fn value(from_comma: &str) -> &str {
    from_comma.strip_prefix(',').unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        let list = "a,1\nab,2\nb c,3\nz\n";
        assert_eq!(find(list, b'\n', "", "a"), Some("1"));
        assert_eq!(find(list, b'\n', "a", "b"), Some("2"));
        assert_eq!(find(list, b'\n', "b c", ""), Some("3"));
        assert_eq!(find(list, b'\n', "z", ""), Some(""));
        for name in ["", "aa", "c", "zz", "a,1"] {
            assert_eq!(find(list, b'\n', "", name), None, "{name}");
            assert_eq!(find(list, b'\n', name, "."), None, "{name}");
        }
        assert_eq!(find("", b'\n', "", "a"), None);
        assert_eq!(find("one\n", b'\n', "o", "ne"), Some(""));
        assert_eq!(find("one two", b' ', "", "one"), Some(""));
        assert_eq!(find("one two", b' ', "tw", "o"), Some(""));
    }
}
