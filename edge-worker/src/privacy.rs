//! What of an event may be kept: applied before anything durable has it, to good events and dead letters alike.
//!
//! In what was refused a field may stand anywhere: there rules hold for its name wherever it is.
//!
//! The JSON is edited in place and not written again: what no rule touches stays as it came, byte for byte, and a text that
//! is no JSON is cleaned as well.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Number;
use serde_json::value::RawValue;
use shoptrail_schemas::trimmed;

use crate::config::ConfigError;

mod address;
mod edit;
mod hash;
pub(crate) mod mask;

use hash::HashKey;

const VARIABLE: &str = "SHOPTRAIL_PRIVACY";

/// Fields that the tables stand on: a rule for them would refuse every event.
const PROTECTED: &[&str] = &[
    "consent",
    "currency",
    "event_id",
    "event_timestamp",
    "event_type",
    "items",
    "page_url",
    "sent_at",
    "seq",
    "tracker",
    "value",
];

/// Fields that each event needs, whatever is in them.
const NEEDED: &[&str] = &["anonymous_id", "session_id"];

/// What fields are called that hold who the customer is, in lower case and in one word.
const CUSTOMERS: [&str; 2] = ["userid", "customerid"];

/// What is kept of bytes in which a field that may not be kept cannot be told from the rest.
const WITHHELD: &str = r#"{"withheld":true}"#;

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRule {
    /// It is replaced by `null`, which the contract reads as absent.
    Drop,
    /// It is replaced by a keyed hash: the same value stays the same, and nobody without the key can tell which it was.
    Hash,
    /// It stays as it is, if it is a text: nothing in it is masked.
    Keep,
}

/// The rules of one Worker.
#[derive(Debug, Default)]
pub struct PrivacyRules {
    settings: Settings,
    /// How many names the longest path of a rule has: enemies nest a hundred thousand, which nobody should join.
    longest: usize,
    key: Option<HashKey>,
    /// Whether they are applied to what they may have been applied to before.
    is_again: bool,
}

/// `SHOPTRAIL_PRIVACY`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// By path: `user_id`, `demographics`, `properties.newsletter_name`.
    fields: BTreeMap<String, FieldRule>,
    /// Query parameters that stay in addresses, beside those of campaigns, searches and pages.
    query_parameters: Vec<String>,
    /// Whether e-mail addresses and card numbers are masked in texts.
    mask_texts: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fields: BTreeMap::new(),
            query_parameters: Vec::new(),
            mask_texts: true,
        }
    }
}

/// Whose event is cleaned.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The shop: the same value has another hash in another shop.
    pub shop_id: &'a str,
    /// Whether the visitor may be known by name: not without consent to analytics.
    pub keeps_user_id: bool,
}

impl PrivacyRules {
    /// Reads the rules; `key` is `SHOPTRAIL_HASH_KEY`.
    ///
    /// # Errors
    /// Returns an error if the JSON is not what it should be, a field cannot have its rule, or the key is missing or short.
    pub fn read(json: Option<&str>, key: Option<&str>) -> Result<Self, ConfigError> {
        let settings: Settings = match json {
            Some(json) => serde_json::from_str(json).map_err(|cause| {
                let (line, column) = (cause.line(), cause.column());
                let problem = format!(
                    "is no JSON object of `fields` (each `drop`, `hash` or `keep`), `query_parameters` and `mask_texts`: line {line}, column {column}"
                );
                ConfigError::new(VARIABLE, problem)
            })?,
            None => Settings::default(),
        };
        let key = key.map(HashKey::new).transpose()?;
        for (field, rule) in &settings.fields {
            check_field(field, *rule, key.is_some())?;
        }
        let names = settings.fields.keys().map(|path| path.split('.').count());
        Ok(Self {
            longest: names.max().unwrap_or(0),
            settings,
            key,
            is_again: false,
        })
    }

    /// Returns the rules for dead letters that come back: what is a hash already is not hashed a second time.
    #[must_use]
    pub fn again(self) -> Self {
        Self {
            is_again: true,
            ..self
        }
    }

