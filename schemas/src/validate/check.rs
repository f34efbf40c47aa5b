//! Walks a JSON value by its [`Rule`]s, repairs what can be understood, keeps where it is, and gathers what is wrong and
//! what was unusual.

mod amount;
mod places;
mod text;

use std::borrow::Cow;

use serde_json::Number;

use crate::consent::ConsentState;
use crate::event_type::EventType;
use crate::limits::{
    MAX_PROPERTIES, MAX_PROPERTY_NAME, MAX_PROPERTY_TEXT, MAX_REJECTIONS, MAX_WARNINGS,
};
use crate::placeholder::{is_blank, is_placeholder, trimmed};
use crate::reject::{RejectCode, Rejection, excerpt};
use crate::rule::{Field, Rule};
use crate::tree::{Members, Tree};
use crate::warning::{Warning, WarningCode};
use crate::{calendar, integer, money, number};
use places::Places;

/// Room for the pointers of known fields: `/items/199/item_category5`.
const USUAL_POINTER: usize = 32;

/// What has been found so far, and where the walk is.
pub(crate) struct Check {
    /// What the whole is called in messages.
    whole: &'static str,
    /// The JSON Pointer of the value looked at.
    pointer: String,
    currency: Currency,
    /// The fields that the event's type requires.
    required: &'static [&'static str],
    /// Whether a line of which there are 0 is none.
    counts_pieces: bool,
    /// Whether there may be such a line.
    may_have_none: bool,
    rejections: Vec<Rejection>,
    warnings: Vec<Warning>,
    /// Whether a value was changed.
    repaired: bool,
    /// Whether lone surrogates were replaced before the walk.
    surrogates: bool,
}

/// What the event's `currency` says about its amounts.
#[derive(Debug, Clone, Copy)]
enum Currency {
    Absent,
    /// Not a currency: reported once, at the field itself.
    Unknown,
    Known {
        code: &'static str,
        digits: u32,
    },
}

/// What a walk came to.
pub(crate) struct Findings {
    pub rejections: Vec<Rejection>,
    pub warnings: Vec<Warning>,
    pub repaired: bool,
}

impl Check {
    /// Starts at the root of `whole`, which is a name for messages.
    pub(crate) fn new(whole: &'static str) -> Self {
        Self {
            whole,
            pointer: String::with_capacity(USUAL_POINTER),
            currency: Currency::Absent,
            required: &[],
            counts_pieces: false,
            may_have_none: false,
            rejections: Vec::new(),
            warnings: Vec::new(),
            repaired: false,
            surrogates: false,
        }
    }

    /// Makes the walk look for the places where lone surrogates were replaced.
    pub(crate) fn with_surrogates(self, surrogates: bool) -> Self {
        Self { surrogates, ..self }
    }

    /// Returns what is wrong.
    pub(crate) fn into_rejections(self) -> Vec<Rejection> {
        self.rejections
    }

    /// Returns all that was found.
    pub(crate) fn into_findings(mut self) -> Findings {
        let code = WarningCode::LoneSurrogate;
        if self.surrogates && !self.warnings.iter().any(|warning| warning.code == code) {
            let message = format!("{} holds half a character: read as U+FFFD", self.whole);
            self.repair(code, message);
        }
        Findings {
            rejections: self.rejections,
            warnings: self.warnings,
            repaired: self.repaired,
        }
    }

    /// Makes amounts be checked against a currency.
    pub(crate) fn set_currency(&mut self, currency: Option<&Tree<'_>>) {
        self.currency = match currency {
            None => Currency::Absent,
            Some(currency) if currency.as_text().is_some_and(is_blank) => Currency::Absent,
            Some(currency) => currency
                .as_text()
                .and_then(|code| {
                    money::known(code).or_else(|| money::known(&trimmed(code).to_ascii_uppercase()))
                })
                .map_or(Currency::Unknown, |(code, digits)| Currency::Known {
                    code,
                    digits,
                }),
        };
    }

    /// Makes fields be judged that would be left out in events of other types.
    pub(crate) fn set_type(&mut self, event_type: EventType) {
        self.required = event_type.spec().required;
        self.counts_pieces = event_type.counts_pieces();
    }

    /// Goes one step down, for as long as `walk` runs. The segment is as a JSON Pointer writes it.
    pub(crate) fn at<T>(&mut self, segment: &str, walk: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(segment);
        let result = walk(self);
        self.pointer.truncate(length);
        result
    }

