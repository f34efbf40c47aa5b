//! Numbers as shops write them: rounded in decimal, never by float arithmetic, and read from texts.

use serde_json::Number;

/// A number in units of its last decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rounded {
    pub units: i64,
    /// Whether nothing was rounded.
    pub exact: bool,
}

/// Rounds to a number of decimals, halves away from zero. `None` if the result does not fit into 64 bits.
///
/// The shortest decimal text that reads back as the same double is what the shop wrote (up to 15 significant digits):
/// `1.005` is rounded up, although its double is a little less.
pub(crate) fn round(number: f64, decimals: u32) -> Option<Rounded> {
    exact(number, decimals).or_else(|| round_text(number, decimals))
}

/// Returns the units of a number that has no more decimals than it may, as most do, without writing its text.
///
/// No two texts of up to 15 digits name the same double, and a division is rounded to the nearest one. So if units and
/// scale give the number back, its shortest text is that of the units with a point in it.
fn exact(number: f64, decimals: u32) -> Option<Rounded> {
    const MAX_UNITS: f64 = 1e15;
    let scale = 10_f64.powi(i32::try_from(decimals).ok()?);
    let units = (number * scale).round_ties_even();
    if units.abs() >= MAX_UNITS || units / scale != number {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number below the limit"
    )]
    let units = units as i64;
    Some(Rounded { units, exact: true })
}

/// Rounds the shortest text.
fn round_text(number: f64, decimals: u32) -> Option<Rounded> {
    let text = shortest(number.abs())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = usize::try_from(decimals).ok()?;
    let (kept, rest) = fraction
        .split_at_checked(decimals)
        .unwrap_or((fraction, ""));
    let units: i64 = format!("{whole}{kept:0<decimals$}").parse().ok()?;
    let up = rest.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    let units = units.checked_add(i64::from(up))?;
    Some(Rounded {
        units: if number < 0.0 { -units } else { units },
        exact: rest.is_empty(),
    })
}

/// Writes the shortest such text, without an exponent. `None` for what no shop can mean: more than 16 digits before the point.
///
/// JSON's writer is there anyway: the standard library's would bring twenty kilobytes of its own.
fn shortest(number: f64) -> Option<String> {
    /// Below it JSON's writer takes an exponent: less than half of the smallest unit.
    const MIN: f64 = 1e-5;
    if number > 0.0 && number < MIN {
        return Some("0.000001".to_owned());
    }
    let mut text = Number::from_f64(number)?.to_string();
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    Some(text).filter(|text| !text.contains('e'))
}

