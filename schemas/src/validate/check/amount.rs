//! Amounts and quantities: rounded, and bounded so that an event's total fits into 64 bits of minor units.

use std::fmt;

use serde_json::Number;

use super::{Check, Currency, to_json};
use crate::limits::{
    MAX_AMOUNT, MAX_LINE_UNITS, MAX_NOISE, MAX_QUANTITY, MIN_QUANTITY, QUANTITY_DECIMALS,
};
use crate::reject::RejectCode;
use crate::tree::{Members, Tree};
use crate::warning::WarningCode;
use crate::{money, number};

/// Writes a limit.
fn shown(limit: f64) -> String {
    to_json(limit).map_or_else(String::new, |limit| limit.to_string())
}

impl Check {
    pub(super) fn money(&mut self, value: &mut Tree<'_>, negative: bool) {
        let Some(number) = self.number(value, "a number", number::amount_from_text) else {
            return;
        };
        let amount = number.as_f64().unwrap_or(f64::NAN);
        let least = if negative { -MAX_AMOUNT } else { 0.0 };
        if !(least - MAX_NOISE..=MAX_AMOUNT).contains(&amount) {
            let message = format!(
                "{} is {number}: send {} to {}",
                self.name(),
                shown(least),
                shown(MAX_AMOUNT)
            );
            return self.reject(RejectCode::OutOfRange, message);
        }
        match self.currency {
            Currency::Absent => self.missing_currency(),
            Currency::Unknown => {}
            Currency::Known { code, digits } => {
                let why = format_args!("{code} has {digits} decimals");
                self.round(value, &number, digits, why);
            }
        }
        if amount < -MAX_NOISE {
            let message = format!("{} is {number}: taken as a reduction", self.name());
            self.warn(WarningCode::NegativeLine, message);
        }
    }

    pub(super) fn quantity(&mut self, value: &mut Tree<'_>) {
        let Some(number) = self.number(value, "a number", number::from_text) else {
            return;
        };
        let quantity = number.as_f64().unwrap_or(f64::NAN);
        if !(0.0..=MAX_QUANTITY).contains(&quantity) {
            let message = format!(
                "{} is {number}: send {} to {}",
                self.name(),
                shown(MIN_QUANTITY),
                shown(MAX_QUANTITY)
            );
            return self.reject(RejectCode::OutOfRange, message);
        }
        self.may_have_none |= quantity < MIN_QUANTITY;
        if quantity.fract() != 0.0 {
            let message = format!("{} is {number}: no whole number of pieces", self.name());
            self.warn(WarningCode::DecimalQuantity, message);
            let why = format_args!("quantities have {QUANTITY_DECIMALS} decimals");
            self.round(value, &number, QUANTITY_DECIMALS, why);
        }
    }

    /// Rounds a number that has more decimals than it may.
    pub(super) fn round(
        &mut self,
        value: &mut Tree<'_>,
        given: &Number,
        decimals: u32,
        why: fmt::Arguments<'_>,
    ) {
        let rounded = given
            .as_f64()
            .and_then(|given| number::round(given, decimals))
            .filter(|rounded| !rounded.exact);
        let Some(rounded) = rounded
            .and_then(|rounded| number::from_units(rounded.units, decimals))
            .and_then(to_json)
        else {
            return;
        };
        let message = format!(
            "{} is {given}, but {why}: rounded to {rounded}",
            self.name()
        );
        self.repair(WarningCode::Rounded, message);
        *value = Tree::Number(rounded);
    }

    /// Notes at the root that an amount lacks its currency.
    fn missing_currency(&mut self) {
        let amount = self.name();
        let pointer = std::mem::take(&mut self.pointer);
        self.at("currency", |check| check.missing(&amount));
        self.pointer = pointer;
    }

    /// Bounds price × quantity of an item.
    pub(super) fn line_total(&mut self, item: &Members<'_>) {
        let Currency::Known { digits, .. } = self.currency else {
            return;
        };
        let Some(largest) = money::units(MAX_AMOUNT, digits) else {
            return;
        };
        let price = item.number("price");
        let Some(price) = price.and_then(|price| money::units(price, digits)) else {
            return;
        };
        let quantity = item.number("quantity").unwrap_or(1.0);
        if !(MIN_QUANTITY..=MAX_QUANTITY).contains(&quantity) {
            return;
        }
        let total = money::line_total(price, quantity);
        let largest = largest.min(MAX_LINE_UNITS);
        if total.is_none_or(|total| total.saturating_abs() > largest) {
            let message = format!(
                "price × quantity of {} is too large: send the price of one piece",
                self.name()
            );
            self.reject(RejectCode::AmountTooLarge, message);
        }
    }
}
