//! Texts: what people write is cut where it is too long, ids are not.

use std::borrow::Cow;

use super::Check;
use crate::address;
use crate::integer;
use crate::limits::MAX_URL;
use crate::placeholder::is_placeholder;
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
        let Tree::Text(text) = value else {
            return self.wrong_type(value, "a string");
        };
        if self.has_length(text, min, max) {
            self.has_form(text, form);
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

    /// An id that the shop gives; one that stands for none is left out.
    pub(super) fn shop_id(&mut self, value: &mut Tree<'_>, max: usize) {
        let is_number = matches!(value, Tree::Number(_));
        if let Tree::Number(number) = &*value {
            let Some(id) = integer::from_number(number) else {
                let message = format!(
                    "{} is a number that not every program keeps exactly: send a string",
                    self.name()
                );
                return self.reject(RejectCode::WrongType, message);
            };
            *value = Tree::Text(Cow::Owned(id.to_string()));
        }
        let Tree::Text(text) = &*value else {
            return self.wrong_type(value, "a string");
        };
        if is_placeholder(text) {
            let message = format!("{} is a placeholder: read as no id", self.name());
            self.repair(WarningCode::PlaceholderId, message);
            *value = Tree::Null;
        } else if is_number {
            let message = format!("{} is a number: read as text", self.name());
            self.repair(WarningCode::TextFromNumber, message);
        } else {
            self.note_surrogate(text);
            self.has_length(text, 1, max);
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
            // An address may hold anything about a person.
            Form::WebUrl => "something else".to_owned(),
            _ => excerpt(text),
        };
        let message = format!("{} is {found}: send {}", self.name(), form.expected());
        self.reject(RejectCode::BadFormat, message);
        false
    }
}