    /// Returns what tells these rules from others, key included, and nothing of the key itself.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let key = self.key.as_ref().map(|key| key.hash("", VARIABLE));
        format!("{:?} {key:?}", self.settings)
    }

    /// Returns what a value is hashed to in a shop; nothing without a key.
    #[must_use]
    pub fn hash(&self, shop_id: &str, value: &str) -> Option<String> {
        Some(self.key.as_ref()?.hash(shop_id, value))
    }

    /// Whether the visitor's id in a record is not the one that the browser knows.
    #[must_use]
    pub fn hashes_visitors(&self) -> bool {
        self.settings.fields.get("anonymous_id") == Some(&FieldRule::Hash)
    }

    /// Returns the event's text as it may be kept.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str, subject: Subject<'_>) -> Cow<'a, str> {
        let cleaner = Cleaner {
            rules: self,
            subject,
            is_refused: false,
            is_clean: false,
        };
        edit::edit(text, &cleaner).text
    }

    /// Returns the text of an event that was cleaned, and then repaired or found to be of a subject who may not be named: its
    /// texts are looked at again, its fields are what their rules have made of them.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str, subject: Subject<'_>) -> Cow<'a, str> {
        let cleaner = Cleaner {
            rules: self,
            subject,
            is_refused: false,
            is_clean: true,
        };
        edit::edit(text, &cleaner).text
    }

    /// Cleans what was refused, bytes of any kind. What is no UTF-8 is replaced, if anything else is. Of bytes that are no JSON
    /// nothing is kept where the name of a field stands that may not be, and its value cannot be told apart.
    #[must_use]
    pub fn clean_refused<'a>(&self, bytes: &'a [u8], subject: Subject<'_>) -> Cow<'a, [u8]> {
        let text = String::from_utf8_lossy(bytes);
        let cleaner = Cleaner {
            rules: self,
            subject,
            is_refused: true,
            is_clean: false,
        };
        let edited = edit::edit(&text, &cleaner);
        if cleaner.ruled_names_in(&text) > edited.ruled
            && serde_json::from_str::<Box<RawValue>>(&text).is_err()
        {
            return Cow::Borrowed(WITHHELD.as_bytes());
        }
        match edited.text {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(cleaned) => Cow::Owned(cleaned.into_bytes()),
        }
    }
}

fn check_field(field: &str, rule: FieldRule, has_key: bool) -> Result<(), ConfigError> {
    if rule == FieldRule::Keep {
        return Ok(());
    }
    let root = field.split('.').next().unwrap_or_default();
    if PROTECTED.contains(&root) || (rule == FieldRule::Drop && NEEDED.contains(&field)) {
        let problem = format!("has a rule for `{field}`, which every event needs as it is");
        return Err(ConfigError::new(VARIABLE, problem));
    }
    if rule == FieldRule::Hash && !has_key {
        let problem = format!("is not set, and `{VARIABLE}` hashes `{field}`");
        return Err(ConfigError::new("SHOPTRAIL_HASH_KEY", problem));
    }
    Ok(())
}

/// The rules for one event.
struct Cleaner<'a> {
    rules: &'a PrivacyRules,
    subject: Subject<'a>,
    /// Whether the event was refused, so that it may have any shape, or be a whole body.
    is_refused: bool,
    /// Whether its fields have been dropped and hashed: twice would be another hash.
    is_clean: bool,
}

impl Cleaner<'_> {
    /// How often the names of fields stand in a text that may not be kept as they are.
    fn ruled_names_in(&self, text: &str) -> usize {
        let is_unnamed = !self.subject.keeps_user_id;
        let mut found = 0;
        if is_unnamed {
            found = count(text, |rest| {
                CUSTOMERS
                    .iter()
                    .any(|name| begins_with(rest, name).is_some())
            });
        }
        for (path, rule) in &self.rules.settings.fields {
            let name = path.rsplit('.').next().unwrap_or_default();
            if *rule != FieldRule::Keep && !name.is_empty() && !(is_unnamed && names_customer(name))
            {
                found = found.saturating_add(count(text, |rest| rest.starts_with(name.as_bytes())));
            }
        }
        found
    }

    fn is_user_id(&self, path: &[Cow<'_, str>]) -> bool {
        self.is_field(path, "user_id")
    }

    fn is_field(&self, path: &[Cow<'_, str>], name: &str) -> bool {
        path == [name] || (self.is_refused && path.last().is_some_and(|last| last == name))
    }
}

/// At how many places of a text something begins. The standard library's search would bring four kilobytes of its own.
fn count(text: &str, begins: impl Fn(&[u8]) -> bool) -> usize {
    let bytes = text.as_bytes();
    let is_here = |start: &usize| begins(bytes.get(*start..).unwrap_or_default());
    (0..bytes.len()).filter(is_here).count()
}

/// Whether a field's name says that it holds who the customer is: `user_id`, `userId`, `customer-id`.
fn names_customer(name: &str) -> bool {
    let is_all = |rest: &[u8]| rest.is_empty();
    CUSTOMERS
        .iter()
        .any(|known| begins_with(name.as_bytes(), known).is_some_and(is_all))
}

/// Returns what follows a name in a text, in whatever case and however its words are joined.
fn begins_with<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = text;
    for (place, letter) in name.bytes().enumerate() {
        while let [b'_' | b'-' | b' ', after @ ..] = rest
            && place > 0
        {
            rest = after;
        }
        let (first, after) = rest.split_first()?;
        first.eq_ignore_ascii_case(&letter).then_some(())?;
        rest = after;
    }
    Some(rest)
}

