//! Finds where JSON texts begin and end without reading them: strings are skipped, brackets are counted. It works on broken
//! JSON too, which is the point: what follows a broken place can still be told apart.

use memchr::memchr2;

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of `text`.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// Returns what was not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips JSON's white space and returns the next byte, which is not read.
    pub fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    /// Reads the next byte, after white space, if it is `expected`.
    pub fn eat(&mut self, expected: u8) -> bool {
        let is_there = self.peek() == Some(expected);
        if is_there {
            self.take(1);
        }
        is_there
    }

    /// Reads this many bytes, or what is left.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Reads a string with its quotes, if one is next.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        (self.peek() == Some(b'"')).then(|| self.take(string_length(self.rest)))
    }

    /// Reads a value: up to the comma or bracket that ends it. It may be anything, or nothing.
    pub fn value(&mut self) -> &'a [u8] {
        self.peek();
        self.take(value_length(self.rest)).trim_ascii_end()
    }
}

/// Returns the length of the string that `text` begins with, quotes included; all of it if the string has no end.
#[must_use]
pub fn string_length(text: &[u8]) -> usize {
    let mut position: usize = 1;
    while let Some(rest) = text.get(position..)
        && let Some(found) = memchr2(b'"', b'\\', rest)
    {
        position = position.saturating_add(found).saturating_add(1);
        if rest.get(found) == Some(&b'"') {
            return position;
        }
        // What is escaped ends nothing.
        position = position.saturating_add(1);
    }
    text.len()
}

/// Returns the length of the value that `text` begins with: up to its last bracket, a comma, or a closing bracket that is
/// not its own.
fn value_length(text: &[u8]) -> usize {
    let mut depth: usize = 0;
    let mut position: usize = 0;
    while let Some(byte) = text.get(position) {
        match byte {
            b'"' => {
                let string = text.get(position..).unwrap_or_default();
                position = position.saturating_add(string_length(string));
                continue;
            }
            b',' | b'}' | b']' if depth == 0 => break,
            b'}' | b']' if depth == 1 => return position.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'{' | b'[' => depth = depth.saturating_add(1),
            _ => {}
        }
        position = position.saturating_add(1);
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_ends_at_a_comma_or_bracket_that_is_not_its_own() {
        for (text, expected) in [
            (r#"{"a":[1,{}]},2"#, r#"{"a":[1,{}]}"#),
            (r#""a,b\"]" ]"#, r#""a,b\"]""#),
            (r#"{"a":1}{"a":2}"#, r#"{"a":1}"#),
            ("01 , 2", "01"),
            (",2", ""),
            ("", ""),
            (r#"{"cut":"short"#, r#"{"cut":"short"#),
        ] {
            let value = Cursor::new(text.as_bytes()).value();
            assert_eq!(std::str::from_utf8(value).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn string_without_an_end_is_all_that_is_left() {
        assert_eq!(string_length(br#""ab\""#), 5);
        assert_eq!(string_length(br#""ab" c"#), 4);
        assert_eq!(string_length(b"\""), 1);
        assert_eq!(string_length(br#""\\""#), 4);
        assert_eq!(string_length(br#""ab\"#), 4);
    }
}