    /// Notes something wrong at this place, once per code and place.
    #[cold]
    pub(crate) fn reject(&mut self, code: RejectCode, message: String) {
        let known = |known: &Rejection| known.code == code && known.pointer == self.pointer;
        if self.rejections.len() < MAX_REJECTIONS && !self.rejections.iter().any(known) {
            self.rejections.push(Rejection {
                code,
                pointer: self.pointer.clone(),
                message,
            });
        }
    }

    /// Notes something unusual at this place.
    #[cold]
    pub(crate) fn warn(&mut self, code: WarningCode, message: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning {
                code,
                pointer: self.pointer.clone(),
                message,
            });
        }
    }

    /// Notes that a value at this place was changed, and why.
    #[cold]
    pub(crate) fn repair(&mut self, code: WarningCode, message: String) {
        self.repaired = true;
        self.warn(code, message);
    }

    /// Notes that this place is empty, and who needs it.
    #[cold]
    pub(crate) fn missing(&mut self, needed_by: &str) {
        let message = format!("{} is missing: {needed_by} needs it", self.name());
        self.reject(RejectCode::Missing, message);
    }

    /// Notes that a value of another JSON type was expected.
    #[cold]
    pub(crate) fn wrong_type(&mut self, found: &Tree<'_>, expected: &str) {
        let found = match found {
            Tree::Null => "null",
            Tree::Boolean(_) => "a boolean",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a string",
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
        };
        let message = format!("{} is {found}: send {expected}", self.name());
        self.reject(RejectCode::WrongType, message);
    }

    /// Checks an object's fields; those without a rule are not looked at.
    pub(crate) fn object(&mut self, fields: &[Field], object: &mut Members<'_>) {
        let places = Places::find(fields, object);
        for (number, field) in fields.iter().enumerate() {
            let found = match places.value(number, object) {
                Some(value) => {
                    self.at(field.name, |check| check.field(field, value));
                    true
                }
                None => false,
            };
            // An item without an id may have a name: that is looked at when all of it is known.
            let missing = field.required && !found && !matches!(field.rule, Rule::ShopId { .. });
            if missing {
                let needed_by = self.name();
                self.at(field.name, |check| check.missing(&needed_by));
            }
        }
    }

    fn field(&mut self, field: &Field, value: &mut Tree<'_>) {
        let found_before = self.rejections.len();
        self.value(field.rule, value);
        if self.rejections.len() > found_before && self.may_be_absent(field, value) {
            self.forgive(found_before);
            *value = Tree::Null;
        }
    }

    /// Whether a field that is not as it should be may be left out: it only describes, or nothing stands in it.
    #[cold]
    fn may_be_absent(&self, field: &Field, value: &Tree<'_>) -> bool {
        let is_blank = !field.required && value.as_text().is_some_and(is_blank);
        (field.describes || is_blank) && !self.required.contains(&field.name)
    }

    /// Makes a warning of what was found wrong since.
    #[cold]
    fn forgive(&mut self, found_before: usize) {
        self.rejections.truncate(found_before + 1);
        let Some(rejection) = self.rejections.pop() else {
            return;
        };
        self.repaired = true;
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning {
                code: WarningCode::LeftOut,
                pointer: rejection.pointer,
                message: rejection.message + "; left out",
            });
        }
    }

    fn value(&mut self, rule: Rule, value: &mut Tree<'_>) {
        match rule {
            Rule::Text { min, max, form } => self.text(value, min, max, form),
            Rule::Prose { min, max } => self.prose(value, min, max),
            Rule::PageUrl => self.page_url(value),
            Rule::ShopId { max } => self.shop_id(value, max),
            Rule::Integer { min, max } => {
                self.integer(value, rule, number::from_text, min, max);
            }
            Rule::Instant { min, max } => self.integer(value, rule, instant, min, max),
            Rule::Money { negative } => self.money(value, negative),
            Rule::Quantity => self.quantity(value),
            Rule::Consent => self.consent(value),
            Rule::Currency => self.currency(value),
            Rule::EventType | Rule::Object(_) | Rule::List { .. } | Rule::Properties => {
                match (rule, value) {
                    (Rule::EventType, Tree::Text(name)) => self.event_type(name),
                    (Rule::Object(fields), Tree::Object(object)) => self.object(fields, object),
                    (Rule::List { max, of }, Tree::List(entries)) => self.list(entries, max, of),
                    (Rule::Properties, Tree::Object(object)) => self.properties(object),
                    (rule, other) => self.wrong_type(other, rule.expected()),
                }
            }
        }
    }

    fn event_type(&mut self, name: &str) {
        if EventType::from_name(name).is_none() {
            let name = excerpt(name);
            let message = format!(
                "{name} is not an event type: send one of docs/events.md, or `custom` with an `event_name`"
            );
            self.reject(RejectCode::UnknownEventType, message);
        }
    }

    fn currency(&mut self, value: &mut Tree<'_>) {
        let Tree::Text(code) = value else {
            return self.wrong_type(value, "a string");
        };
        let is_currency = |code: &str| money::digits(code).is_some();
        self.other_case(code, str::to_ascii_uppercase, is_currency);
        if money::digits(code).is_none() {
            let message = format!(
                "{} is not a currency: send an ISO 4217 code such as `EUR`",
                excerpt(code)
            );
            self.reject(RejectCode::UnknownCurrency, message);
        }
    }

    fn consent(&mut self, value: &mut Tree<'_>) {
        match value {
            Tree::Text(name) if ConsentState::from_name(name).is_some() => {}
            Tree::Text(name) if let Some(state) = ConsentState::from_text(name) => {
                let message = format!(
                    "{} is {}: read as `{}`",
                    self.name(),
                    excerpt(name),
                    state.as_str()
                );
                self.repair(WarningCode::ConsentFromBoolean, message);
                *name = Cow::Borrowed(state.as_str());
            }
            Tree::Text(name) => {
                let message = format!(
                    "{} is {}: send {}",
                    self.name(),
                    excerpt(name),
                    Rule::Consent.expected()
                );
                self.reject(RejectCode::BadFormat, message);
            }
            Tree::Boolean(agreed) => {
                let state = ConsentState::from_boolean(*agreed).as_str();
                let message = format!("{} is `{agreed}`: read as `{state}`", self.name());
                self.repair(WarningCode::ConsentFromBoolean, message);
                *value = Tree::Text(Cow::Borrowed(state));
            }
            other => self.wrong_type(other, Rule::Consent.expected()),
        }
    }

    fn integer(
        &mut self,
        value: &mut Tree<'_>,
        rule: Rule,
        read: fn(&str) -> Option<f64>,
        min: i64,
        max: i64,
    ) {
        let Some(number) = self.number(value, rule.expected(), read) else {
            return;
        };
        let given = number.as_f64().unwrap_or(f64::NAN);
        #[expect(clippy::cast_precision_loss, reason = "bounds have at most 53 bits")]
        let bounds = min as f64..=max as f64;
        if !bounds.contains(&given) {
            let message = format!("{} is {number}: send {min} to {max}", self.name());
            self.reject(RejectCode::OutOfRange, message);
        } else if given.fract() != 0.0 {
            self.round(value, &number, 0, format_args!("it is an integer"));
        }
    }

    /// Returns a number, or a text that is one; then the text becomes the number.
    fn number(
        &mut self,
        value: &mut Tree<'_>,
        expected: &str,
        read: fn(&str) -> Option<f64>,
    ) -> Option<Number> {
        match value {
            Tree::Number(number) => return Some(number.clone()),
            Tree::Text(text) => {
                if let Some(number) = read(text).and_then(to_json) {
                    let message = format!(
                        "{} is the text {}: read as {number}",
                        self.name(),
                        excerpt(text)
                    );
                    self.repair(WarningCode::NumberFromText, message);
                    *value = Tree::Number(number.clone());
                    return Some(number);
                }
            }
            _ => {}
        }
        self.wrong_type(value, expected);
        None
    }

    fn list(&mut self, entries: &mut Vec<Tree<'_>>, max: usize, fields: &[Field]) {
        if entries.len() > max {
            let message = format!(
                "{} has {} entries: send at most {max}",
                self.name(),
                entries.len()
            );
            self.reject(RejectCode::TooMany, message);
        }
        for (position, entry) in entries.iter_mut().take(max).enumerate() {
            self.at(&position.to_string(), |check| match entry {
                Tree::Object(object) => {
                    check.object(fields, object);
                    check.item(object);
                }
                // What a condition leaves in JavaScript: `[mug, hasGift && gift]`.
                Tree::Null | Tree::Boolean(false) => {
                    let message = format!("{} is no object; left out", check.name());
                    check.repair(WarningCode::LeftOut, message);
                    *entry = Tree::Null;
                }
                other => check.wrong_type(other, "an object"),
            });
        }
        if self.may_have_none {
            self.lines_of_none(entries);
        }
        entries.retain(|entry| !entry.is_null());
    }

    /// Leaves lines out of which there are 0. Where that is all of them, or says what is in stock, the quantity says nothing.
    #[cold]
    fn lines_of_none(&mut self, entries: &mut [Tree<'_>]) {
        let is_none = |entry: &Tree<'_>| matches!(entry, Tree::Object(item) if item.number("quantity") == Some(0.0));
        let is_bought = |entry: &Tree<'_>| !entry.is_null() && !is_none(entry);
        let lines_go = self.counts_pieces && entries.iter().any(is_bought);
        for (position, entry) in entries.iter_mut().enumerate() {
            if !is_none(entry) {
                continue;
            }
            self.at(&position.to_string(), |check| match entry {
                Tree::Object(item) if !lines_go => {
                    check.at("quantity", |check| {
                        check.repair(WarningCode::LeftOut, "`quantity` is 0; left out".to_owned());
                    });
                    item.set("quantity", Tree::Null);
                }
                entry => {
                    let message = format!("{} has a quantity of 0; left out", check.name());
                    check.repair(WarningCode::LeftOut, message);
                    *entry = Tree::Null;
                }
            });
        }
    }

    /// Checks what depends on several fields of an item.
    fn item(&mut self, item: &mut Members<'_>) {
        self.item_id(item);
        self.line_total(item);
    }

    /// A product may go by its name, as GA4 allows.
    fn item_id(&mut self, item: &mut Members<'_>) {
        if item.get("item_id").is_some() {
            return;
        }
        let name = match item.text("item_name") {
            Some(name) if !is_placeholder(name) => name.to_owned(),
            _ => {
                let needed_by = self.name();
                self.at("item_id", |check| check.missing(&needed_by));
                return;
            }
        };
        let id: String = name.chars().take(crate::limits::MAX_NAME).collect();
        self.at("item_id", |check| {
            let message = "`item_id` is missing: the item goes by its name".to_owned();
            check.repair(WarningCode::IdReplaced, message);
        });
        item.set("item_id", Tree::Text(Cow::Owned(id)));
    }

    fn properties(&mut self, properties: &mut Members<'_>) {
        let found_before = self.rejections.len();
        if properties.0.len() > MAX_PROPERTIES {
            let message = format!(
                "{} has {} entries: {MAX_PROPERTIES} are kept",
                self.name(),
                properties.0.len()
            );
            self.repair(WarningCode::LeftOut, message);
            properties.0.truncate(MAX_PROPERTIES);
        }
        properties.0.retain_mut(|(name, value)| {
            self.property(name, value);
            let stays = self.rejections.len() <= found_before;
            if !stays {
                self.forgive(found_before);
            }
            stays
        });
    }

    fn property(&mut self, name: &str, value: &mut Tree<'_>) {
        // A bad name is reported at the object: it may be too long for a pointer.
        match name.chars().count() {
            0 => self.reject(
                RejectCode::TooShort,
                "a name in `properties` is empty: name every property".to_owned(),
            ),
            length if length > MAX_PROPERTY_NAME => {
                let message = format!(
                    "a name in `properties` has {length} characters: use at most {MAX_PROPERTY_NAME}"
                );
                self.reject(RejectCode::TooLong, message);
            }
            _ => self.at(
                &name.replace('~', "~0").replace('/', "~1"),
                |check| match value {
                    Tree::Text(_) => check.prose(value, 0, MAX_PROPERTY_TEXT),
                    Tree::List(_) | Tree::Object(_) => {
                        check.wrong_type(value, "a string, number, boolean or null")
                    }
                    Tree::Null | Tree::Boolean(_) | Tree::Number(_) => {}
                },
            ),
        }
    }

    /// Names the place for a message.
    fn name(&self) -> String {
        let Some((parents, segment)) = self.pointer.rsplit_once('/') else {
            return self.whole.to_owned();
        };
        if !segment.bytes().all(|byte| byte.is_ascii_digit()) {
            return excerpt(segment);
        }
        let list = parents.rsplit('/').next().unwrap_or_default();
        excerpt(&format!("{list}/{segment}"))
    }
}

/// Reads milliseconds since the epoch, or the text of a time.
fn instant(text: &str) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "years have four digits")]
    let read = |ms: i64| ms as f64;
    number::from_text(text).or_else(|| calendar::from_iso_8601(text).map(read))
}

/// Writes a number as JavaScript does: an integer without a fraction.
fn to_json(number: f64) -> Option<Number> {
    let number = Number::from_f64(number)?;
    match integer::from_number(&number) {
        Some(integer) => Some(integer.into()),
        None => Some(number),
    }
}