/// Returns the digits of a number that is an integer, however JSON writes it: `4.2e1` is 42.
fn integer(text: &str) -> Option<String> {
    const MAX: f64 = 1e19;
    let number: Number = serde_json::from_str(text.trim()).ok()?;
    let integer = number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in the range"
        )]
        let whole = float as u64;
        (float.fract() == 0.0 && (0.0..MAX).contains(&float)).then_some(whole)
    })?;
    Some(integer.to_string())
}

impl edit::Editor for Cleaner<'_> {
    fn rule(&self, path: &[Cow<'_, str>]) -> Option<FieldRule> {
        if !self.subject.keeps_user_id && path.last().is_some_and(|name| names_customer(name)) {
            return Some(FieldRule::Drop);
        }
        let PrivacyRules {
            settings, longest, ..
        } = self.rules;
        let of = |path: &[Cow<'_, str>]| settings.fields.get(&path.join(".")).copied();
        let whole = (1..=*longest).contains(&path.len()).then(|| of(path));
        let whole = whole
            .flatten()
            .filter(|rule| !self.is_clean || *rule == FieldRule::Keep);
        if whole.is_some() || !self.is_refused {
            return whole;
        }
        let shortest = path.len().saturating_sub(*longest).max(1);
        let mut endings = (shortest..path.len()).filter_map(|start| path.get(start..));
        endings.find_map(|ending| of(ending).filter(|rule| *rule != FieldRule::Keep))
    }

    fn hash(&self, value: &str) -> Option<String> {
        let value = trimmed(value);
        if self.rules.is_again && hash::is_hash(value) {
            return Some(value.to_owned());
        }
        self.rules.hash(self.subject.shop_id, value)
    }

    fn text(&self, path: &[Cow<'_, str>], text: &str) -> Option<String> {
        let name = path.last().map_or("", |name| name.as_ref());
        if self.is_user_id(path) || self.is_field(path, "transaction_id") {
            // Shops that know customers or orders by e-mail address: two stay two, but there is no address.
            let is_address = self.rules.settings.mask_texts
                && (mask::has_email(text) || mask::has_email(&address::decoded(text)));
            return is_address.then(|| self.hash(text).unwrap_or_default());
        }
        let Settings {
            query_parameters,
            mask_texts,
            ..
        } = &self.rules.settings;
        if name.ends_with("_url") {
            return address::clean(text, query_parameters, *mask_texts);
        }
        let cleaned = address::clean_within(text, query_parameters, *mask_texts);
        let text = cleaned.as_deref().unwrap_or(text);
        let masked = match (*mask_texts, name.ends_with("_id")) {
            (false, _) => None,
            (true, true) => mask::without_emails(text),
            (true, false) => mask::clean(text),
        };
        masked.or(cleaned)
    }

    fn name(&self, name: &str) -> Option<String> {
        self.rules
            .settings
            .mask_texts
            .then(|| mask::clean(name))
            .flatten()
    }

    fn bare(&self, path: &[Cow<'_, str>], text: &str) -> Option<String> {
        let is_id = path
            .last()
            .is_some_and(|name| name == "seq" || name.ends_with("_id"));
        if !self.rules.settings.mask_texts || (is_id && !self.is_refused) {
            return None;
        }
        let in_number =
            |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b' ');
        let is_number = text.bytes().all(in_number);
        if is_number && let Some(digits) = integer(text) {
            return mask::clean(&digits).map(|masked| format!("\"{masked}\""));
        }
        match mask::clean(text) {
            Some(_) if is_number && is_fraction(text) => None,
            Some(masked) if is_number => Some(format!("\"{}\"", masked.trim())),
            masked => masked,
        }
    }
}

/// Whether a text of a number's bytes is one with a decimal point, and not four groups of a card's digits.
fn is_fraction(text: &str) -> bool {
    text.trim().bytes().filter(|byte| *byte == b'.').count() == 1 && !text.trim().contains(' ')
}

#[cfg(test)]
mod tests;
