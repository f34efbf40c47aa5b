//! What a field may hold, as data: [`crate::validate`] checks by it, and the JSON Schema, the TypeScript types and the
//! documentation are generated from it. The tables of fields stand beside the types they describe.

use crate::placeholder::is_placeholder;

/// One field of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Whether it must be there. An optional field may also be `null`.
    pub required: bool,
    /// Whether it only describes: what is not as its rule says is left out, unless the event type requires it.
    pub describes: bool,
    /// What it may hold.
    pub rule: Rule,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// A string of `min` to `max` Unicode code points, of a form.
    Text {
        min: usize,
        max: usize,
        form: Option<Form>,
    },
    /// What people write and read. What is longer is cut; a number is read as its text.
    Prose { min: usize, max: usize },
    /// The address of a page. A longer one is cut, and keeps its campaign.
    PageUrl,
    /// An id that the shop gives. An integer is read as its text, and what stands for no id as none.
    ShopId { max: usize },
    /// The name of an event type.
    EventType,
    /// An ISO 4217 code.
    Currency,
    /// An integer; `1.0` is one too, and so is the text `1`. A fraction is rounded.
    Integer { min: i64, max: i64 },
    /// An instant in milliseconds since the epoch; a text of ISO 8601 is read as one.
    Instant { min: i64, max: i64 },
    /// An amount in the currency's major unit, rounded to its decimals. Lines of an order may be negative.
    Money { negative: bool },
    /// How much of an item, with up to three decimals.
    Quantity,
    /// `granted`, `denied` or `not_asked`; `true` and `false` are read as the first two.
    Consent,
    /// An object of these fields; others are allowed and not looked at.
    Object(&'static [Field]),
    /// Objects of these fields.
    List { max: usize, of: &'static [Field] },
    /// Flat name-value pairs.
    Properties,
}

/// The form of a text, beyond its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A UUID of version 7 (RFC 9562), lower case.
    UuidV7,
    /// Letters, digits, `_` and `-`, and no placeholder: strangers would be one visitor.
    Id,
    /// An absolute web address without spaces and control characters.
    WebUrl,
    /// Lower-case letters, digits and `_`, a letter first.
    SnakeCase,
    /// Two upper-case letters (ISO 3166-1 alpha-2).
    Country,
}

impl Field {
    /// A field that must be there.
    pub(crate) const fn required(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            required: true,
            describes: false,
            rule,
        }
    }

    /// A field that may be absent or `null`.
    pub(crate) const fn optional(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            required: false,
            describes: false,
            rule,
        }
    }

    /// An optional field that no event is refused for.
    pub(crate) const fn describing(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            required: false,
            describes: true,
            rule,
        }
    }
}

/// A text of any form.
pub(crate) const fn text(min: usize, max: usize) -> Rule {
    Rule::Text {
        min,
        max,
        form: None,
    }
}

/// A text of one form.
pub(crate) const fn formed(min: usize, max: usize, form: Form) -> Rule {
    Rule::Text {
        min,
        max,
        form: Some(form),
    }
}

/// A text that people write and read.
pub(crate) const fn prose(min: usize, max: usize) -> Rule {
    Rule::Prose { min, max }
}

/// An integer between two bounds, both included.
pub(crate) const fn integer(min: i64, max: i64) -> Rule {
    Rule::Integer { min, max }
}

/// An instant between two bounds, both included.
pub(crate) const fn instant(min: i64, max: i64) -> Rule {
    Rule::Instant { min, max }
}

impl Rule {
    /// Says the JSON type to a person.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text { .. }
            | Self::Prose { .. }
            | Self::PageUrl
            | Self::ShopId { .. }
            | Self::EventType
            | Self::Currency => "a string",
            Self::Integer { .. } => "an integer",
            Self::Instant { .. } => "milliseconds since 1970",
            Self::Money { .. } | Self::Quantity => "a number",
            Self::Consent => "`granted`, `denied` or `not_asked`",
            Self::Object(_) | Self::Properties => "an object",
            Self::List { .. } => "a list of objects",
        }
    }
}

impl Form {
    /// Whether a text has the form.
    pub(crate) fn matches(self, text: &str) -> bool {
        match self {
            Self::UuidV7 => is_uuid_v7(text),
            Self::Id => {
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
                    && !is_placeholder(text)
            }
            Self::WebUrl => ["https://", "http://"]
                .iter()
                .find_map(|scheme| text.strip_prefix(scheme))
                .is_some_and(|rest| {
                    !rest.is_empty() && !rest.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
                }),
            Self::SnakeCase => {
                text.starts_with(|first: char| first.is_ascii_lowercase())
                    && text.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
                    })
            }
            Self::Country => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        }
    }

    /// The same as a regular expression (ECMA 262), for JSON Schema.
    #[cfg(feature = "json-schema")]
    pub(crate) const fn pattern(self) -> &'static str {
        match self {
            Self::UuidV7 => "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            Self::Id => "^[A-Za-z0-9_-]*$",
            Self::WebUrl => "^https?://[^\\u0000-\\u0020\\u007f]+$",
            Self::SnakeCase => "^[a-z][a-z0-9_]*$",
            Self::Country => "^[A-Z]{2}$",
        }
    }

    /// Says the form to a person: what to send instead.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::UuidV7 => "a UUID of version 7 in lower case",
            Self::Id => "letters, digits, `_` and `-` only, no placeholder",
            Self::WebUrl => "an absolute `http://` or `https://` address",
            Self::SnakeCase => "lower-case letters, digits and `_` only, beginning with a letter",
            Self::Country => "two upper-case letters (ISO 3166-1 alpha-2)",
        }
    }
}

fn is_uuid_v7(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(position, byte)| match position {
                8 | 13 | 18 | 23 => byte == b'-',
                14 => byte == b'7',
                19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
}
