//! A batch's frame: its envelope and, apart from it, the bytes of each event. One pass over the body, in which nothing is
//! parsed: each event is read once, when it is judged. So an event that is not JSON, or a body that ends too early, costs
//! that event, not its batch.

use memchr::memchr_iter;
use serde_json::value::RawValue;
use shoptrail_schemas::{BatchHead, Rejection, batch};

use crate::scan::Cursor;

/// What an event begins with behind its bracket: where another one that never ends is cut off.
const FIRST: &[u8] = br#""event_id""#;
/// The members that a batch cannot do without: broken ones are for the contract to judge. Others are left out.
const NEEDED: [&str; 3] = ["write_key", "sent_at", "tracker"];
/// The members that a batch has: where a broken one before them ends.
const MEMBERS: [&str; 5] = ["write_key", "sent_at", "tracker", "context", "events"];
/// Most cuts in one body: each reads what is left of it once more.
const MAX_CUTS: usize = 10;

/// A body taken apart.
#[derive(Debug, Default)]
pub struct Frame<'a> {
    /// The events, each as it came: they may be anything.
    pub events: Vec<&'a [u8]>,
    /// The envelope as JSON, with a list of as many zeros in the events' place.
    head: Vec<u8>,
    write_key: Option<&'a [u8]>,
    cuts: usize,
    /// Whether the body is an object from its first bracket to its last.
    is_whole: bool,
    /// Whether something stands behind that.
    has_more: bool,
}

