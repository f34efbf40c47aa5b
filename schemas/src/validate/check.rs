//! Walks a JSON value by its [`Rule`]s, keeps where it is, and gathers what is wrong.

use serde_json::{Map, Number, Value};

use crate::event_type::EventType;
use crate::integer;
use crate::limits::{
    MAX_AMOUNT, MAX_PROPERTIES, MAX_PROPERTY_NAME, MAX_PROPERTY_TEXT, MAX_REJECTIONS,
};
use crate::money::{self, MoneyError};
use crate::reject::{RejectCode, Rejection, excerpt};
use crate::rule::{Field, Form, Rule};

/// What has been found wrong so far, and where the walk is.
pub(crate) struct Check {
    /// What the whole is called in messages.
    whole: &'static str,
    /// The JSON Pointer of the value looked at.
    pointer: String,
    currency: Currency,
    rejections: Vec<Rejection>,
}

/// What the event's `currency` says about its amounts.
enum Currency {
    Absent,
    /// Not a currency: reported once, at the field itself.
    Unknown,
    Known(String),
}

impl Check {
    /// Starts at the root of `whole`, which is a name for messages.
    pub(crate) fn new(whole: &'static str) -> Self {
        Self {
            whole,
            pointer: String::new(),
            currency: Currency::Absent,
            rejections: Vec::new(),
        }
    }

    /// Returns what was found.
    pub(crate) fn into_rejections(self) -> Vec<Rejection> {
        self.rejections
    }

