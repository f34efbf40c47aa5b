//! What a page asks for: days, a shop, a currency, and filters. It stands in the address of every answer.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::gold::landing_pages::UNKNOWN;
use crate::table::{Layer, Table};
use crate::warehouse::Day;

/// Days that one answer is about, at most: more is a query for a warehouse, not for a page.
const MOST_DAYS: i64 = 1_100;

/// The parameters of an answer's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Which days to compare with.
    #[serde(default)]
    pub compare: CompareWith,
    /// Currency of all money; without one the one with the most orders.
    pub currency: Option<String>,
    /// Only this shop.
    pub shop: Option<String>,
    /// Only sessions of this channel.
    pub channel: Option<String>,
    /// Only sessions on this kind of device.
    pub device: Option<String>,
    /// Only sessions from this country.
    pub country: Option<String>,
    /// Only sessions with this product in them; in tables of products only this one.
    pub product: Option<String>,
    /// Only sessions in which this was searched for; in tables of search terms only this one.
    pub term: Option<String>,
    /// The customer whose orders are asked for.
    pub customer: Option<String>,
}

/// Which days a period is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CompareWith {
    /// With none.
    None,
    /// With as many days before it.
    #[default]
    Before,
    /// With the same days a year before.
    Year,
}

/// Days in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct DayRange {
    /// The first.
    pub from: NaiveDate,
    /// The last, included.
    pub to: NaiveDate,
}

/// What is wrong with a question.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum QuestionError {
    /// The last day lies before the first.
    #[error("`to` lies before `from`")]
    Backwards,
    /// Too many days.
    #[error("more than {MOST_DAYS} days\nhint: ask the warehouse itself for longer periods")]
    TooLong,
    /// A day that no calendar has room for.
    #[error("`from` and `to` are days between 1970 and 2200")]
    OutOfCalendar,
}

impl Question {
    /// The days asked for.
    ///
    /// # Errors
    /// Returns an error if they are no period that can be answered.
    pub fn days(&self) -> Result<DayRange, QuestionError> {
        let in_calendar = |day: NaiveDate| (1970..=2200).contains(&chrono::Datelike::year(&day));
        if !in_calendar(self.from) || !in_calendar(self.to) {
            return Err(QuestionError::OutOfCalendar);
        }
        if self.to < self.from {
            return Err(QuestionError::Backwards);
        }
        let days = DayRange {
            from: self.from,
            to: self.to,
        };
        if days.count() > MOST_DAYS {
            return Err(QuestionError::TooLong);
        }
        Ok(days)
    }

    /// The days to compare with.
    pub fn days_before(&self, days: DayRange) -> Option<DayRange> {
        match self.compare {
            CompareWith::None => None,
            CompareWith::Before => days.before(),
            CompareWith::Year => days.a_year_before(),
        }
    }

    /// The filters by the column that has their value.
    pub fn filters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("channel", &self.channel),
            ("device", &self.device),
            ("country", &self.country),
            ("item_id", &self.product),
            ("search_term", &self.term),
        ]
        .into_iter()
        .filter_map(|(column, value)| Some((column, value.as_deref()?)))
    }

    /// Whether there is any filter.
    pub fn is_filtered(&self) -> bool {
        self.filters().next().is_some()
    }

    /// The same question without filters.
    pub fn unfiltered(&self) -> Self {
        Self {
            channel: None,
            device: None,
            country: None,
            product: None,
            term: None,
            ..self.clone()
        }
    }

    /// Whether rows of the table can be judged by their own columns.
    pub fn is_told_by(&self, table: &Table) -> bool {
        self.filters().all(|(column, _)| has(table, column))
    }

    /// The rows of a table that pass the filters whose columns it has.
    pub fn narrow(&self, table: &Table, rows: LazyFrame) -> LazyFrame {
        let told = self.filters().filter(|(column, _)| has(table, column));
        told.fold(rows, |rows, (column, value)| {
            let own = match column {
                // Silver has none where gold has a word for it.
                "country" => col(column).fill_null(lit(UNKNOWN)),
                _ => col(column),
            };
            rows.filter(own.eq(lit(value.to_owned())))
        })
    }
}