impl<'a> Frame<'a> {
    /// Takes a body apart, as far as it goes.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Self {
        let mut frame = Self::default();
        let mut cursor = Cursor::new(body);
        if cursor.eat(b'{') {
            frame.head.push(b'{');
            let is_closed = frame.read_members(&mut cursor).is_some();
            frame.head.push(b'}');
            while cursor.eat(b'}') {}
            frame.has_more = is_closed && cursor.peek().is_some();
            frame.is_whole = is_closed && !frame.has_more;
        }
        frame
    }

    /// Returns the batch's write key.
    ///
    /// # Errors
    /// Returns what is wrong with it, or with the body, if none can be found.
    pub fn write_key(&self, body: &[u8]) -> Result<String, Vec<Rejection>> {
        if let Some(write_key) = self.write_key.and_then(string) {
            return Ok(write_key);
        }
        let mut rejections = self.head(body).err().unwrap_or_default();
        // The one that must be repaired first.
        let first = rejections
            .iter()
            .position(|rejection| rejection.pointer.starts_with("/write_key"));
        if let Some(before) = first.and_then(|first| rejections.get_mut(..=first)) {
            before.rotate_right(1);
        }
        Err(rejections)
    }

    /// Returns the batch's envelope.
    ///
    /// # Errors
    /// Returns everything that is wrong with it.
    pub fn head(&self, body: &[u8]) -> Result<BatchHead, Vec<Rejection>> {
        match batch::read_head(&self.head) {
            // A body that broke off has an envelope all the same, if enough of it came before the events.
            // What stands behind the batch nobody would judge.
            Ok((head, _)) if self.is_whole || !self.events.is_empty() && !self.has_more => Ok(head),
            Err(rejections) if self.is_whole => Err(rejections),
            Ok(_) | Err(_) => match batch::read_head(body) {
                Ok((head, _)) => Ok(head),
                Err(rejections) => Err(rejections),
            },
        }
    }

    /// Reads `"name": value, …}` and returns whether all of it was there.
    fn read_members(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        if cursor.eat(b'}') {
            return Some(());
        }
        loop {
            let before = *cursor;
            match cursor.string().filter(|_| cursor.eat(b':')) {
                Some(name) => self.read_member(name, cursor)?,
                // A name that lacks a quote.
                None => *cursor = self.before_next_member(before)?,
            }
            if cursor.eat(b'}') {
                return Some(());
            }
            if cursor.peek().is_none() && self.events.is_empty() {
                // A value that lacks a bracket took all that came behind it.
                *cursor = self.before_next_member(before)?;
            }
            cursor.eat(b',').then_some(())?;
        }
    }

    /// Finds the comma before the next member that a batch has: one that lacks a quote or a bracket seems to hold those behind it.
    fn before_next_member(&mut self, from: Cursor<'a>) -> Option<Cursor<'a>> {
        if self.cuts >= MAX_CUTS {
            return None;
        }
        self.cuts = self.cuts.saturating_add(1);
        let rest = from.rest();
        let comma = memchr_iter(b',', rest).find(|comma| {
            let mut behind = Cursor::new(rest.get(comma.saturating_add(1)..).unwrap_or_default());
            let name = behind.string();
            name.is_some_and(|name| MEMBERS.iter().any(|known| is(name, known))) && behind.eat(b':')
        })?;
        let mut cursor = from;
        cursor.take(comma);
        Some(cursor)
    }

    fn read_member(&mut self, name: &'a [u8], cursor: &mut Cursor<'a>) -> Option<()> {
        if self.head.len() > 1 {
            self.head.push(b',');
        }
        self.head.extend_from_slice(name);
        self.head.push(b':');
        // A second list stays in the envelope, where a name that occurs twice is refused.
        if is(name, "events") && self.events.is_empty() && cursor.peek() == Some(b'[') {
            let is_closed = self.read_events(cursor).is_some();
            self.stand_in();
            return is_closed.then_some(());
        }
        let before = *cursor;
        let value = cursor.value();
        if is(name, "write_key") {
            self.write_key = Some(value);
        }
        let is_json = is_json(value);
        if !is_json
            && let Some(next) = self.before_next_member(before)
            && next.rest().len() > cursor.rest().len()
        {
            *cursor = next;
        }
        let stays = is_json || NEEDED.iter().any(|needed| is(name, needed));
        self.head
            .extend_from_slice(if stays { value } else { b"null" });
        Some(())
    }

    fn read_events(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.take(1);
        if cursor.eat(b']') {
            return Some(());
        }
        loop {
            // Nothing is left behind a last comma: no event was begun.
            cursor.peek()?;
            let event = self.event(cursor);
            // Between two commas nothing stands.
            if !event.is_empty() {
                self.events.push(event);
            }
            // A bracket too many ends nothing.
            while cursor.eat(b'}') {}
            if cursor.eat(b']') && !is_before_an_event(*cursor) {
                return Some(());
            }
            // Where the comma was forgotten, another event begins all the same.
            cursor.eat(b',');
        }
    }

    /// Reads an event. One that lacks a quote or a bracket seems to hold those behind it: it ends where the next one begins.
    fn event(&mut self, cursor: &mut Cursor<'a>) -> &'a [u8] {
        let mut before = *cursor;
        let event = cursor.value();
        let begins = |bracket: &usize| {
            *bracket > 0
                && event
                    .get(bracket.saturating_add(1)..)
                    .is_some_and(|rest| rest.trim_ascii_start().starts_with(FIRST))
        };
        let next = memchr_iter(b'{', event).find(begins);
        let Some(next) = next.filter(|_| self.cuts < MAX_CUTS) else {
            return event;
        };
        if is_json(event) {
            return event;
        }
        self.cuts = self.cuts.saturating_add(1);
        let cut = before.take(next).trim_ascii_end();
        *cursor = before;
        cut.strip_suffix(b",").unwrap_or(cut)
    }

    /// Writes a list with as many entries as there are events.
    fn stand_in(&mut self) {
        self.head.push(b'[');
        for index in 0..self.events.len() {
            let entry: &[u8] = if index == 0 { b"0" } else { b",0" };
            self.head.extend_from_slice(entry);
        }
        self.head.push(b']');
    }
}

/// Whether a member's name is this one, which may be written with escapes.
fn is(name: &[u8], plain: &str) -> bool {
    let inner = name
        .get(1..name.len().saturating_sub(1))
        .unwrap_or_default();
    inner == plain.as_bytes()
        || inner.contains(&b'\\') && string(name).is_some_and(|name| name == plain)
}

fn is_json(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// Reads a JSON string.
fn string(bytes: &[u8]) -> Option<String> {
    serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

/// Whether an event follows behind a list's bracket: then that was one too many.
fn is_before_an_event(mut cursor: Cursor<'_>) -> bool {
    cursor.eat(b',') && cursor.peek() == Some(b'{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use shoptrail_schemas::RejectCode;

    const HEAD: &str =
        r#""write_key":"pk","sent_at":1795392000123,"tracker":{"name":"n","version":"1"}"#;

    fn events(body: &str) -> Vec<String> {
        let frame = Frame::read(body.as_bytes());
        let text = |event: &&[u8]| String::from_utf8_lossy(event).into_owned();
        frame.events.iter().map(text).collect()
    }

    fn head_error(body: &str) -> (RejectCode, String) {
        let rejections = Frame::read(body.as_bytes())
            .head(body.as_bytes())
            .unwrap_err();
        (rejections[0].code, rejections[0].pointer.clone())
    }

    #[test]
    fn events_are_told_apart_whatever_is_in_them() {
        let body = format!(r#"{{{HEAD}, "events" : [ {{"a":"]"}} , 01,NaN, "x" ]}}"#);
        assert_eq!(events(&body), [r#"{"a":"]"}"#, "01", "NaN", r#""x""#]);
        let head = Frame::read(body.as_bytes()).head(body.as_bytes()).unwrap();
        assert_eq!(head.write_key, "pk");
    }

    #[test]
    fn body_that_breaks_off_keeps_the_events_that_came() {
        let body = format!(r#"{{{HEAD},"events":[{{"a":1}},{{"b":"cut"#);
        assert_eq!(events(&body), [r#"{"a":1}"#, r#"{"b":"cut"#]);
        assert!(Frame::read(body.as_bytes()).head(body.as_bytes()).is_ok());
        let after_a_comma = format!(r#"{{{HEAD},"events":[{{"a":1}},"#);
        assert_eq!(events(&after_a_comma), [r#"{"a":1}"#]);
    }

    #[test]
    fn empty_place_in_the_list_is_no_event() {
        let body = format!(r#"{{{HEAD},"events":[,1,,2,]}}"#);
        assert_eq!(events(&body), ["1", "2"]);
        let nothing = format!(r#"{{{HEAD},"events":[,]}}"#);
        assert_eq!(
            head_error(&nothing),
            (RejectCode::Empty, "/events".to_owned())
        );
    }

    #[test]
    fn bracket_too_many_costs_no_other_event() {
        for list in ["1},2,3", "1}},2,3", "1],{\"a\":1},3", "1,2}],{\"a\":1}"] {
            let body = format!(r#"{{{HEAD},"events":[{list}]}}"#);
            assert_eq!(events(&body).len(), 3, "{list}");
            assert!(Frame::read(body.as_bytes()).head(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn event_that_lacks_a_quote_or_a_bracket_takes_no_later_ones_along() {
        for broken in [
            r#"{"event_id":"b","c":"}"#,
            r#"{"event_id":"b","c":{}"#,
            r#"{"event_id":"b"#,
            "{\n \"event_id\": \"b",
        ] {
            let list =
                format!(r#"{{"event_id":"a"}},{broken},{{"event_id":"c"}},{{"event_id":"d"}}"#);
            let body = format!(r#"{{{HEAD},"events":[{list}]}}"#);
            let found = events(&body);
            assert_eq!(found.len(), 4, "{broken}");
            assert_eq!(found[3], r#"{"event_id":"d"}"#);
            assert!(Frame::read(body.as_bytes()).head(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn comma_that_was_forgotten_costs_no_event() {
        for list in [
            r#"{"event_id":"a"}{"event_id":"b"} {"event_id":"c"}"#,
            r#"{"a":1}{"a":2},{"a":3}"#,
            r#"{"a":{"b":[1]}}2,{"a":3}"#,
            r#"{"event_id":"a"},, { "event_id":"c"}, 1"#,
        ] {
            let body = format!(r#"{{{HEAD},"events":[{list}]}}"#);
            let found = events(&body);
            assert_eq!(found.len(), 3, "{list}: {found:?}");
            assert!(Frame::read(body.as_bytes()).head(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn batch_behind_another_is_refused_and_not_forgotten() {
        let body = format!(r#"{{{HEAD},"events":[1]}}"#);
        assert_eq!(
            head_error(&format!("{body}\n{body}")).0,
            RejectCode::MalformedJson
        );
        let frame = format!("{body}}} ");
        assert!(Frame::read(frame.as_bytes()).head(frame.as_bytes()).is_ok());
    }

    #[test]
    fn broken_member_that_nobody_needs_costs_nothing() {
        for member in [
            r#""context":{"screen_width":NaN}"#,
            r#""more":01"#,
            r#""more":"#,
        ] {
            let body = format!(r#"{{{HEAD},{member},"events":[1]}}"#);
            let frame = Frame::read(body.as_bytes());
            assert!(frame.head(body.as_bytes()).is_ok(), "{member}");
        }
        let body = format!(r#"{{{HEAD},"more":01,"context":{{"language":"de"}},"events":[1]}}"#);
        let head = Frame::read(body.as_bytes()).head(body.as_bytes()).unwrap();
        assert_eq!(head.info.context.unwrap().language.unwrap(), "de");
        let body = br#"{"write_key":"pk","sent_at":NaN,"events":[1]}"#;
        let rejections = Frame::read(body).head(body).unwrap_err();
        assert_eq!(rejections[0].code, RejectCode::MalformedJson);
    }

    #[test]
    fn member_that_lacks_a_quote_or_a_bracket_takes_no_event_along() {
        for member in [
            r#""context":{"language":"de,"time_zone":"Europe/Berlin"}"#,
            r#""context":{"language":"de","time_zone":"Europe/Berlin}"#,
            r#""context":{"language:"de","time_zone":"Europe/Berlin"}"#,
            r#""context":{"language":"de""#,
            r#""context:{"language":"de"}"#,
            r#"context":{"language":"de"}"#,
            r#""context" {"language":"de"}"#,
            r#""more":"\"#,
        ] {
            for body in [
                format!(r#"{{{HEAD},{member},"events":[{{"a":"x"}},{{"b":2}}]}}"#),
                format!(r#"{{{member}, {HEAD}, "events" : [{{"a":"x"}},{{"b":2}}]}}"#),
            ] {
                assert_eq!(events(&body), [r#"{"a":"x"}"#, r#"{"b":2}"#], "{body}");
                let frame = Frame::read(body.as_bytes());
                assert_eq!(frame.write_key(body.as_bytes()).unwrap(), "pk");
                let head = frame.head(body.as_bytes()).unwrap();
                let context = head.info.context.unwrap_or_default();
                assert_eq!(context.time_zone, None);
            }
        }
    }

    #[test]
    fn cuts_are_bounded() {
        let members = r#""a":",","tracker":""#.repeat(50);
        assert!(events(&format!("{{{members}")).is_empty());
        let body = format!(r#"{{{HEAD},"events":[{}"#, r#"{"event_id":[,"#.repeat(50));
        assert!(events(&body).len() <= MAX_CUTS + 2);
    }

    #[test]
    fn name_written_with_escapes_is_the_same_name() {
        let body = format!(
            r#"{{{},"\u0065vents":[1]}}"#,
            HEAD.replace("write", "wr\\u0069te")
        );
        assert_eq!(events(&body), ["1"]);
        let frame = Frame::read(body.as_bytes());
        assert_eq!(frame.write_key(body.as_bytes()).unwrap(), "pk");
    }

    #[test]
    fn number_of_events_is_judged_by_the_contract() {
        let list = vec!["{}"; 101].join(",");
        let body = format!(r#"{{{HEAD},"events":[{list}]}}"#);
        assert_eq!(
            head_error(&body),
            (RejectCode::TooMany, "/events".to_owned())
        );
        let body = format!(r#"{{{HEAD},"events":[]}}"#);
        assert_eq!(head_error(&body), (RejectCode::Empty, "/events".to_owned()));
    }

    #[test]
    fn second_list_of_events_is_refused() {
        let body = format!(r#"{{{HEAD},"events":[1],"events":[2]}}"#);
        assert_eq!(head_error(&body).0, RejectCode::DuplicateField);
    }

    #[test]
    fn body_that_is_no_object_is_malformed_or_of_another_type() {
        assert_eq!(head_error("{").0, RejectCode::MalformedJson);
        assert_eq!(head_error("").0, RejectCode::MalformedJson);
        assert_eq!(head_error("[]").0, RejectCode::WrongType);
        assert_eq!(
            head_error(&format!("{{{HEAD}")).0,
            RejectCode::MalformedJson
        );
    }

    #[test]
    fn wrong_write_key_is_named_before_anything_else() {
        let body = r#"{"write_key":5,"events":[1]}"#;
        let frame = Frame::read(body.as_bytes());
        let rejections = frame.write_key(body.as_bytes()).unwrap_err();
        assert_eq!(
            (rejections[0].code, rejections[0].pointer.as_str()),
            (RejectCode::WrongType, "/write_key")
        );
    }

    #[test]
    fn write_key_is_found_in_a_body_that_breaks_off() {
        let body = br#"{"write_key":"pk","sent_at":1,"tra"#;
        assert_eq!(Frame::read(body).write_key(body).unwrap(), "pk");
    }
}