    /// Makes amounts be checked against a currency.
    pub(crate) fn set_currency(&mut self, currency: Option<&Value>) {
        self.currency = match currency {
            None | Some(Value::Null) => Currency::Absent,
            Some(Value::String(code)) if money::digits(code).is_some() => {
                Currency::Known(code.clone())
            }
            Some(_) => Currency::Unknown,
        };
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

    /// Notes that this place is empty, and who needs it.
    pub(crate) fn missing(&mut self, needed_by: &str) {
        let message = format!("{} is missing: {needed_by} needs it", self.name());
        self.reject(RejectCode::Missing, message);
    }

    /// Notes that a value of another JSON type was expected.
    pub(crate) fn wrong_type(&mut self, found: &Value, expected: &str) {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let message = format!("{} is {found}: send {expected}", self.name());
        self.reject(RejectCode::WrongType, message);
    }

    /// Checks an object's fields; those without a rule are not looked at.
    pub(crate) fn object(&mut self, fields: &[Field], object: &Map<String, Value>) {
        for field in fields {
            let value = object.get(field.name).filter(|value| !value.is_null());
            match value {
                Some(value) => self.at(field.name, |check| check.value(field.rule, value)),
                None if field.required => {
                    let needed_by = self.name();
                    self.at(field.name, |check| check.missing(&needed_by));
                }
                None => {}
            }
        }
    }

    fn value(&mut self, rule: Rule, value: &Value) {
        match (rule, value) {
            (Rule::Text { min, max, form }, Value::String(text)) => self.text(text, min, max, form),
            (Rule::EventType, Value::String(name)) => self.event_type(name),
            (Rule::Currency, Value::String(code)) => self.currency(code),
            (Rule::Integer { min, max }, Value::Number(number)) => self.integer(number, min, max),
            (Rule::Money, Value::Number(number)) => self.money(number),
            (Rule::Boolean, Value::Bool(_)) => {}
            (Rule::Object(fields), Value::Object(object)) => self.object(fields, object),
            (Rule::List { max, of }, Value::Array(entries)) => self.list(entries, max, of),
            (Rule::Properties, Value::Object(object)) => self.properties(object),
            (rule, other) => self.wrong_type(other, rule.expected()),
        }
    }

    fn text(&mut self, text: &str, min: usize, max: usize, form: Option<Form>) {
        let length = text.chars().count();
        if length < min {
            let message = format!(
                "{} has {length} characters: send at least {min}",
                self.name()
            );
            self.reject(RejectCode::TooShort, message);
        } else if length > max {
            let message = format!(
                "{} has {length} characters: send at most {max}",
                self.name()
            );
            self.reject(RejectCode::TooLong, message);
        } else if let Some(form) = form.filter(|form| !form.matches(text)) {
            let message = format!(
                "{} is {}: send {}",
                self.name(),
                excerpt(text),
                form.expected()
            );
            self.reject(RejectCode::BadFormat, message);
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

    fn currency(&mut self, code: &str) {
        if money::digits(code).is_none() {
            let message = format!(
                "{} is not a currency: send an ISO 4217 code such as `EUR`",
                excerpt(code)
            );
            self.reject(RejectCode::UnknownCurrency, message);
        }
    }

    fn integer(&mut self, number: &Number, min: i64, max: i64) {
        let has_fraction = number.as_f64().is_some_and(|number| number.fract() != 0.0);
        if has_fraction {
            let message = format!("{} is {number}: send an integer", self.name());
            self.reject(RejectCode::WrongType, message);
        } else if !integer::from_number(number)
            .is_some_and(|integer| (min..=max).contains(&integer))
        {
            let message = format!("{} is {number}: send {min} to {max}", self.name());
            self.reject(RejectCode::OutOfRange, message);
        }
    }

    fn money(&mut self, number: &Number) {
        let amount = number.as_f64().unwrap_or(f64::NAN);
        if !(0.0..=MAX_AMOUNT).contains(&amount) {
            let message = format!("{} is {number}: send 0 to {MAX_AMOUNT}", self.name());
            self.reject(RejectCode::OutOfRange, message);
            return;
        }
        match &self.currency {
            Currency::Absent => self.missing_currency(),
            Currency::Unknown => {}
            Currency::Known(code) => {
                if let Err(MoneyError::TooManyDecimals { digits }) =
                    money::minor_units(amount, code)
                {
                    let message = format!(
                        "{} is {number}, but {code} has {digits} decimals: round to {digits} decimals before sending",
                        self.name()
                    );
                    self.reject(RejectCode::MoneyDecimals, message);
                }
            }
        }
    }

    /// Notes at the root that an amount lacks its currency.
    fn missing_currency(&mut self) {
        let amount = self.name();
        let pointer = std::mem::take(&mut self.pointer);
        self.at("currency", |check| check.missing(&amount));
        self.pointer = pointer;
    }

    fn list(&mut self, entries: &[Value], max: usize, fields: &[Field]) {
        if entries.len() > max {
            let message = format!(
                "{} has {} entries: send at most {max}",
                self.name(),
                entries.len()
            );
            self.reject(RejectCode::TooMany, message);
        }
        for (position, entry) in entries.iter().take(max).enumerate() {
            self.at(&position.to_string(), |check| match entry {
                Value::Object(object) => check.object(fields, object),
                other => check.wrong_type(other, "an object"),
            });
        }
    }

    fn properties(&mut self, properties: &Map<String, Value>) {
        if properties.len() > MAX_PROPERTIES {
            let message = format!(
                "{} has {} entries: send at most {MAX_PROPERTIES}",
                self.name(),
                properties.len()
            );
            self.reject(RejectCode::TooMany, message);
        }
        for (name, value) in properties.iter().take(MAX_PROPERTIES) {
            self.property(name, value);
        }
    }

    fn property(&mut self, name: &str, value: &Value) {
        // A bad name is reported at the object: it may be too long for a pointer.
        match name.chars().count() {
            0 => self.reject(
                RejectCode::TooShort,
                "a name in `properties` is empty: name every property".to_owned(),
            ),
            length if length > MAX_PROPERTY_NAME => {
                let name = excerpt(name);
                let message = format!(
                    "the name {name} in `properties` has {length} characters: use at most {MAX_PROPERTY_NAME}"
                );
                self.reject(RejectCode::TooLong, message);
            }
            _ => self.at(
                &name.replace('~', "~0").replace('/', "~1"),
                |check| match value {
                    Value::String(text) => check.text(text, 0, MAX_PROPERTY_TEXT, None),
                    Value::Array(_) | Value::Object(_) => {
                        check.wrong_type(value, "a string, number, boolean or null")
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