/// Returns the number that a count of units stands for.
pub(crate) fn from_units(units: i64, decimals: u32) -> Option<f64> {
    let scale = 10_u64.checked_pow(decimals)?;
    let (whole, fraction) = (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
    let sign = if units < 0 { "-" } else { "" };
    let width = usize::try_from(decimals).ok()?;
    parse(&format!("{sign}{whole}.{fraction:0width$}"))
}

/// Reads digits with a point in them, by JSON's reader: the standard library's would bring ten kilobytes of tables of its own.
fn parse(digits: &str) -> Option<f64> {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or((1.0, digits), |rest| (-1.0, rest));
    // JSON has no zeros before a number.
    let significant = digits.trim_start_matches('0');
    let zero = if significant.starts_with('.') {
        "0"
    } else {
        ""
    };
    let number: f64 = serde_json::from_str(&format!("{zero}{significant}")).ok()?;
    Some(sign * number)
}

/// Reads a text that is a decimal number: `19.99`, `+4,245.42`, `4.245,42`, `12,5`, `1 234,50`, with spaces around it.
///
/// A single comma before three digits separates thousands, as in `1,234`: amounts have no three decimals where a comma is
/// the decimal point.
pub(crate) fn from_text(text: &str) -> Option<f64> {
    let text = text.trim_matches(SPACES);
    let (is_negative, digits) = without_sign(text).unwrap_or((false, text));
    from_digits(is_negative, digits)
}

/// Reads a text that is an amount: a number, which may have a currency's sign before or behind it (`€19.99`, `-5,00 €`).
///
/// A sign names no currency for certain, so the event's `currency` counts. Codes and words (`EUR`, `kr`) might contradict it.
pub(crate) fn amount_from_text(text: &str) -> Option<f64> {
    let text = text.trim_matches(SPACES);
    // `-€5` and `€-5`, but not `-€-5`.
    let (is_negative, text) = match without_sign(text) {
        Some((is_negative, rest)) => (is_negative, without_currency(rest)),
        None => {
            let rest = without_currency(text);
            without_sign(rest).unwrap_or((false, rest))
        }
    };
    let text = match text.strip_suffix(is_currency_sign) {
        Some(rest) => rest.trim_end_matches(BLANKS),
        None => text,
    };
    from_digits(is_negative, text)
}

/// Takes a currency's sign before a number off.
fn without_currency(text: &str) -> &str {
    let rest = text.strip_prefix(is_currency_sign);
    rest.map_or(text, |rest| rest.trim_start_matches(BLANKS))
}

fn from_digits(is_negative: bool, digits: &str) -> Option<f64> {
    let (whole, fraction) = parts(digits)?;
    let sign = if is_negative { "-" } else { "" };
    parse(&format!("{sign}{whole}.{fraction}0"))
}

/// Takes the sign off a number. Programs that write for people have a minus of their own.
fn without_sign(text: &str) -> Option<(bool, &str)> {
    let rest = text.strip_prefix(SIGNS_OF_NUMBERS)?;
    Some((!text.starts_with('+'), rest))
}

const SIGNS_OF_NUMBERS: [char; 3] = ['+', '-', '\u{2212}'];

/// Whether a character is a currency's sign: `$`, `£`, `¥`, `฿`, `€`, `₹` and their neighbours in Unicode.
fn is_currency_sign(character: char) -> bool {
    matches!(character, '$' | '\u{a2}'..='\u{a5}' | '\u{e3f}' | '\u{20a0}'..='\u{20cf}')
}

/// What may stand around a number in a text.
pub(crate) const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// What may stand between a number and a currency's sign.
const BLANKS: [char; 3] = [' ', '\u{a0}', '\u{202f}'];

/// What may separate thousands beside the comma or the point: blanks, which do not break, and apostrophes.
const SEPARATORS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// The texts that [`from_text`] reads, as a regular expression (ECMA 262).
#[cfg(feature = "json-schema")]
pub(crate) fn pattern() -> String {
    format!(
        "^{SPACE_PATTERN}{SIGN_PATTERN}?({}){SPACE_PATTERN}$",
        digits_pattern()
    )
}

/// The texts that [`amount_from_text`] reads, as a regular expression (ECMA 262).
#[cfg(feature = "json-schema")]
pub(crate) fn amount_pattern() -> String {
    let currency = r"[$\u00a2-\u00a5\u0e3f\u20a0-\u20cf]";
    let blank = r"[ \u00a0\u202f]*";
    let digits = digits_pattern();
    format!(
        "^{SPACE_PATTERN}({SIGN_PATTERN}?({currency}{blank})?|{currency}{blank}{SIGN_PATTERN})\
         ({digits})({blank}{currency})?{SPACE_PATTERN}$"
    )
}

#[cfg(feature = "json-schema")]
pub(crate) const SPACE_PATTERN: &str = r"[ \t\r\n]*";
#[cfg(feature = "json-schema")]
const SIGN_PATTERN: &str = r"[-+\u2212]";

#[cfg(feature = "json-schema")]
fn digits_pattern() -> String {
    let also: String = SEPARATORS.iter().collect();
    let point = format!(r"([0-9]+|[0-9]{{1,3}}([,{also}][0-9]{{3}})+)(\.[0-9]+)?");
    let comma = format!(r"([0-9]+|[0-9]{{1,3}}([.{also}][0-9]{{3}})+),[0-9]{{1,2}}");
    format!("{point}|{comma}")
}

/// Returns the digits before and after the decimal point.
fn parts(digits: &str) -> Option<(String, &str)> {
    if let Some((whole, fraction)) = digits.rsplit_once(',')
        && (1..=2).contains(&fraction.len())
        && is_digits(fraction)
    {
        return Some((ungroup(whole, '.')?, fraction));
    }
    match digits.split_once('.') {
        Some((whole, fraction)) if is_digits(fraction) => Some((ungroup(whole, ',')?, fraction)),
        Some(_) => None,
        None => Some((ungroup(digits, ',')?, "")),
    }
}

/// Returns the digits without the separators of thousands.
fn ungroup(whole: &str, separator: char) -> Option<String> {
    let mut groups = whole.split(|one| one == separator || SEPARATORS.contains(&one));
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if first.len() > 3 || group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    is_digits(&digits)
        .then_some(digits)
        .filter(|_| !first.is_empty())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_that_needs_no_rounding_is_what_its_text_says() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let number = match state % 3 {
                0 => f64::from_bits(state),
                1 => (state >> 20) as f64 / 1_000.0,
                _ => -((state >> 40) as f64) / 100.0,
            };
            for decimals in 0..=4 {
                if let Some(exact) = exact(number, decimals) {
                    assert_eq!(Some(exact), round_text(number, decimals), "{number}");
                }
            }
        }
        for number in [
            0.0,
            -0.0,
            0.1 + 0.2,
            1.005,
            8.2,
            19.99,
            1e12,
            999_999_999_999.99,
        ] {
            for decimals in 0..=4 {
                assert_eq!(round(number, decimals), round_text(number, decimals));
            }
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero_in_decimal() {
        for (number, units, exact) in [
            (4.35 * 3.0, 1305, false),
            (448.753_425, 44_875, false),
            (16.806_722_689, 1681, false),
            (1.005, 101, false),
            (-1.005, -101, false),
            (-10.38, -1038, true),
            (0.004_9, 0, false),
            (1e-300, 0, false),
            (12.5, 1250, true),
            (-0.0, 0, true),
            (1e12, 100_000_000_000_000, true),
        ] {
            assert_eq!(round(number, 2), Some(Rounded { units, exact }), "{number}");
        }
        assert_eq!(round(0.5, 0).unwrap().units, 1);
        assert_eq!(round(1e300, 2), None);
        assert_eq!(round(f64::NAN, 2), None);
    }

    #[test]
    fn units_are_the_number_again() {
        for (units, decimals, number) in [
            (1999, 2, 19.99),
            (-7, 2, -0.07),
            (500, 0, 500.0),
            (1234, 3, 1.234),
            (0, 2, 0.0),
        ] {
            assert_eq!(from_units(units, decimals), Some(number));
        }
    }

    #[test]
    fn texts_that_are_numbers_are_read() {
        for (text, number) in [
            ("19.99", 19.99),
            ("2", 2.0),
            ("0.00", 0.0),
            ("1.0000", 1.0),
            ("4245.4200", 4245.42),
            ("4,245.42", 4245.42),
            ("4.245,42", 4245.42),
            ("1,234", 1234.0),
            ("1,234,567", 1_234_567.0),
            ("1.234", 1.234),
            ("12,5", 12.5),
            ("1234,50", 1234.5),
            ("1 234", 1234.0),
            ("1\u{a0}234,50", 1234.5),
            ("12\u{202f}345.5", 12345.5),
            ("1'234.50", 1234.5),
            ("1\u{2019}234\u{2019}567", 1_234_567.0),
            (" -10.38\n", -10.38),
            ("+25", 25.0),
            ("+1,234.50", 1234.5),
            ("\u{2212}5,00", -5.0),
        ] {
            assert_eq!(from_text(text), Some(number), "{text}");
            assert_eq!(amount_from_text(text), Some(number), "{text}");
        }
    }

    #[test]
    fn amounts_may_have_a_currencys_sign() {
        for (text, number) in [
            ("€19.99", 19.99),
            ("19,99 €", 19.99),
            ("$1,234.50", 1234.5),
            ("1\u{202f}234,50\u{a0}€", 1234.5),
            ("£ 5", 5.0),
            ("¥500", 500.0),
            ("฿10", 10.0),
            ("-€5", -5.0),
            ("€-5", -5.0),
            ("€ +5", 5.0),
            ("\u{2212}5,00 €", -5.0),
            (" $5\n", 5.0),
        ] {
            assert_eq!(amount_from_text(text), Some(number), "{text}");
            assert_eq!(from_text(text), None, "{text}");
        }
        for text in [
            "5 EUR",
            "kr 5",
            "€",
            "€ €5",
            "-€-5",
            "--5",
            "+-5",
            "€5 €€",
            "5€5",
            "- 5",
            "5-",
        ] {
            assert_eq!(amount_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "",
            " ",
            "-",
            "abc",
            "1.",
            ".5",
            ",5",
            "1,23,4",
            "1234,567",
            "1,2345",
            "1.2.3",
            "12.34,5",
            "1e3",
            "+",
            "+-1",
            "1+",
            "--1",
            "0x10",
            "NaN",
            "Infinity",
            "€ 5",
            "5 EUR",
            "1 23",
            "1  234",
            "1234 567",
            "１",
            ",234",
            "1,234,",
            "1.234,567",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
