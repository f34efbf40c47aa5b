//! The request's body: how much of it is read, how long it may take, and what is unpacked.

use std::time::Duration;

use crate::admit::Refusal;
use crate::gzip;

/// Most bytes of one batch. A batch that waited offline has up to 100 events; five kilobytes for each are plenty, and the
/// memory of a WASM instance never shrinks again.
pub const MAX_BODY_BYTES: usize = 512 * 1024;

/// How long a body may take to arrive. A tracker gives up after about as long; one that announces a body and never sends it
/// holds a place no longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Judges the body by the length that the client announces, if it does, and returns it.
///
/// # Errors
/// Returns [`Refusal::TooLarge`].
pub fn announced_length(content_length: Option<&str>) -> Result<Option<u64>, Refusal> {
    let length = content_length.and_then(|text| text.trim().parse::<u64>().ok());
    match length {
        Some(length) if length > MAX_BODY_BYTES as u64 => Err(Refusal::TooLarge),
        length => Ok(length),
    }
}

/// Unpacks a body that is gzip; others stay as they are, without a byte order mark. What it unpacks to has the same limit.
///
/// # Errors
/// Returns [`Refusal::TooLarge`] or [`Refusal::BrokenGzip`].
pub fn unpack(body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let mut body = if gzip::is_gzip(&body) {
        gzip::unpack(&body, MAX_BODY_BYTES)?
    } else {
        body
    };
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn announced_body_may_have_the_limit_and_not_a_byte_more() {
        assert_eq!(announced_length(Some("524288")), Ok(Some(524_288)));
        assert_eq!(announced_length(Some("524289")), Err(Refusal::TooLarge));
        for unknown in [None, Some("many"), Some("-1")] {
            assert_eq!(announced_length(unknown), Ok(None));
        }
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes() {
        assert_eq!(unpack(gzip(b"{}")), Ok(b"{}".to_vec()));
        assert_eq!(unpack(b"{}".to_vec()), Ok(b"{}".to_vec()));
        assert_eq!(unpack(Vec::new()), Ok(Vec::new()));
        assert_eq!(unpack("\u{feff}{}".into()), Ok(b"{}".to_vec()));
    }

    #[test]
    fn gzip_may_unpack_to_the_limit_and_not_a_byte_more() {
        let limit = vec![b'x'; MAX_BODY_BYTES];
        assert_eq!(
            unpack(gzip(&limit)).map(|body| body.len()),
            Ok(MAX_BODY_BYTES)
        );
        let bomb = vec![b'x'; 100 * MAX_BODY_BYTES];
        assert_eq!(unpack(gzip(&bomb)), Err(Refusal::TooLarge));
        let more = vec![b'x'; MAX_BODY_BYTES + 1];
        assert_eq!(unpack(gzip(&more)), Err(Refusal::TooLarge));
    }

    #[test]
    fn gzip_that_breaks_off_is_refused() {
        let mut broken = gzip(&vec![b'x'; 1_000]);
        broken.truncate(12);
        assert_eq!(unpack(broken), Err(Refusal::BrokenGzip));
    }
}
