//! Conditions of `shoptrail show --where`: a column, a comparison, a value.

use std::str::FromStr;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, Utc};
use polars::prelude::*;

use crate::table::{ColumnType, Table};
use crate::warehouse::{Filter, Query};

/// The longer ones first: `<=` begins with `<`.
const COMPARISONS: [(&str, Comparing); 7] = [
    ("!=", Comparing::NotEqual),
    ("<=", Comparing::AtMost),
    (">=", Comparing::AtLeast),
    ("=", Comparing::Equal),
    ("<", Comparing::Below),
    (">", Comparing::Above),
    ("~", Comparing::Contains),
];

/// How a column is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparing {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
    Contains,
}

/// What a row must satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    column: String,
    comparing: Comparing,
    value: String,
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = text
            .find(|character: char| !is_name(character))
            .unwrap_or(text.len());
        let (column, rest) = text.split_at(end);
        let rest = rest.trim_start();
        let found = COMPARISONS
            .iter()
            .find_map(|(sign, comparing)| Some((*comparing, rest.strip_prefix(sign)?)));
        match found {
            Some((comparing, value)) if !column.is_empty() => Ok(Self {
                column: column.to_owned(),
                comparing,
                value: value.trim().to_owned(),
            }),
            _ => Err(
                "a condition is a column, one of = != < <= > >= ~, and a value\nhint: for example `day>=2026-11-01`"
                    .to_owned(),
            ),
        }
    }
}

impl Condition {
    /// Leaves to the warehouse what it can judge where the data lies.
    ///
    /// # Errors
    /// Returns an error if the table has no such column.
    pub(super) fn narrow(&self, table: &Table, query: Query) -> anyhow::Result<Query> {
        let column = self.column(table)?;
        let is_text = column.kind == ColumnType::Text;
        Ok(match self.comparing {
            Comparing::Equal if is_text => {
                query.filter(Filter::TextIn(column.name, vec![self.value.clone()]))
            }
            _ => query,
        })
    }

    /// The condition as polars judges it.
    ///
    /// # Errors
    /// Returns an error if the table has no such column, or the value is none of its type.
    pub(super) fn expression(&self, table: &Table) -> anyhow::Result<Expr> {
        let column = self.column(table)?;
        let of = col(column.name);
        if self.comparing == Comparing::Contains {
            return Ok(of
                .cast(DataType::String)
                .str()
                .contains_literal(lit(self.value.clone())));
        }
        let value = value(column.kind, &self.value).with_context(|| {
            let kind = column.kind.sql();
            format!("`{}` is no value of `{}` ({kind})", self.value, column.name)
        })?;
        Ok(match self.comparing {
            Comparing::Equal => of.eq(value),
            Comparing::NotEqual => of.neq(value),
            Comparing::Below => of.lt(value),
            Comparing::AtMost => of.lt_eq(value),
            Comparing::Above => of.gt(value),
            Comparing::AtLeast | Comparing::Contains => of.gt_eq(value),
        })
    }

    fn column(&self, table: &Table) -> anyhow::Result<&'static crate::table::Column> {
        let found = table
            .columns
            .iter()
            .find(|column| column.name == self.column);
        let Some(column) = found else {
            bail!(
                "`{}` has no column `{}`\nhint: `shoptrail tables {}` lists them",
                table.name,
                self.column,
                table.name
            )
        };
        Ok(column)
    }
}

/// A value of a column's type.
fn value(kind: ColumnType, text: &str) -> anyhow::Result<Expr> {
    Ok(match kind {
        ColumnType::Text => lit(text.to_owned()),
        ColumnType::Integer => lit(text.parse::<i64>()?),
        ColumnType::Float => lit(text.parse::<f64>()?),
        ColumnType::Boolean => lit(text.parse::<bool>()?),
        ColumnType::Date => {
            let day: NaiveDate = text.parse()?;
            let number = (day - NaiveDate::default()).num_days();
            lit(number).cast(DataType::Int32).cast(DataType::Date)
        }
        ColumnType::Timestamp => {
            let instant: DateTime<Utc> = match text.parse::<NaiveDate>() {
                Ok(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
                Err(_) => text.parse()?,
            };
            lit(instant.timestamp_micros()).cast(kind.polars())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gold::daily_kpis::GOLD;

    fn condition(text: &str) -> Condition {
        text.parse().unwrap()
    }

    #[test]
    fn condition_is_read_with_and_without_spaces() {
        for text in ["day>=2026-11-01", "day >= 2026-11-01"] {
            let read = condition(text);
            assert_eq!(
                (read.column.as_str(), read.comparing, read.value.as_str()),
                ("day", Comparing::AtLeast, "2026-11-01")
            );
        }
        assert_eq!(condition("shop_id=a=b").value, "a=b");
        for text in ["", "day", "=1", "day like x"] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_of_the_columns_type() {
        for text in [
            "day<2026-11-01",
            "orders>3",
            "conversion_rate>=0.1",
            "shop_id~em",
        ] {
            assert!(condition(text).expression(&GOLD.table).is_ok(), "{text}");
        }
        let said = |text: &str| {
            let error = condition(text).expression(&GOLD.table).err();
            format!("{:#}", error.expect("it is refused"))
        };
        assert!(said("orders>many").contains("`many` is no value of `orders` (INT64)"));
        assert!(said("profit>3").contains("has no column `profit`"));
    }
}
