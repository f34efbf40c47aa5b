//! Numbers as text, without the formatting machinery of the standard library: it would be a fifth of the module.

use alloc::string::String;

/// Appends `value` in base 10 or 16, padded with zeros to `digits`.
pub fn push(out: &mut String, value: u64, base: u32, digits: usize) {
    let mut reversed = [b'0'; 20];
    let mut rest = value;
    let mut length = 0;
    for digit in &mut reversed {
        if rest == 0 && length >= digits {
            break;
        }
        // The remainder is below `base`, so it is a digit of it.
        let value = (rest % u64::from(base)) as u8;
        *digit = if value < 10 {
            b'0' + value
        } else {
            b'a' - 10 + value
        };
        rest /= u64::from(base);
        length += 1;
    }
    out.extend(
        reversed
            .iter()
            .take(length)
            .rev()
            .map(|digit| char::from(*digit)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u64, base: u32, digits: usize) -> String {
        let mut out = String::new();
        push(&mut out, value, base, digits);
        out
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for value in [
            0,
            7,
            10,
            255,
            1_795_392_000_123,
            9_007_199_254_740_991,
            u64::MAX,
        ] {
            assert_eq!(text(value, 10, 1), value.to_string());
        }
        assert_eq!(text(0xbeef, 16, 12), "00000000beef");
        assert_eq!(text(0, 16, 3), "000");
    }
}
