//! Cuts the body of a streaming produce call into its records while it arrives: JSON objects one after the other, with
//! nothing but white space between them, at whatever boundaries the network chose.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::broker::MAX_MESSAGE_BYTES;

/// A record that may still be produced is no longer than this as text: base64 makes four bytes of three, and names, headers
/// and escapes need some room.
pub const MAX_RECORD_TEXT_BYTES: usize = MAX_MESSAGE_BYTES / 3 * 4 + 65_536;

/// Why the stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// Not a sequence of JSON objects.
    #[error("Bad Request: Error processing JSON: {0}")]
    Malformed(String),
    /// More text than any record may have.
    #[error("Bad Request: Record is larger than the maximum of {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
}

/// Takes bytes, gives records.
#[derive(Default)]
pub struct RecordStream {
    buffer: Vec<u8>,
    /// Where the next record begins.
    start: usize,
    /// Only a `}` ends an object. Without a new one there is no need to look at a long record again.
    may_be_complete: bool,
}

impl RecordStream {
    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
        self.may_be_complete |= bytes.contains(&b'}');
    }

    /// Returns the text of the next whole record, or nothing until more bytes are pushed.
    ///
    /// # Errors
    /// Returns an error if what comes next is no JSON object, or too long a one. There is nothing after an error.
    pub fn next_record(&mut self) -> Result<Option<String>, StreamError> {
        self.skip_blanks();
        let rest = &self.buffer[self.start..];
        match rest.first() {
            None => return Ok(None),
            Some(b'{') => {}
            Some(_) => {
                return Err(StreamError::Malformed(
                    "a record must be a JSON object".to_owned(),
                ));
            }
        }
        let found = if self.may_be_complete {
            first_object(rest)?
        } else {
            None
        };
        match found {
            Some((text, length)) => {
                self.start += length;
                Ok(Some(text))
            }
            None if rest.len() > MAX_RECORD_TEXT_BYTES => Err(StreamError::TooLarge),
            None => {
                self.may_be_complete = false;
                Ok(None)
            }
        }
    }

    /// Says whether the body ended in the middle of a record.
    ///
    /// # Errors
    /// Returns an error if it did.
    pub fn finish(&mut self) -> Result<(), StreamError> {
        if self.is_blank() {
            return Ok(());
        }
        Err(StreamError::Malformed(
            "the body ends inside a record".to_owned(),
        ))
    }

    /// Whether nothing but white space is left.
    #[must_use]
    pub fn is_blank(&mut self) -> bool {
        self.skip_blanks();
        self.start == self.buffer.len()
    }

    fn skip_blanks(&mut self) {
        let blanks = self.buffer[self.start..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.start += blanks;
    }
}

/// Returns the text and length of the object at the start of `bytes`, or nothing if it is cut off.
fn first_object(bytes: &[u8]) -> Result<Option<(String, usize)>, StreamError> {
    let mut objects = Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    match objects.next() {
        Some(Ok(object)) => {
            let text = object.get().to_owned();
            Ok(Some((text, objects.byte_offset())))
        }
        Some(Err(error)) if !error.is_eof() => Err(StreamError::Malformed(error.to_string())),
        Some(Err(_)) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        " {\"value\":{\"type\":\"STRING\",\"data\":\"}{ \\\" ü\"}}\r\n{}{\"a\":[{},{}]}\n ";
    const RECORDS: [&str; 3] = [
        "{\"value\":{\"type\":\"STRING\",\"data\":\"}{ \\\" ü\"}}",
        "{}",
        "{\"a\":[{},{}]}",
    ];

    fn all(chunks: &[&[u8]]) -> (Vec<String>, Result<(), StreamError>) {
        let mut stream = RecordStream::default();
        let mut records = Vec::new();
        for chunk in chunks {
            stream.push(chunk);
            loop {
                match stream.next_record() {
                    Ok(Some(record)) => records.push(record),
                    Ok(None) => break,
                    Err(error) => return (records, Err(error)),
                }
            }
        }
        (records, stream.finish())
    }

    #[test]
    fn records_are_the_same_wherever_the_body_is_cut() {
        for cut in 0..=BODY.len() {
            let (head, tail) = BODY.as_bytes().split_at(cut);
            assert_eq!(
                all(&[head, tail]),
                (RECORDS.map(str::to_owned).into(), Ok(())),
                "cut at {cut}"
            );
        }
        let single_bytes: Vec<&[u8]> = BODY.as_bytes().chunks(1).collect();
        assert_eq!(all(&single_bytes).0, RECORDS);
    }

    #[test]
    fn records_before_malformed_json_are_kept() {
        for bad in [
            "[{}]",
            ",{}",
            "x",
            "{\"a\":}",
            "{]",
            "1",
            "}",
            "{\"a\":1 \"b\"}",
            "{\"a\":\"\u{1}\"}",
        ] {
            let body = format!("{{}} {bad}");
            let (records, end) = all(&[body.as_bytes()]);
            assert_eq!(records, ["{}"], "{bad}");
            assert!(
                matches!(end, Err(StreamError::Malformed(_))),
                "{bad}: {end:?}"
            );
        }
    }

    #[test]
    fn body_that_ends_inside_a_record_is_malformed() {
        let (records, end) = all(&[b"{}{\"value\":{}"]);
        assert_eq!(records, ["{}"]);
        assert!(matches!(end, Err(StreamError::Malformed(_))), "{end:?}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_malformed() {
        assert!(matches!(
            all(&[b"{\"a\":\"\xff\"}"]).1,
            Err(StreamError::Malformed(_))
        ));
    }

    #[test]
    fn endless_record_is_refused_before_it_fills_the_memory() {
        let mut stream = RecordStream::default();
        stream.push(b"{\"value\":{\"type\":\"STRING\",\"data\":\"");
        let piece = vec![b'a'; 1 << 20];
        let refused = (0..16).find_map(|_| {
            stream.push(&piece);
            stream.next_record().err()
        });
        assert_eq!(refused, Some(StreamError::TooLarge));
    }
}
