//! What of an event may be kept: applied before anything durable has it, to good events and dead letters alike.
//!
//! In what was refused a field may stand anywhere: there rules hold for its name wherever it is.
//!
//! The JSON is edited in place and not written again: what no rule touches stays as it came, byte for byte, and a text that
//! is no JSON is cleaned as well.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

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
    "seq",
    "value",
];

/// Fields that each event needs, whatever is in them.
const NEEDED: &[&str] = &["anonymous_id", "session_id"];

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
        edit::edit(text, &cleaner)
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
        edit::edit(text, &cleaner)
    }

    /// Cleans what was refused, bytes of any kind. What is no UTF-8 is replaced, if anything else is.
    #[must_use]
    pub fn clean_refused<'a>(&self, bytes: &'a [u8], subject: Subject<'_>) -> Cow<'a, [u8]> {
        let text = String::from_utf8_lossy(bytes);
        let cleaner = Cleaner {
            rules: self,
            subject,
            is_refused: true,
            is_clean: false,
        };
        match edit::edit(&text, &cleaner) {
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
    fn is_user_id(&self, path: &[Cow<'_, str>]) -> bool {
        path == ["user_id"] || (self.is_refused && path.ends_with(&[Cow::Borrowed("user_id")]))
    }
}

impl edit::Editor for Cleaner<'_> {
    fn rule(&self, path: &[Cow<'_, str>]) -> Option<FieldRule> {
        if !self.subject.keeps_user_id && self.is_user_id(path) {
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
        if self.rules.is_again && hash::is_hash(value) {
            return Some(value.to_owned());
        }
        self.rules.hash(self.subject.shop_id, value)
    }

    fn text(&self, path: &[Cow<'_, str>], text: &str) -> Option<String> {
        let name = path.last().map_or("", |name| name.as_ref());
        if self.is_user_id(path) {
            // Shops that know their customers by e-mail address: still one customer, but no address.
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

    fn bare(&self, text: &str) -> Option<String> {
        // In an event that may be accepted these are numbers, which the contract judges.
        if !self.is_refused || !self.rules.settings.mask_texts {
            return None;
        }
        let in_number =
            |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b' ');
        let is_number = text.bytes().all(in_number);
        match mask::clean(text) {
            Some(_) if is_number && text.contains('.') => None,
            Some(masked) if is_number => Some(format!("\"{}\"", masked.trim())),
            masked => masked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const SUBJECT: Subject<'_> = Subject {
        shop_id: "demo",
        keeps_user_id: true,
    };

    fn cleaned(rules: &str, text: &str) -> String {
        let rules = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
        rules.clean(text, SUBJECT).into_owned()
    }

    #[test]
    fn event_without_personal_data_stays_as_it_came() {
        let text = r#"{ "user_id" : "c-42", "page_url":"https://shop.example/a?utm_source=x#top", "page_title":"2 @ 3", "event_timestamp":1795392000000 }"#;
        let rules = PrivacyRules::default();
        assert!(matches!(rules.clean(text, SUBJECT), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn tokens_and_addresses_never_pass_by_default() {
        let text = r#"{"page_url":"https://shop.example/reset?token=s3cret&utm_source=mail","referrer_url":"https://x.example/?email=jo%40x.example","search_term":"jo@x.example","properties":{"note":"card 4111 1111 1111 1111","next":"https://a.example/?sid=1"}}"#;
        assert_eq!(
            cleaned("{}", text),
            r#"{"page_url":"https://shop.example/reset?utm_source=mail","referrer_url":"https://x.example/","search_term":"[email]","properties":{"note":"card [card]","next":"https://a.example/"}}"#
        );
    }

    #[test]
    fn fields_are_dropped_or_hashed_by_their_path() {
        let rules =
            r#"{"fields":{"user_id":"hash","demographics":"drop","properties.name":"drop"}}"#;
        let text = r#"{"user_id":"c-42","demographics":{"gender":"f"},"properties":{"name":"Jo","x":1},"name":"kept"}"#;
        let cleaned = cleaned(rules, text);
        let (start, rest) = cleaned.split_at(12);
        assert_eq!(start, r#"{"user_id":""#);
        assert!(
            rest[..64].bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{cleaned}"
        );
        assert_eq!(
            &rest[64..],
            r#"","demographics":null,"properties":{"name":null,"x":1},"name":"kept"}"#
        );
    }

    #[test]
    fn kept_field_is_not_masked_and_its_neighbours_are() {
        let rules = r#"{"fields":{"properties.contact":"keep","page_url":"keep","items.item_name":"keep","user_id":"keep"}}"#;
        let text = r#"{"user_id":"jo@x.example","page_url":"https://a.example/?sid=1","items":[{"item_name":"4111 1111 1111 1111"}],"properties":{"contact":"shop@a.example","other":"jo@x.example","inner":{"contact":"jo@x.example"}},"contact":"jo@x.example"}"#;
        let expected = text
            .replace(r#""other":"jo@x.example""#, r#""other":"[email]""#)
            .replace(r#""contact":"jo@x.example""#, r#""contact":"[email]""#);
        assert_eq!(cleaned(rules, text), expected);
        let rules = PrivacyRules::read(Some(rules), None).unwrap();
        let unnamed = Subject {
            keeps_user_id: false,
            ..SUBJECT
        };
        assert!(rules.clean(text, unnamed).contains(r#""user_id":null"#));
    }

    #[test]
    fn text_without_an_end_is_masked_although_its_field_is_kept() {
        let rules = PrivacyRules::read(Some(r#"{"fields":{"search_term":"keep"}}"#), None).unwrap();
        let cleaned = rules.clean_refused(br#"{"search_term":"jo@x.example"#, SUBJECT);
        assert_eq!(cleaned.as_ref(), br#"{"search_term":"[email]"#);
    }

    #[test]
    fn fields_are_dropped_and_hashed_wherever_they_stand_in_what_was_refused() {
        let rules =
            r#"{"fields":{"demographics":"drop","properties.name":"hash","search_term":"keep"}}"#;
        let rules = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
        let unnamed = Subject {
            keeps_user_id: false,
            ..SUBJECT
        };
        let body = r#"{"events":[{"user_id":"c-42","demographics":{"gender":"f"},"properties":{"name":"Jo"},"search_term":"jo@x.example"}]}"#;
        let cleaned = rules.clean_refused(body.as_bytes(), unnamed);
        let cleaned = std::str::from_utf8(&cleaned).unwrap();
        for gone in ["c-42", "gender", "Jo", "jo@"] {
            assert!(!cleaned.contains(gone), "{gone} in {cleaned}");
        }
        assert!(cleaned.contains(r#""search_term":"[email]""#), "{cleaned}");
    }

    #[test]
    fn rules_hold_however_deep_an_enemy_nests() {
        let rules = r#"{"fields":{"properties.name":"drop"}}"#;
        let rules = PrivacyRules::read(Some(rules), None).unwrap();
        let deep = r#"{"a":"#.repeat(90_000);
        let body = format!(r#"{deep}{{"properties":{{"name":"Jo"}}}}"#);
        let cleaned = rules.clean_refused(body.as_bytes(), SUBJECT);
        assert!(cleaned.ends_with(br#"{"properties":{"name":null}}"#));
    }

    #[test]
    fn customer_number_has_the_same_hash_as_number_and_text_and_another_in_another_shop() {
        let rules = r#"{"fields":{"user_id":"hash"}}"#;
        let number = cleaned(rules, r#"{"user_id":42}"#);
        assert_eq!(number, cleaned(rules, r#"{"user_id":"42"}"#));
        let other = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
        let subject = Subject {
            shop_id: "other",
            ..SUBJECT
        };
        assert_ne!(number, other.clean(r#"{"user_id":42}"#, subject));
        assert_eq!(cleaned(rules, r#"{"user_id":null}"#), r#"{"user_id":null}"#);
    }

    #[test]
    fn what_is_a_hash_already_stays_one_where_rules_are_applied_again() {
        let rules = r#"{"fields":{"user_id":"hash"}}"#;
        let once = cleaned(rules, r#"{"user_id":"c-42"}"#);
        assert_ne!(cleaned(rules, &once), once);
        let again = PrivacyRules::read(Some(rules), Some(KEY)).unwrap().again();
        assert_eq!(again.clean(&once, SUBJECT), once);
        assert_eq!(again.clean(r#"{"user_id":"c-42"}"#, SUBJECT), once);
    }

    #[test]
    fn fingerprint_tells_rules_and_keys_apart_and_no_secret() {
        let of = |rules: &str, key: Option<&str>| {
            PrivacyRules::read(Some(rules), key).unwrap().fingerprint()
        };
        let all = [
            of("{}", None),
            of("{}", Some(KEY)),
            of("{}", Some(&KEY.to_uppercase())),
            of(r#"{"mask_texts":false}"#, Some(KEY)),
        ];
        for (position, one) in all.iter().enumerate() {
            assert!(!one.contains(KEY));
            assert!(!all[position + 1..].contains(one), "{one}");
        }
        assert_eq!(of(" {} ", None), all[0]);
    }

    #[test]
    fn name_written_with_escapes_is_the_same_name() {
        let rules = r#"{"fields":{"user_id":"drop"}}"#;
        assert_eq!(
            cleaned(rules, r#"{"user\u005fid":"Jo"}"#),
            r#"{"user\u005fid":null}"#
        );
        assert_eq!(
            cleaned("{}", r#"{"page_title":"jo\u0040x.example"}"#),
            r#"{"page_title":"[email]"}"#
        );
    }

    #[test]
    fn nobody_is_known_by_name_without_consent() {
        let subject = Subject {
            keeps_user_id: false,
            ..SUBJECT
        };
        let cleaned = PrivacyRules::default();
        assert_eq!(
            cleaned.clean(r#"{"user_id":"c-42","a":1}"#, subject),
            r#"{"user_id":null,"a":1}"#
        );
    }

    #[test]
    fn customer_known_by_address_is_hashed_or_without_a_key_unknown() {
        let text = r#"{"user_id":"jo@x.example"}"#;
        let hashed = cleaned("{}", text);
        assert!(!hashed.contains("jo@") && hashed.len() > 64, "{hashed}");
        let without_key = PrivacyRules::default();
        assert_eq!(without_key.clean(text, SUBJECT), r#"{"user_id":""}"#);
    }

    #[test]
    fn placeholder_is_not_hashed_into_a_customer() {
        let rules = r#"{"fields":{"user_id":"hash","transaction_id":"hash"}}"#;
        for placeholder in [
            r#""undefined""#,
            r#""null""#,
            r#""""#,
            "0",
            r#""{{ customer.id }}""#,
        ] {
            let text = format!(r#"{{"user_id":{placeholder},"transaction_id":{placeholder}}}"#);
            let expected = r#"{"user_id":null,"transaction_id":null}"#;
            assert_eq!(cleaned(rules, &text), expected);
        }
    }

    #[test]
    fn addresses_within_texts_are_cleaned() {
        for (text, expected) in [
            (
                "Failed to fetch https://a.example/api?email=jo&page=2 (404)",
                "Failed to fetch https://a.example/api?page=2 (404)",
            ),
            ("/reset?token=1", "/reset"),
            ("//a.example/?token=1", "//a.example/"),
            (" https://a.example/?token=1", " https://a.example/"),
            ("and/or? #1", "and/or? #1"),
        ] {
            let text = format!(r#"{{"properties":{{"message":"{text}"}}}}"#);
            let expected = format!(r#"{{"properties":{{"message":"{expected}"}}}}"#);
            assert_eq!(cleaned("{}", &text), expected);
        }
    }

    #[test]
    fn escapes_hide_nobody() {
        for (text, expected) in [
            (
                r#"{"page_url":"https://a.example/u/jo%40x%2Eexample/?q=jo%2540x.example&utm_term=4111%201111%201111+1111"}"#,
                r#"{"page_url":"https://a.example/u/redacted/?q=redacted&utm_term=redacted"}"#,
            ),
            (r#"{"user_id":"jo%40x%2Eexample"}"#, r#"{"user_id":""}"#),
        ] {
            let rules = PrivacyRules::default();
            assert_eq!(rules.clean(text, SUBJECT), expected);
        }
    }

    #[test]
    fn what_was_refused_is_masked_outside_of_quotes_too() {
        let rules = PrivacyRules::default();
        for (text, expected) in [
            (
                "{'email': 'jo@x.example','card':'4111111111111111'}",
                "{'email': '[email]','card':'[card]'}",
            ),
            (
                r#"{"n":4111111111111111,"t":52.52000659999}"#,
                r#"{"n":"[card]","t":52.52000659999}"#,
            ),
            (
                r#"{"a":"x,"b":"jo@x.example"}"#,
                r#"{"a":"x,"b":"[email]"}"#,
            ),
            (
                r#"{"a":"jo\u0040x.example \ud83c \q"}"#,
                "{\"a\":\"[email] \u{fffd} q\"}",
            ),
        ] {
            let cleaned = rules.clean_refused(text.as_bytes(), SUBJECT);
            assert_eq!(std::str::from_utf8(&cleaned).unwrap(), expected);
        }
    }

    #[test]
    fn number_of_an_order_is_no_card() {
        let text = r#"{"transaction_id":"4111111111111111","item_id":"jo@x.example"}"#;
        let expected = r#"{"transaction_id":"4111111111111111","item_id":"[email]"}"#;
        assert_eq!(cleaned("{}", text), expected);
    }

    #[test]
    fn masking_can_be_switched_off() {
        let text = r#"{"search_term":"jo@x.example"}"#;
        assert_eq!(cleaned(r#"{"mask_texts":false}"#, text), text);
    }

    #[test]
    fn text_that_is_no_json_is_cleaned_too() {
        assert_eq!(
            cleaned(
                "{}",
                r#"{"page_url":"https://a.example/?token=1","x":NaN,"y":"jo@x.example"#
            ),
            r#"{"page_url":"https://a.example/","x":NaN,"y":"[email]"#
        );
        let bytes = b"\"\xff jo@x.example\"";
        let cleaned = PrivacyRules::default();
        assert_eq!(
            cleaned.clean_refused(bytes, SUBJECT).as_ref(),
            "\"\u{fffd} [email]\"".as_bytes()
        );
        assert_eq!(
            cleaned.clean_refused(b"\"\xff\"", SUBJECT).as_ref(),
            b"\"\xff\""
        );
    }

    #[test]
    fn rule_that_would_refuse_every_event_is_refused() {
        for (rules, key, variable) in [
            (r#"{"fields":{"seq":"drop"}}"#, Some(KEY), VARIABLE),
            (r#"{"fields":{"items.price":"drop"}}"#, Some(KEY), VARIABLE),
            (r#"{"fields":{"anonymous_id":"drop"}}"#, Some(KEY), VARIABLE),
            (r#"{"fields":{"user_id":"keep out"}}"#, Some(KEY), VARIABLE),
            (r#"{"fields":{"user_id":["keep"]}}"#, Some(KEY), VARIABLE),
            (r#"{"field":{}}"#, Some(KEY), VARIABLE),
            (
                r#"{"fields":{"user_id":"hash"}}"#,
                None,
                "SHOPTRAIL_HASH_KEY",
            ),
            ("{}", Some("short"), "SHOPTRAIL_HASH_KEY"),
        ] {
            let error = PrivacyRules::read(Some(rules), key).unwrap_err();
            assert_eq!(error.variable, variable, "{rules}");
        }
        let hashed = r#"{"fields":{"anonymous_id":"hash"}}"#;
        assert!(PrivacyRules::read(Some(hashed), Some(KEY)).is_ok());
    }
}
