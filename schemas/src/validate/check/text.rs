//! Texts: what people write is cut where it is too long, ids are not.

use std::borrow::Cow;

use super::Check;
use crate::address;
use crate::integer;
use crate::limits::MAX_URL;
use crate::placeholder::{is_placeholder, trimmed};
use crate::reject::{RejectCode, excerpt};
use crate::rule::Form;
use crate::tree::Tree;
use crate::warning::WarningCode;

impl Check {
    /// A text of a form: not repaired.
    pub(super) fn text(
        &mut self,
        value: &mut Tree<'_>,
        min: usize,
        max: usize,
        form: Option<Form>,
    ) {
        if form == Some(Form::Id)
            && let Tree::Number(number) = &*value
            && integer::from_number(number).is_some()
        {
            self.text_from_number(value);
        }
        let Tree::Text(text) = value else {
            return self.wrong_type(value, "a string");
        };
        match form {
            Some(Form::Country) => {
                self.other_case(text, str::to_ascii_uppercase, |text| {
                    Form::Country.matches(text)
                });
            }
            Some(Form::UuidV7) => {
                self.other_case(text, str::to_ascii_lowercase, |text| {
                    Form::UuidV7.matches(text)
                });
            }
            _ => {}
        }
        if self.has_length(text, min, max) {
            self.has_form(text, form);
        }
    }

    /// Reads a code in the other case, where that makes it one.
    pub(super) fn other_case(
        &mut self,
        text: &mut Cow<'_, str>,
        to_case: fn(&str) -> String,
        is_code: fn(&str) -> bool,
    ) {
        if is_code(text) {
            return;
        }
        let code = to_case(trimmed(text));
        if is_code(&code) {
            let message = format!("{} is {}: read as `{code}`", self.name(), excerpt(text));
            self.repair(WarningCode::UpperCase, message);
            *text = Cow::Owned(code);
        }
    }

    /// A text that people write.
    pub(super) fn prose(&mut self, value: &mut Tree<'_>, min: usize, max: usize) {
        self.text_from_number(value);
        let Tree::Text(text) = value else {
            return self.wrong_type(value, "a string");
        };
        self.note_surrogate(text);
        let length = text.chars().count();
        if length > max {
            let message = format!("{} has {length} characters: cut to {max}", self.name());
            self.repair(WarningCode::Shortened, message);
            *text = Cow::Owned(text.chars().take(max).collect());
        } else {
            self.has_length(text, min, max);
        }
    }

    /// The address of a page: what is cut off is the query first, without its campaign.
    pub(super) fn page_url(&mut self, value: &mut Tree<'_>) {
        let Tree::Text(text) = value else {
            return self.wrong_type(value, "a string");
        };
        if !Form::WebUrl.matches(text) {
            self.escape_address(text);
        }
        if !self.has_form(text, Some(Form::WebUrl)) {
            return;
        }
        let length = text.chars().count();
        if length > MAX_URL {
            let message = format!("{} has {length} characters: cut to {MAX_URL}", self.name());
            self.repair(WarningCode::Shortened, message);
            *text = Cow::Owned(address::shorten(text, MAX_URL));
        }
    }

    #[cold]
    fn escape_address(&mut self, text: &mut Cow<'_, str>) {
        let escaped = address::escape_spaces(text);
        if Form::WebUrl.matches(&escaped) {
            let message = format!("{} has spaces: they are escaped", self.name());
            self.repair(WarningCode::AddressEscaped, message);
            *text = Cow::Owned(escaped);
        }
    }

    /// An id that the shop gives; what stands for none is left out.
    pub(super) fn shop_id(&mut self, value: &mut Tree<'_>, max: usize) {
        if let Tree::Text(text) = value
            && !is_placeholder(text)
            && text.chars().count() <= max
        {
            self.note_surrogate(text);
            return self.trim(text);
        }
        // An integer that not every program keeps exactly may be that of several things.
        let id = match &*value {
            Tree::Number(number) => integer::from_number(number).map(|id| id.to_string()),
            _ => None,
        };
        match id.filter(|id| !is_placeholder(id)) {
            Some(id) => {
                let message = format!("{} is a number: read as text", self.name());
                self.repair(WarningCode::TextFromNumber, message);
                *value = Tree::Text(Cow::Owned(id));
            }
            None => {
                let name = self.name();
                let message = format!("{name} is no id of at most {max} characters: left out");
                self.repair(WarningCode::PlaceholderId, message);
                *value = Tree::Null;
            }
        }
    }

    /// Reads an id without what a template left around it: the same id twice would be two customers.
    fn trim(&mut self, text: &mut Cow<'_, str>) {
        let trimmed = trimmed(text);
        if trimmed.len() < text.len() {
            let id = trimmed.to_owned();
            let message = format!("{} has spaces around it: read without them", self.name());
            self.repair(WarningCode::IdTrimmed, message);
            *text = Cow::Owned(id);
        }
    }

    fn text_from_number(&mut self, value: &mut Tree<'_>) {
        if let Tree::Number(number) = &*value {
            let text = integer::from_number(number)
                .map_or_else(|| number.to_string(), |id| id.to_string());
            let message = format!("{} is a number: read as text", self.name());
            self.repair(WarningCode::TextFromNumber, message);
            *value = Tree::Text(Cow::Owned(text));
        }
    }

    /// Says where a lone surrogate was: the whole text has been repaired before the walk.
    fn note_surrogate(&mut self, text: &str) {
        if self.surrogates && text.contains(char::REPLACEMENT_CHARACTER) {
            let message = format!("{} holds half a character: read as U+FFFD", self.name());
            self.repair(WarningCode::LoneSurrogate, message);
        }
    }

    fn has_length(&mut self, text: &str, min: usize, max: usize) -> bool {
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
        }
        (min..=max).contains(&length)
    }

    fn has_form(&mut self, text: &str, form: Option<Form>) -> bool {
        let Some(form) = form.filter(|form| !form.matches(text)) else {
            return true;
        };
        let found = match form {
            // Here may be anything about a person.
            Form::WebUrl | Form::SnakeCase | Form::Country => "something else".to_owned(),
            Form::UuidV7 | Form::Id => excerpt(text),
        };
        let message = format!("{} is {found}: send {}", self.name(), form.expected());
        self.reject(RejectCode::BadFormat, message);
        false
    }
}
