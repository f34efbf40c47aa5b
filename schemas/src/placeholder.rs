//! Texts that stand for no id: what scripts and templates leave where an id was meant. An id that many strangers share
//! would make one loyal customer of them.

/// What may stand around an id and is not seen.
const INVISIBLE: [char; 11] = [
    ' ', '\t', '\r', '\n', '\0', '\u{a0}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}',
    '\u{feff}',
];

/// Texts that are no ids, in lower case.
const WORDS: [&str; 31] = [
    "",
    "0",
    "0.0",
    "-1",
    "nan",
    "nil",
    "null",
    "none",
    "n/a",
    "na",
    "-",
    "true",
    "false",
    "undefined",
    "unknown",
    "guest",
    "anonymous",
    "user_id",
    "userid",
    "(none)",
    "(null)",
    "(not set)",
    "not set",
    "(not provided)",
    "infinity",
    "function",
    "00000000-0000-0000-0000-000000000000",
    "\u{fffd}",
    // The empty text, such as a guest's e-mail address, hashed by MD5, SHA-1 and SHA-256.
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// How templates that nothing was filled into begin and end, and objects that were made texts.
const TEMPLATES: [(&str, &str); 6] = [
    ("*|", "|*"),
    ("<", ">"),
    ("%", "%"),
    ("@@", "@@"),
    ("__", "__"),
    ("[", "]"),
];

/// The same of those that may stand within a longer text.
const TEMPLATES_WITHIN: [(&str, &str); 4] = [("{{", "}}"), ("{%", "%}"), ("${", "}"), ("#{", "}")];

/// What a longer text ends with where a script has put nothing into it: `#undefined`.
const LAST_WORDS: [&str; 3] = ["undefined", "null", "nan"];

const QUOTES: [char; 2] = ['"', '\''];

/// Returns a text without what stands around it and is not seen.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(INVISIBLE)
}

/// Whether nothing is seen in a text.
pub(crate) fn is_blank(text: &str) -> bool {
    trimmed(text).is_empty()
}

/// Whether a text stands for no id.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    let text = trimmed(text).trim_matches(QUOTES);
    let last_word = text.rsplit(|character: char| !character.is_ascii_alphanumeric());
    let last_word = last_word.into_iter().next().unwrap_or_default();
    let is = |word: &&str, text: &str| text.eq_ignore_ascii_case(word);
    WORDS.iter().any(|word| is(word, text))
        || LAST_WORDS.iter().any(|word| is(word, last_word))
        || TEMPLATES_WITHIN.iter().any(|(begin, end)| {
            text.split_once(begin)
                .is_some_and(|(_, rest)| rest.contains(end))
        })
        || TEMPLATES.iter().any(|(begin, end)| {
            text.len() >= begin.len() + end.len() && text.starts_with(begin) && text.ends_with(end)
        })
}

/// The same as a regular expression (ECMA 262), for JSON Schema.
#[cfg(feature = "json-schema")]
pub(crate) fn pattern() -> String {
    let word = |word: &&str| -> String { word.chars().map(any_case).collect() };
    let template =
        |(begin, end): &(&str, &str)| format!("{}[\\s\\S]*{}", literal(begin), literal(end));
    let words = WORDS.iter().map(word);
    let alternatives: Vec<String> = words.chain(TEMPLATES.iter().map(template)).collect();
    let (around, quotes) = (invisible(), "[\"']*");
    let within = TEMPLATES_WITHIN.iter().map(template);
    let within = within.collect::<Vec<_>>().join("|");
    let last: Vec<String> = LAST_WORDS.iter().map(word).collect();
    format!(
        "^{around}{quotes}({}){quotes}{around}$|{within}|[^A-Za-z0-9]({}){quotes}{around}$",
        alternatives.join("|"),
        last.join("|")
    )
}

/// Texts in which nothing is seen, as a regular expression (ECMA 262).
#[cfg(feature = "json-schema")]
pub(crate) fn blank_pattern() -> String {
    format!("^{}$", invisible())
}

/// What may stand around an id or a code, as a regular expression.
#[cfg(feature = "json-schema")]
pub(crate) fn invisible() -> String {
    let escape = |character: &char| format!("\\u{:04x}", u32::from(*character));
    let characters: String = INVISIBLE.iter().map(escape).collect();
    format!("[{characters}]*")
}

#[cfg(feature = "json-schema")]
pub(crate) fn any_case(character: char) -> String {
    let (upper, lower) = (
        character.to_ascii_uppercase(),
        character.to_ascii_lowercase(),
    );
    if upper != lower {
        format!("[{upper}{lower}]")
    } else {
        literal(character.encode_utf8(&mut [0; 4]))
    }
}

#[cfg(feature = "json-schema")]
fn literal(text: &str) -> String {
    // With the flag `u`, what is no syntax may not be escaped.
    let escape = |character: char| match character {
        '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|'
        | '/' => {
            format!("\\{character}")
        }
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_and_templates_leave_is_no_id() {
        for text in [
            "",
            "  ",
            "undefined",
            "Null",
            "NaN",
            "0",
            "[object Object]",
            "{{ user.id }}",
            "${userId}",
            "<%= id %>",
            "%%USER_ID%%",
            "%user_id%",
            "{% customer.id %}",
            "<?= $id ?>",
            "#{id}",
            "@@id@@",
            "__USER_ID__",
            "[object HTMLInputElement]",
            "0.0",
            "00000000-0000-0000-0000-000000000000",
            "(not set)",
            "(not provided)",
            "<user_id>",
            "[user_id]",
            " none\n",
            "\0",
            "order-{{order.id}}",
            "U-undefined",
            "user_null",
            "undefined undefined",
            "#NaN",
            "\"undefined\"",
            "'null' ",
            "*|ID|*",
            "\u{fffd}",
            "\u{200b}",
            "\u{feff}null\u{a0}",
            "D41D8CD98F00B204E9800998ECF8427E",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn ids_that_only_look_odd_are_ids() {
        for text in [
            "1",
            "00",
            "0x0",
            "nullable",
            "guest-17",
            "undefined1",
            "annull",
            "nan-1",
            "{1}",
            "{}",
            "$",
            "%20",
            "none@shop.example",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
