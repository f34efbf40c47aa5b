//! Money: from the JSON number that shops send to exact integer minor units, without float arithmetic.
//!
//! `19.99` has no exact double, and `19.99 * 100.0` is not 1999: the decimal text is rounded, see `number.rs`.

use crate::limits::{MAX_AMOUNT, MAX_QUANTITY, QUANTITY_DECIMALS};
use crate::number;

/// The codes of ISO 4217 in alphabetical order, each with its number of decimals; withdrawn ones too.
const CURRENCIES: &str = concat!(
    "AED2AFN2ALL2AMD2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BGN2BHD3BIF0BMD2BND2BOB2BOV2BRL2BSD2BTN2",
    "BWP2BYN2BZD2CAD2CDF2CHE2CHF2CHW2CLF4CLP0CNY2COP2COU2CRC2CUC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2",
    "EGP2ERN2ETB2EUR2FJD2FKP2GBP2GEL2GHS2GIP2GMD2GNF0GTQ2GYD2HKD2HNL2HRK2HTG2HUF2IDR2ILS2INR2",
    "IQD3IRR2ISK0JMD2JOD3JPY0KES2KGS2KHR2KMF0KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2LYD3MAD2",
    "MDL2MGA2MKD2MMK2MNT2MOP2MRU2MUR2MVR2MWK2MXN2MXV2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2",
    "PEN2PGK2PHP2PKR2PLN2PYG0QAR2RON2RSD2RUB2RWF0SAR2SBD2SCR2SDG2SEK2SGD2SHP2SLE2SLL2SOS2SRD2",
    "SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3TOP2TRY2TTD2TWD2TZS2UAH2UGX0USD2USN2UYI0UYU2UYW4UZS2",
    "VED2VES2VND0VUV0WST2XAD2XAF0XCD2XCG2XOF0XPF0YER2ZAR2ZMW2ZWG2ZWL2",
);
/// Bytes of one of them.
const ENTRY: usize = 4;

/// Why a number is no amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217, or one without minor units (gold, testing).
    #[error("not an ISO 4217 currency code in upper case")]
    UnknownCurrency,
    /// Beyond [`MAX_AMOUNT`] on either side of zero, or not finite.
    #[error("an amount is between -1000000000000 and 1000000000000")]
    OutOfRange,
}

/// Returns how many decimals a currency has (ISO 4217: EUR 2, JPY 0, BHD 3), or `None` if the code is not a currency's.
///
/// Withdrawn currencies are known as well: orders of the past are in them.
#[must_use]
pub fn digits(currency: &str) -> Option<u32> {
    known(currency).map(|(_, digits)| digits)
}

/// Returns a currency's code as it is known here, with its decimals.
pub(crate) fn known(currency: &str) -> Option<(&'static str, u32)> {
    let (entries, _) = CURRENCIES.as_bytes().as_chunks::<ENTRY>();
    let code = |[first, second, third, _]: &[u8; ENTRY]| [*first, *second, *third];
    let place = entries.binary_search_by(|entry| code(entry).as_slice().cmp(currency.as_bytes()));
    let entry = CURRENCIES.get(place.ok()? * ENTRY..)?;
    let (code, rest) = entry.split_at_checked(currency.len())?;
    Some((code, rest.chars().next()?.to_digit(10)?))
}

/// Converts an amount in a currency's major unit to its minor unit: `19.99` EUR is 1999 cents, `500` JPY is 500 yen. What
/// is less than a minor unit is rounded, halves away from zero.
///
/// # Errors
/// Returns an error if the currency is unknown, or the amount is too large or not finite.
pub fn minor_units(amount: f64, currency: &str) -> Result<i64, MoneyError> {
    let digits = digits(currency).ok_or(MoneyError::UnknownCurrency)?;
    units(amount, digits).ok_or(MoneyError::OutOfRange)
}

