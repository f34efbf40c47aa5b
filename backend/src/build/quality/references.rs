//! Checks that what a run's rows refer to is there.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::super::rows::{anti, days_in};
use super::super::staged::Staged;
use super::{Found, keyed};
use crate::silver::{events, items, orders, refunds, sessions, visitors};
use crate::table::Table;
use crate::warehouse::{Day, Query};

/// A column that holds keys of another table, in the same shop.
pub(super) struct Reference {
    pub(super) from: &'static Table,
    pub(super) column: &'static str,
    pub(super) to: &'static Table,
    /// The column there.
    pub(super) key: &'static str,
    /// How many days before a row the one it refers to may lie, where both are cut by days.
    back: Option<Day>,
    /// Whether only what people did refers to one.
    pub(super) of_people: bool,
}

/// All references between silver tables.
pub(super) static REFERENCES: [Reference; 6] = [
    Reference {
        from: &items::TABLE,
        column: "event_id",
        to: &events::TABLE,
        key: "event_id",
        back: Some(0),
        of_people: false,
    },
    Reference {
        from: &events::TABLE,
        column: "session_key",
        to: &sessions::TABLE,
        key: "session_key",
        back: Some(super::super::SESSION_DAYS),
        of_people: false,
    },
    Reference {
        from: &sessions::TABLE,
        column: "anonymous_id",
        to: &visitors::TABLE,
        key: "anonymous_id",
        back: None,
        of_people: true,
    },
    Reference {
        from: &orders::TABLE,
        column: "session_key",
        to: &sessions::TABLE,
        key: "session_key",
        back: Some(super::super::SESSION_DAYS),
        of_people: false,
    },
    Reference {
        from: &orders::TABLE,
        column: "purchase_event_id",
        to: &events::TABLE,
        key: "event_id",
        back: Some(0),
        of_people: false,
    },
    Reference {
        from: &refunds::TABLE,
        column: "transaction_id",
        to: &orders::TABLE,
        key: "transaction_id",
        back: None,
        of_people: false,
    },
];

impl Reference {
    /// What it is called in the table of results.
    pub(super) fn name(&self) -> String {
        format!("references {}", self.to.name)
    }

    /// The rows of this run that refer to nothing.
    pub(super) async fn check(&self, staged: &Staged<'_>) -> anyhow::Result<Found> {
        let (_, made) = staged.replaced(self.from);
        let mut refers = col(self.column).is_not_null();
        if self.of_people {
            refers = refers.and(col("is_bot").not());
        }
        let from = made.lazy().filter(refers).collect()?;
        let query = Query::all().columns(&["shop_id", self.key]);
        let mut query = keyed(query, self.key, &from, self.column)?;
        if let Some(back) = self.back {
            let days = days_in(&from, "day")?;
            let days: BTreeSet<Day> = days.iter().flat_map(|day| day - back..=*day).collect();
            query = query.days(&days);
        }
        let there = staged.contents(self.to, query).await?.lazy();
        let there = there.select([col("shop_id"), col(self.key).alias(self.column)]);
        let astray = anti(from.lazy(), there, &["shop_id", self.column]);
        let mut columns = self.from.key.to_vec();
        if !columns.contains(&self.column) {
            columns.push(self.column);
        }
        Ok(Found::of(astray, &columns)?)
    }
}