fn has(table: &Table, column: &str) -> bool {
    // An event has the term as it was typed; and what followed a search has none, but is in the session.
    if column == "search_term" && table.layer == Layer::Silver {
        return false;
    }
    table.column_names().any(|name| name == column)
}

impl DayRange {
    /// How many they are.
    pub fn count(self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// The days as warehouses number them.
    pub fn numbers(self) -> BTreeSet<Day> {
        (number(self.from)..=number(self.to)).collect()
    }

    /// Whether a `DATE` column lies in it.
    pub fn holds(self, column: &str) -> Expr {
        let day = |day: NaiveDate| lit(number(day)).cast(DataType::Date);
        col(column)
            .gt_eq(day(self.from))
            .and(col(column).lt_eq(day(self.to)))
    }

    /// It and so many days after it.
    pub fn reaching_on(self, days: i32) -> Self {
        let on = Days::new(u64::try_from(days).unwrap_or_default());
        Self {
            from: self.from,
            to: self.to.checked_add_days(on).unwrap_or(self.to),
        }
    }

    /// It and so many days before it.
    pub fn reaching_back(self, days: i32) -> Self {
        let back = Days::new(u64::try_from(days).unwrap_or_default());
        Self {
            from: self.from.checked_sub_days(back).unwrap_or(self.from),
            to: self.to,
        }
    }

    fn before(self) -> Option<Self> {
        let length = Days::new(u64::try_from(self.count()).ok()?);
        Some(Self {
            from: self.from.checked_sub_days(length)?,
            to: self.to.checked_sub_days(length)?,
        })
    }

    fn a_year_before(self) -> Option<Self> {
        Some(Self {
            from: self.from.checked_sub_months(Months::new(12))?,
            to: self.to.checked_sub_months(Months::new(12))?,
        })
    }
}

fn number(day: NaiveDate) -> Day {
    let days = (day - NaiveDate::default()).num_days();
    Day::try_from(days).unwrap_or(Day::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(from: &str, to: &str, compare: CompareWith) -> Question {
        Question {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            compare,
            currency: None,
            shop: None,
            channel: None,
            device: None,
            country: None,
            product: None,
            term: None,
            customer: None,
        }
    }

    fn before(from: &str, to: &str, compare: CompareWith) -> Option<(String, String)> {
        let question = question(from, to, compare);
        let days = question.days_before(question.days().unwrap())?;
        Some((days.from.to_string(), days.to.to_string()))
    }

    #[test]
    fn comparison_is_with_as_many_days_before_or_with_the_year_before() {
        let days = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(
            before("2026-03-03", "2026-03-09", CompareWith::Before),
            days("2026-02-24", "2026-03-02")
        );
        assert_eq!(
            before("2028-02-29", "2028-02-29", CompareWith::Year),
            days("2027-02-28", "2027-02-28")
        );
        assert_eq!(before("2026-03-03", "2026-03-09", CompareWith::None), None);
    }

    #[test]
    fn periods_that_cannot_be_answered_are_refused() {
        let days = |from: &str, to: &str| question(from, to, CompareWith::None).days();
        assert_eq!(
            days("2026-03-09", "2026-03-08"),
            Err(QuestionError::Backwards)
        );
        assert_eq!(
            days("2020-01-01", "2026-03-08"),
            Err(QuestionError::TooLong)
        );
        assert_eq!(
            days("9999-01-01", "9999-01-01"),
            Err(QuestionError::OutOfCalendar)
        );
    }

    #[test]
    fn days_are_numbered_from_1970() {
        let days = question("1970-01-02", "1970-01-03", CompareWith::None);
        assert_eq!(days.days().unwrap().numbers(), BTreeSet::from([1, 2]));
    }
}