/// Converts an amount to units of its last decimal. `None` if it is too large or not finite.
pub(crate) fn units(amount: f64, digits: u32) -> Option<i64> {
    if !(-MAX_AMOUNT..=MAX_AMOUNT).contains(&amount) {
        return None;
    }
    number::round(amount, digits).map(|rounded| rounded.units)
}

/// Returns price × quantity in minor units, halves rounded away from zero. A quantity has three decimals. `None` if the
/// quantity or the result is out of bounds.
#[must_use]
pub fn line_total(price_minor: i64, quantity: f64) -> Option<i64> {
    if !(0.0..=MAX_QUANTITY).contains(&quantity) {
        return None;
    }
    let thousandths = number::round(quantity, QUANTITY_DECIMALS)?.units;
    let scale = 10_i64.pow(QUANTITY_DECIMALS);
    if thousandths % scale == 0 {
        return price_minor.checked_mul(thousandths / scale);
    }
    let scale = i128::from(scale);
    let product = i128::from(price_minor) * i128::from(thousandths);
    let half = if product < 0 { -scale / 2 } else { scale / 2 };
    i64::try_from((product + half) / scale).ok()
}

/// Returns every currency code that [`digits`] knows, in alphabetical order.
#[cfg(feature = "json-schema")]
pub(crate) fn codes() -> Vec<&'static str> {
    let starts = (0..CURRENCIES.len()).step_by(ENTRY);
    starts
        .filter_map(|start| CURRENCIES.get(start..start + ENTRY - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_those_of_the_standard() {
        use iso_currency::{Currency, IntoEnumIterator};
        let mut entries: Vec<String> = Currency::iter()
            .filter_map(|currency| Some(format!("{}{}", currency.code(), currency.exponent()?)))
            .collect();
        entries.sort_unstable();
        assert_eq!(CURRENCIES, entries.concat());
        for entry in entries {
            let (code, digits) = entry.split_at(3);
            assert_eq!(super::digits(code), digits.parse().ok(), "{code}");
        }
    }

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
            let rounded = number::round(amount, 2).unwrap();
            assert_eq!((rounded.units, rounded.exact), (minor, true), "{text}");
        }
    }

    #[test]
    fn decimals_follow_the_currency() {
        assert_eq!(minor_units(500.0, "JPY"), Ok(500));
        assert_eq!(minor_units(1.234, "BHD"), Ok(1234));
        assert_eq!(minor_units(0.5, "JPY"), Ok(1));
        assert_eq!(minor_units(19.999, "EUR"), Ok(2000));
        assert_eq!(minor_units(0.1 + 0.2, "EUR"), Ok(30));
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(minor_units(0.0, "EUR"), Ok(0));
        assert_eq!(minor_units(-10.38, "EUR"), Ok(-1038));
        assert_eq!(minor_units(MAX_AMOUNT, "CLF"), Ok(10_000_000_000_000_000));
        assert_eq!(minor_units(-MAX_AMOUNT, "EUR"), Ok(-100_000_000_000_000));
        for amount in [-1e12 - 0.01, 1e12 + 0.01, f64::NAN, f64::INFINITY] {
            assert_eq!(
                minor_units(amount, "EUR"),
                Err(MoneyError::OutOfRange),
                "{amount}"
            );
        }
    }

    #[test]
    fn line_is_price_times_quantity_in_decimal() {
        assert_eq!(line_total(1250, 2.0), Some(2500));
        assert_eq!(line_total(1000, 1.85), Some(1850));
        assert_eq!(line_total(1, 0.5), Some(1));
        assert_eq!(line_total(-1, 0.5), Some(-1));
        assert_eq!(line_total(-1038, 1.0), Some(-1038));
        assert_eq!(line_total(333, 0.001), Some(0));
        assert_eq!(line_total(i64::MAX, 2.0), None);
        assert_eq!(line_total(i64::MIN, 1e6), None);
        assert_eq!(line_total(1, 1e6 + 1.0), None);
        assert_eq!(line_total(1, f64::NAN), None);
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
