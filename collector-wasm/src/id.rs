//! Ids: of events, of sessions and of visitors.

use alloc::string::String;

use crate::number;

/// 96 random bits, of which an id takes 74.
pub type Random = [u32; 3];

/// A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since the epoch, then random bits.
pub fn uuid7(now: f64, [a, b, c]: Random) -> String {
    let time = now as u64;
    let mut id = String::with_capacity(36);
    number::push(&mut id, time >> 16, 16, 8);
    id.push('-');
    number::push(&mut id, time & 0xffff, 16, 4);
    id.push_str("-7");
    number::push(&mut id, u64::from(a & 0xfff), 16, 3);
    id.push('-');
    number::push(&mut id, u64::from(0x8000 | (b & 0x3fff)), 16, 4);
    id.push('-');
    number::push(&mut id, u64::from(b >> 16), 16, 4);
    number::push(&mut id, u64::from(c), 16, 8);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_time_version_and_variant() {
        // The time of the example in RFC 9562, appendix A.6.
        let id = uuid7(1_645_557_742_000.0, [u32::MAX, u32::MAX, 0x0123_4567]);
        assert_eq!(id, "017f22e2-79b0-7fff-bfff-ffff01234567");
    }
}
