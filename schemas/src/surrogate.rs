//! Lone surrogates: half a character that JavaScript lets a shop cut off, written as `\ud83c` in JSON. No text can hold
//! one, so it is read as U+FFFD, the replacement character.

use std::borrow::Cow;

/// Returns the JSON text with every lone surrogate replaced by the escape of U+FFFD.
#[must_use]
pub fn replace_lone(text: &str) -> Cow<'_, str> {
    let mut replaced = String::new();
    let mut copied = 0;
    let mut position = 0;
    let bytes = text.as_bytes();
    while let Some(found) = bytes.get(position..).and_then(|rest| memchr(b'\\', rest)) {
        let escape = position + found;
        position = match unit(bytes, escape) {
            Some(0xD800..=0xDBFF) if is_low(unit(bytes, escape + UNIT)) => escape + 2 * UNIT,
            Some(0xD800..=0xDFFF) => {
                replaced.push_str(text.get(copied..escape).unwrap_or_default());
                replaced.push_str("\\ufffd");
                copied = escape + UNIT;
                copied
            }
            Some(_) => escape + UNIT,
            // `\"` and the like: two bytes.
            None => escape + 2,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    replaced.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(replaced)
}

/// Bytes of an escape such as `\ud83c`.
const UNIT: usize = 6;

/// Returns the UTF-16 code unit that is written at a position, if one is.
fn unit(bytes: &[u8], position: usize) -> Option<u16> {
    let digits = bytes.get(position..position + UNIT)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn is_low(unit: Option<u16>) -> bool {
    matches!(unit, Some(0xDC00..=0xDFFF))
}

fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|other| *other == byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_halves_are_replaced() {
        for (text, expected) in [
            (r#""\ud83c""#, r#""\ufffd""#),
            (r#""\udf75 \ud83C!""#, r#""\ufffd \ufffd!""#),
            (r#""\ud83c\ud83c\udf75""#, r#""\ufffd\ud83c\udf75""#),
            (r#""\ud83c\n\udf75""#, r#""\ufffd\n\ufffd""#),
            (r#""\\\ud83c""#, r#""\\\ufffd""#),
            (r#"{"\ud83c":"ä\udfff"}"#, r#"{"\ufffd":"ä\ufffd"}"#),
        ] {
            assert_eq!(replace_lone(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_borrowed() {
        for text in [
            r#""\ud83c\udf75 \"\\ud83c\u00e4""#,
            r#""\ud83"#,
            r#""\"#,
            "",
            "\"🍵\"",
            r#""\u+d83""#,
        ] {
            assert!(
                matches!(replace_lone(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
