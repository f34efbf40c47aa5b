//! Edits the values of a JSON text in place. It counts brackets and knows strings, and asks for no more: broken JSON is
//! edited as far as it can be told apart.

use std::borrow::Cow;
use std::ops::Range;

use shoptrail_schemas::{is_placeholder, replace_lone_surrogates};

use super::FieldRule;
use crate::scan::Cursor;

/// Decides on values.
pub trait Editor {
    /// Returns what happens to the field at this path of names.
    fn rule(&self, path: &[Cow<'_, str>]) -> Option<FieldRule>;
    /// Returns the hash of a value, if there is a key.
    fn hash(&self, value: &str) -> Option<String>;
    /// Returns what to write instead of a text, if it may not stay as it is.
    fn text(&self, path: &[Cow<'_, str>], text: &str) -> Option<String>;
    /// Returns what to write instead of a member's name, if it may not stay as it is.
    fn name(&self, name: &str) -> Option<String>;
    /// Returns the same for what stands outside quotes: numbers and words, and in broken JSON anything.
    fn bare(&self, path: &[Cow<'_, str>], text: &str) -> Option<String>;
}

/// A text that was edited.
pub struct Edited<'a> {
    pub text: Cow<'a, str>,
    /// How many fields were dropped or hashed.
    pub ruled: usize,
}

/// Edits a text; one that nothing is changed in is not copied.
pub fn edit<'a>(text: &'a str, editor: &impl Editor) -> Edited<'a> {
    let mut walk = Walk {
        text,
        cursor: Cursor::new(text.as_bytes()),
        path: Vec::new(),
        brackets: Vec::new(),
        edited: String::new(),
        copied: 0,
        masked_names: 0,
        ruled: 0,
    };
    while walk.step(editor) {}
    let ruled = walk.ruled;
    if walk.copied == 0 {
        let text = Cow::Borrowed(text);
        return Edited { text, ruled };
    }
    walk.edited
        .push_str(text.get(walk.copied..).unwrap_or_default());
    let text = Cow::Owned(walk.edited);
    Edited { text, ruled }
}

#[derive(PartialEq, Eq)]
enum Bracket {
    Object,
    List,
}

/// How far the text was walked.
struct Walk<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    /// The name of the current member of each open object.
    path: Vec<Cow<'a, str>>,
    brackets: Vec<Bracket>,
    edited: String,
    /// How much of the text is in `edited`.
    copied: usize,
    /// How many names were masked: two of one object stay two.
    masked_names: usize,
    ruled: usize,
}

impl<'a> Walk<'a> {
    /// Goes one token further; returns whether there was one.
    fn step(&mut self, editor: &impl Editor) -> bool {
        match self.cursor.peek() {
            None => return false,
            Some(b'"') => return self.string(editor),
            Some(b'{') => {
                self.brackets.push(Bracket::Object);
                self.path.push(Cow::Borrowed(""));
            }
            Some(b'[') => self.brackets.push(Bracket::List),
            Some(b'}' | b']') => {
                if self.brackets.pop() == Some(Bracket::Object) {
                    self.path.pop();
                }
            }
            Some(b',' | b':') => {}
            Some(_) => {
                self.bare(editor);
                return true;
            }
        }
        self.cursor.take(1);
        true
    }

    /// Reads up to the next quote, bracket or comma.
    fn bare(&mut self, editor: &impl Editor) {
        let start = self.position();
        let is_end = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',');
        let rest = self.cursor.rest();
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        self.cursor.take(length);
        let bare = self.text.get(start..self.position()).unwrap_or_default();
        if let Some(changed) = editor.bare(&self.path, bare) {
            self.replace(start..self.position(), &changed);
        }
    }

    fn string(&mut self, editor: &impl Editor) -> bool {
        let start = self.position();
        if self.cursor.string().is_none() {
            return false;
        }
        let Some(token) = self.text.get(start..self.position()) else {
            return false;
        };
        let end = self.position();
        if self.brackets.last() == Some(&Bracket::Object) && self.cursor.eat(b':') {
            let name = content(token);
            if let Some(masked) = editor.name(&name) {
                self.masked_names = self.masked_names.saturating_add(1);
                let masked = format!("{masked} {}", self.masked_names);
                self.replace(start..end, &quoted(&masked));
            }
            if let Some(last) = self.path.last_mut() {
                *last = name;
            }
            self.member(editor);
            return true;
        }
        // A text without an end stays without one, and is never kept: it may hold all that comes after it.
        let is_closed = token.len() > 1 && token.ends_with('"');
        if is_closed && editor.rule(&self.path) == Some(FieldRule::Keep) {
            return true;
        }
        if let Some(changed) = editor.text(&self.path, &content(token)) {
            let quoted = quoted(&changed);
            let length = if is_closed {
                quoted.len()
            } else {
                quoted.len().saturating_sub(1)
            };
            self.replace(start..end, quoted.get(..length).unwrap_or_default());
        }
        true
    }

    /// Applies a rule to the value that comes next, if there is one for it.
    fn member(&mut self, editor: &impl Editor) {
        let rule = match editor.rule(&self.path) {
            Some(rule @ (FieldRule::Drop | FieldRule::Hash)) => rule,
            // The value's texts are looked at when they come.
            Some(FieldRule::Keep) | None => return,
        };
        self.ruled = self.ruled.saturating_add(1);
        self.cursor.peek();
        let start = self.position();
        self.cursor.value();
        let value = self.text.get(start..self.position()).unwrap_or_default();
        if value.trim_end() == "null" {
            return;
        }
        // The hash of what strangers share would be one customer.
        let content = content(value.trim_end());
        // A number that not every program keeps exactly, an object and the like are no ids.
        let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        let is_id = value.starts_with('"') || content.len() < 16 && content.bytes().all(is_digit);
        let hash = if rule == FieldRule::Hash && is_id && !is_placeholder(&content) {
            editor.hash(&content)
        } else {
            None
        };
        self.replace(
            start..self.position(),
            &hash.map_or("null".to_owned(), |hash| format!("\"{hash}\"")),
        );
    }

    /// Writes something else for a part of what was read.
    fn replace(&mut self, part: Range<usize>, with: &str) {
        self.edited
            .push_str(self.text.get(self.copied..part.start).unwrap_or_default());
        self.edited.push_str(with);
        self.copied = part.end;
    }

    fn position(&self) -> usize {
        self.text.len().saturating_sub(self.cursor.rest().len())
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What a token says: a string without quotes and escapes, if it can be read, or the token itself.
fn content(token: &str) -> Cow<'_, str> {
    let Some(inner) = token.strip_prefix('"') else {
        return Cow::Borrowed(token);
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let read: Result<String, _> = serde_json::from_str(&replace_lone_surrogates(token));
    read.map_or_else(|_| Cow::Owned(unescaped(inner)), Cow::Owned)
}

/// Reads the escapes of a text that is no JSON as far as they can be read.
fn unescaped(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        read.push_str(before);
        let code = escape.strip_prefix('u').and_then(|code| code.get(..4));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        rest = match code {
            Some(code) => {
                read.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                escape.get(5..).unwrap_or_default()
            }
            None => {
                let mut characters = escape.chars();
                read.extend(characters.next());
                characters.as_str()
            }
        };
    }
    read.push_str(rest);
    read
}
