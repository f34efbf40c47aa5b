//! Looks lines up in a text that is in the order of bytes, by bisection: it needs no table and nothing to be built at the
//! start, and a list costs its own bytes.

use std::cmp::Ordering;

/// Returns what follows the comma in the line of a name, or nothing where the line has no comma. `None` if no line has the
/// name, which is given in parts.
pub(super) fn find<'a>(list: &'a str, name: &[&str]) -> Option<&'a str> {
    let mut rest = list;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let (before, _) = rest.split_at_checked(middle)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, after) = rest.get(start..)?.split_once('\n')?;
        let (known, value) = line.split_once(',').unwrap_or((line, ""));
        let wanted = name.iter().flat_map(|part| part.bytes());
        match wanted.cmp(known.bytes()) {
            Ordering::Equal => return Some(value),
            Ordering::Less => rest = rest.get(..start)?,
            Ordering::Greater => rest = after,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let list = "a,1\nab,2\nb c,3\nz\n";
        assert_eq!(find(list, &["a"]), Some("1"));
        assert_eq!(find(list, &["a", "b"]), Some("2"));
        assert_eq!(find(list, &["b c"]), Some("3"));
        assert_eq!(find(list, &["z"]), Some(""));
        for name in ["", "aa", "c", "zz", "a,1"] {
            assert_eq!(find(list, &[name]), None, "{name}");
        }
        assert_eq!(find("", &["a"]), None);
        assert_eq!(find("one\n", &["one"]), Some(""));
    }
}
