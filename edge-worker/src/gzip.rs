//! Unpacks gzip (RFC 1952) by an inflater and a checksum of their own: the usual readers bring a table of 16 kB for the
//! checksum, which no compression of the bundle makes smaller; this one has 1 kB.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use crate::admit::Refusal;

/// How gzip begins, with the only method there is. No JSON does, so nothing has to be announced: a beacon cannot set headers.
const BEGINNING: [u8; 3] = [0x1f, 0x8b, 8];

/// Bits of the header's flags: what follows the header's ten bytes.
const CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

const CHECKSUMS: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Whether a body is gzip.
#[must_use]
pub fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&BEGINNING)
}

/// Unpacks a gzip file of one member to at most `limit` bytes.
///
/// # Errors
/// Returns [`Refusal::TooLarge`] or [`Refusal::BrokenGzip`].
pub fn unpack(body: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let member = Member::read(body).ok_or(Refusal::BrokenGzip)?;
    let unpacked =
        decompress_to_vec_with_limit(member.deflated, limit).map_err(|error| {
            match error.status {
                TINFLStatus::HasMoreOutput => Refusal::TooLarge,
                _ => Refusal::BrokenGzip,
            }
        })?;
    if CHECKSUMS.checksum(&unpacked) == member.checksum {
        Ok(unpacked)
    } else {
        Err(Refusal::BrokenGzip)
    }
}

/// What a file holds.
struct Member<'a> {
    deflated: &'a [u8],
    /// Of what it unpacks to.
    checksum: u32,
}

impl<'a> Member<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = body.split_first_chunk::<10>()?;
        let [_, _, _, flags, ..] = header;
        if flags & EXTRA != 0 {
            let (length, after) = rest.split_first_chunk::<2>()?;
            rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                let end = rest.iter().position(|byte| *byte == 0)?;
                rest = rest.get(end.saturating_add(1)..)?;
            }
        }
        if flags & CHECKSUM != 0 {
            rest = rest.get(2..)?;
        }
        // The checksum, and the length, which the checksum holds as well.
        let (deflated, trailer) = rest.split_last_chunk::<8>()?;
        let (checksum, _) = trailer.split_first_chunk::<4>()?;
        Some(Self {
            deflated,
            checksum: u32::from_le_bytes(*checksum),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};

    use super::*;

    const LIMIT: usize = 100;

    fn gzip(builder: GzBuilder, bytes: &[u8]) -> Vec<u8> {
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_may_stand_in_a_header_is_skipped() {
        let builder = || GzBuilder::new();
        for builder in [
            builder(),
            builder().filename("events.json"),
            builder().comment("one batch"),
            builder().extra(vec![0, 1, 2]),
            builder().filename("a").comment("b").extra(vec![0; 300]),
        ] {
            let packed = gzip(builder, b"{}");
            assert!(is_gzip(&packed));
            assert_eq!(unpack(&packed, LIMIT), Ok(b"{}".to_vec()));
        }
        let mut with_checksum = gzip(builder(), b"{}");
        with_checksum[3] |= CHECKSUM;
        with_checksum.splice(10..10, [7, 7]);
        assert_eq!(unpack(&with_checksum, LIMIT), Ok(b"{}".to_vec()));
    }

    #[test]
    fn limit_is_inclusive() {
        let packed = |bytes| gzip(GzBuilder::new(), &vec![b'x'; bytes]);
        assert_eq!(unpack(&packed(LIMIT), LIMIT), Ok(vec![b'x'; LIMIT]));
        assert_eq!(unpack(&packed(LIMIT + 1), LIMIT), Err(Refusal::TooLarge));
        assert_eq!(unpack(&packed(0), LIMIT), Ok(Vec::new()));
    }

    #[test]
    fn what_is_missing_is_noticed_and_what_is_wrong_unpacks_to_nothing_else() {
        let text = br#"{"write_key":"pk"}"#;
        let packed = gzip(GzBuilder::new().filename("a"), text);
        for length in 0..packed.len() {
            assert_eq!(
                unpack(&packed[..length], LIMIT),
                Err(Refusal::BrokenGzip),
                "{length}"
            );
        }
        for position in 0..packed.len() {
            let mut wrong = packed.clone();
            wrong[position] ^= 0x10;
            // Some bits mean nothing: the time, the name, what is left of the last byte.
            if let Ok(unpacked) = unpack(&wrong, LIMIT) {
                assert_eq!(unpacked, text, "{position}");
            }
        }
    }
}
