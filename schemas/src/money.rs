//! Money: from the JSON number that shops send to exact integer minor units, without float arithmetic.
//!
//! `19.99` has no exact double, and `19.99 * 100.0` is not 1999. The shortest decimal text that reads back as the same
//! double is what the shop wrote (up to 15 significant digits), and cents are cut from that text.

use iso_currency::Currency;

use crate::limits::MAX_AMOUNT;

/// Why a number is no amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217, or one without minor units (gold, testing).
    #[error("not an ISO 4217 currency code in upper case")]
    UnknownCurrency,
    /// Negative, above [`MAX_AMOUNT`], or not finite.
    #[error("an amount is between 0 and 1000000000000")]
    OutOfRange,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has: round to {digits} decimals before sending")]
    TooManyDecimals {
        /// The decimals the currency has.
        digits: u32,
    },
}

/// Returns how many decimals a currency has (ISO 4217: EUR 2, JPY 0, BHD 3), or `None` if the code is not a currency's.
///
/// Withdrawn currencies are known as well: orders of the past are in them.
#[must_use]
pub fn digits(currency: &str) -> Option<u32> {
    Currency::from_code(currency)?.exponent().map(u32::from)
}

/// Converts an amount in a currency's major unit to its minor unit: `19.99` EUR is 1999 cents, `500` JPY is 500 yen.
///
/// # Errors
/// If the currency is unknown, the amount is negative, too large or not finite, or has more decimals than the currency.
pub fn minor_units(amount: f64, currency: &str) -> Result<i64, MoneyError> {
    let digits = digits(currency).ok_or(MoneyError::UnknownCurrency)?;
    if !(0.0..=MAX_AMOUNT).contains(&amount) {
        return Err(MoneyError::OutOfRange);
    }
    shift_decimal_point(amount, digits).ok_or(MoneyError::TooManyDecimals { digits })
}

/// Multiplies by a power of ten in the decimal text. `None` if a fraction would remain.
fn shift_decimal_point(amount: f64, digits: u32) -> Option<i64> {
    // `Display` writes the shortest text that reads back as the same double, never with an exponent. `abs` is for -0.
    let text = amount.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = usize::try_from(digits).ok()?;
    if fraction.len() > digits {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// Returns every currency code that [`digits`] knows, in alphabetical order.
#[cfg(feature = "json-schema")]
pub(crate) fn codes() -> Vec<&'static str> {
    use iso_currency::IntoEnumIterator;
    let with_minor_units = Currency::iter().filter(|currency| currency.exponent().is_some());
    let mut codes: Vec<_> = with_minor_units.map(|currency| currency.code()).collect();
    codes.sort_unstable();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_exact_where_float_arithmetic_is_not() {
        for (amount, minor) in [
            (19.99, 1999),
            (1.005e3, 100_500),
            (0.07, 7),
            (8.2, 820),
            (1.1, 110),
            (4.35, 435),
        ] {
            assert_eq!(minor_units(amount, "EUR"), Ok(minor), "{amount}");
        }
    }

    #[test]
    fn every_cent_up_to_ten_thousand_euro_survives_json() {
        for minor in 0..1_000_000_i64 {
            let text = format!("{}.{:02}", minor / 100, minor % 100);
            let amount: f64 = text.parse().unwrap();
            assert_eq!(shift_decimal_point(amount, 2), Some(minor), "{text}");
        }
    }

    #[test]
    fn decimals_follow_the_currency() {
        assert_eq!(minor_units(500.0, "JPY"), Ok(500));
        assert_eq!(minor_units(1.234, "BHD"), Ok(1234));
        assert_eq!(
            minor_units(0.5, "JPY"),
            Err(MoneyError::TooManyDecimals { digits: 0 })
        );
        assert_eq!(
            minor_units(19.999, "EUR"),
            Err(MoneyError::TooManyDecimals { digits: 2 })
        );
        assert_eq!(
            minor_units(0.1 + 0.2, "EUR"),
            Err(MoneyError::TooManyDecimals { digits: 2 })
        );
        assert_eq!(
            minor_units(1e-300, "EUR"),
            Err(MoneyError::TooManyDecimals { digits: 2 })
        );
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(minor_units(0.0, "EUR"), Ok(0));
        assert_eq!(minor_units(-0.0, "EUR"), Ok(0));
        assert_eq!(minor_units(MAX_AMOUNT, "CLF"), Ok(10_000_000_000_000_000));
        assert_eq!(
            minor_units(999_999_999_999.99, "EUR"),
            Ok(99_999_999_999_999)
        );
        for amount in [-0.01, 1e12 + 0.01, f64::NAN, f64::INFINITY] {
            assert_eq!(
                minor_units(amount, "EUR"),
                Err(MoneyError::OutOfRange),
                "{amount}"
            );
        }
    }

    #[test]
    fn only_currencies_with_minor_units_are_known() {
        for code in ["eur", "EURO", "", "XXX", "XAU", "€", "ZZZ"] {
            assert_eq!(digits(code), None, "{code}");
        }
        assert_eq!(minor_units(1.0, "ZZZ"), Err(MoneyError::UnknownCurrency));
    }

    #[test]
    fn json_numbers_are_read_to_the_last_place() {
        // Without serde_json's `float_roundtrip` some of these are read one unit in the last place off.
        for text in [
            "51.24817837550540",
            "31.245270191439438",
            "93.1100000000000001",
            "123456789012.34",
        ] {
            let read: f64 = serde_json::from_str(text).unwrap();
            assert_eq!(
                read.to_bits(),
                text.parse::<f64>().unwrap().to_bits(),
                "{text}"
            );
        }
    }
}
