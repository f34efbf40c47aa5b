//! Looks lines up in a text that is in the order of bytes, by bisection: it needs no table and nothing to be built at the
//! start, and a list costs its own bytes.

use std::cmp::Ordering;

/// Returns what follows the comma in the line of a name, or nothing where the line has no comma. `None` if no line has the
/// name, which is given in two parts.
pub(super) fn find<'a>(list: &'a str, prefix: &str, name: &str) -> Option<&'a str> {
    let bytes = list.as_bytes();
    let (mut from, mut to) = (0, bytes.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let before = bytes.get(from..middle)?;
        let start = from + before.iter().rposition(is_newline).map_or(0, |at| at + 1);
        let end = start + bytes.get(start..to)?.iter().position(is_newline)?;
        let line = bytes.get(start..end)?;
        let known = line.iter().position(|byte| *byte == b',');
        let known = line.get(..known.unwrap_or(line.len()))?;
        match order(prefix.as_bytes(), name.as_bytes(), known) {
            Ordering::Equal => return list.get(start + known.len()..end).map(value),
            Ordering::Less => to = start,
            Ordering::Greater => from = end + 1,
        }
    }
    None
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
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
    fn every_line_is_found_and_nothing_else() {
        let list = "a,1\nab,2\nb c,3\nz\n";
        assert_eq!(find(list, "", "a"), Some("1"));
        assert_eq!(find(list, "a", "b"), Some("2"));
        assert_eq!(find(list, "b c", ""), Some("3"));
        assert_eq!(find(list, "z", ""), Some(""));
        for name in ["", "aa", "c", "zz", "a,1"] {
            assert_eq!(find(list, "", name), None, "{name}");
            assert_eq!(find(list, name, "."), None, "{name}");
        }
        assert_eq!(find("", "", "a"), None);
        assert_eq!(find("one\n", "o", "ne"), Some(""));
    }
}
