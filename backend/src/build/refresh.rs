//! A refresh: tables of an existing warehouse built again, all of them or some, on all days or some.
//!
//! Gold is built from published silver, some days at a time. Silver is made by a rebuild that nobody sees, and of that is taken
//! what differs from what is stored; then so are the tables that are made from rows which differ. Only such rows are written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use polars::prelude::*;
use shoptrail_local::progress::now;

use super::increment::MANY_IDS;
use super::rebuild::{self, Rebuilt};
use super::rows::{day_groups, days_around, days_in, in_days, texts};
use super::scopes::{inputs, reach, rows_of_days};
use super::staged::Staged;
use super::{Plan, Reason, built_tables, days, quality, read_all, rebuilt_plan, sums};
use crate::config::Reporting;
use crate::gold::{self, Gold, Scope, Spans};
use crate::silver::events;
use crate::table::{Layer, Table};
use crate::tables::made_from;
use crate::warehouse::{Basis, Change, Day, Filter, Publication, Query, Replaces, Warehouse};

/// A range of more days than this is not named day by day where rows are read.
const MANY_DAYS: Day = 4_000;

/// What is to be built again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Names of tables; all of them where there is none.
    tables: BTreeSet<&'static str>,
    days: DaySpan,
}

/// Days in a row, first and last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DaySpan {
    first: Day,
    last: Day,
}

/// Why tables cannot be built again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// There is no such table.
    #[error("there is no table `{name}` that a build makes\nhint: there are {known}")]
    UnknownTable {
        /// The name as given.
        name: String,
        /// The names of those that can be built.
        known: String,
    },
    /// The days are none.
    #[error(
        "`--since` {since} is later than `--until` {until}\nhint: both days are built, and those between them"
    )]
    Backwards {
        /// The first day asked for.
        since: NaiveDate,
        /// The last day asked for.
        until: NaiveDate,
    },
    /// There is nothing to build again.
    #[error("nothing has been published yet\nhint: `shoptrail build` builds every table")]
    NothingPublished,
}

impl Refresh {
    /// Asks for tables by their names, for all of them where there is none, on the days of the reporting time zone from `since`
    /// until `until`.
    ///
    /// # Errors
    /// Returns an error if a build makes no table of a name, or the days are none.
    pub fn of(
        names: &[String],
        since: Option<NaiveDate>,
        until: Option<NaiveDate>,
    ) -> Result<Self, RefreshError> {
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(RefreshError::Backwards { since, until });
        }
        let tables = names.iter().map(|name| known(name.trim()));
        Ok(Self {
            tables: tables.collect::<Result<_, _>>()?,
            days: DaySpan {
                first: since.map_or(DaySpan::ALL.first, day),
                last: until.map_or(DaySpan::ALL.last, day),
            },
        })
    }

    fn asks_for(&self, table: &Table) -> bool {
        self.tables.is_empty() || self.tables.contains(table.name)
    }
}

fn known(name: &str) -> Result<&'static str, RefreshError> {
    let names: Vec<&'static str> = built_tables().map(|table| table.name).collect();
    let found = names.iter().find(|known| **known == name);
    found.copied().ok_or_else(|| RefreshError::UnknownTable {
        name: name.to_owned(),
        known: names.join(", "),
    })
}

fn day(date: NaiveDate) -> Day {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    // No calendar has more days than fit.
    Day::try_from(days).unwrap_or_default()
}

impl DaySpan {
    const ALL: Self = Self {
        first: Day::MIN,
        last: Day::MAX,
    };

    fn holds(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// Asks for the rows on these days, and on so many before and after them.
    fn narrow(self, query: Query, before: Day, after: Day) -> Query {
        let first = self.first.saturating_sub(before);
        let last = self.last.saturating_add(after);
        match last.checked_sub(first) {
            Some(0..MANY_DAYS) => query.days(&(first..=last).collect()),
            _ => query,
        }
    }
}

impl Default for DaySpan {
    fn default() -> Self {
        Self::ALL
    }
}

/// Plans a publication of what is asked for.
///
/// # Errors
/// Returns an error if the warehouse cannot be read, a plan fails, or a check does.
pub(super) async fn plan(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    published: Publication,
    refresh: &Refresh,
    rows_at_once: usize,
) -> anyhow::Result<Plan> {
    let asked: Vec<&'static Table> = built_tables()
        .filter(|table| refresh.asks_for(table))
        .collect();
    let mut staged = Staged::over(warehouse, published.clone());
    let mut bronze_rows = 0;
    if asked.iter().any(|table| table.layer == Layer::Silver) {
        let rebuilt = rebuild::rebuild(warehouse, reporting, rows_at_once).await?;
        let unread = warehouse.unread(published.cursor.as_ref(), None).await?;
        if read_all(warehouse, unread.portions).await?.height() > 0 {
            tracing::info!("records have landed since the last build: every table is built again");
            return rebuilt_plan(warehouse, reporting, published, Reason::Asked, rebuilt).await;
        }
        bronze_rows = rebuilt.bronze_rows;
        let taking = Taking {
            rebuilt,
            rows_at_once,
        };
        taking.take_all(&mut staged, &asked, refresh.days).await?;
    } else {
        for gold in gold::TABLES {
            if refresh.asks_for(&gold.table) {
                now(gold.table.name);
                build_again(&mut staged, gold, refresh.days, reporting, rows_at_once).await?;
            }
        }
    }
    let outcomes = quality::check_tables(&staged).await?;
    let now_us = chrono::Utc::now().timestamp_micros();
    let (results, warned) = quality::change(warehouse, &published, &outcomes, now_us).await?;
    let days = days(&staged)?;
    let mut changes = staged.into_changes()?;
    add_unchanged(&mut changes, &asked)?;
    Ok(Plan {
        reason: Reason::Asked,
        bronze_rows,
        publishes: true,
        changes,
        days,
        basis: Basis {
            cursor: published.cursor.clone().unwrap_or_default(),
            recipe: published.recipe.clone(),
        },
        is_all: true,
        results,
        warned,
        checks: quality::counts(&outcomes),
        broken: quality::verdict(&outcomes),
        published,
        _parts: None,
    })
}

/// Publishes tables too of which no row differs: a lake puts away then what another program has committed beside what is
/// published.
fn add_unchanged(changes: &mut Vec<Change>, asked: &[&'static Table]) -> PolarsResult<()> {
    for table in asked {
        if changes.iter().all(|change| change.table.name != table.name) {
            changes.push(Change {
                table,
                replaces: Replaces::Keys(table.empty().select(table.address())?),
                rows: table.empty().into(),
            });
        }
    }
    Ok(())
}

/// Takes rows over from a rebuild.
struct Taking {
    rebuilt: Rebuilt,
    rows_at_once: usize,
}

impl Taking {
    /// Takes over the tables asked for on their days, and whole what is made from rows that differ.
    async fn take_all(
        &self,
        staged: &mut Staged<'_>,
        asked: &[&'static Table],
        days: DaySpan,
    ) -> anyhow::Result<()> {
        let mut whole = BTreeSet::new();
        for table in asked {
            self.take(staged, table, days).await?;
            if days == DaySpan::ALL {
                whole.insert(table.name);
            }
        }
        while let Some(table) = follows(staged, &whole) {
            staged.leave(table);
            self.take(staged, table, DaySpan::ALL).await?;
            whole.insert(table.name);
        }
        Ok(())
    }

    async fn take(
        &self,
        staged: &mut Staged<'_>,
        table: &'static Table,
        days: DaySpan,
    ) -> anyhow::Result<()> {
        now(table.name);
        let Some(partition) = table.partition else {
            let after = self.rebuilt.rows(table, Query::all()).await?;
            let before = staged.stored(table, Query::all()).await?;
            return Ok(staged.correct(table, before, after)?);
        };
        let mut rows = self.rebuilt.days_of(table).await?;
        let stored = Query::all().columns(&[partition]);
        let stored = staged.stored(table, days.narrow(stored, 0, 0)).await?;
        for day in days_in(&stored, partition)? {
            rows.entry(day).or_default();
        }
        let asked = rows.keys().copied().filter(|day| days.holds(*day));
        for days in day_groups(asked.collect(), &rows, self.rows_at_once) {
            let on_days = Query::all().days(&days);
            let after = self.rebuilt.rows(table, on_days.clone()).await?;
            let before = staged.stored(table, on_days).await?;
            staged.correct(table, before, after)?;
        }
        Ok(())
    }
}

/// A table, not taken over whole yet, that is made from one whose rows differ.
fn follows(staged: &Staged<'_>, whole: &BTreeSet<&'static str>) -> Option<&'static Table> {
    let is_touched = |table: &Table| made_from(table).iter().any(|from| staged.touches(from));
    built_tables().find(|table| !whole.contains(table.name) && is_touched(table))
}

/// Builds the rows of a gold table again from published silver.
async fn build_again(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    days: DaySpan,
    reporting: &Reporting,
    rows_at_once: usize,
) -> anyhow::Result<()> {
    let table = &gold.table;
    if let Scope::Visitors(spans) = gold.scope {
        return build_spans_again(staged, gold, &spans, days, reporting).await;
    }
    let Some(reach) = reach(gold.scope) else {
        let silver = inputs(staged, gold, |_, query| query, reporting).await?;
        let before = staged.stored(table, Query::all()).await?;
        let after = (gold.build)(&silver)?.collect()?;
        return Ok(staged.correct(table, before, after)?);
    };
    for days in groups(staged, gold, days, reach, rows_at_once).await? {
        let rows = rows_of_days(staged, gold, &days, reach, reporting).await?;
        let rows = match gold.scope {
            Scope::SumsOverVisits { .. } => sums::added(table, rows),
            _ => rows,
        };
        let before = staged.stored(table, Query::all().days(&days)).await?;
        staged.correct(table, before, rows.collect()?)?;
    }
    Ok(())
}

/// The days on which a table has rows or could have some, in groups whose rows of silver fit into memory.
async fn groups(
    staged: &Staged<'_>,
    gold: &'static Gold,
    days: DaySpan,
    (back, ahead): (Day, Day),
    rows_at_once: usize,
) -> anyhow::Result<Vec<BTreeSet<Day>>> {
    let mut rows: BTreeMap<Day, usize> = BTreeMap::new();
    let inputs = gold.reads.iter().map(|input| input.table);
    for table in inputs {
        let Some(partition) = table.partition else {
            continue;
        };
        let query = days.narrow(Query::all().columns(&[partition]), back, ahead);
        let stored = staged.stored(table, query).await?;
        for day in stored
            .column(partition)?
            .date()?
            .physical()
            .iter()
            .flatten()
        {
            *rows.entry(day).or_default() += 1;
        }
    }
    let mut possible = days_around(&rows.keys().copied().collect(), ahead, back);
    let query = days.narrow(Query::all().columns(&["day"]), 0, 0);
    possible.extend(days_in(&staged.stored(&gold.table, query).await?, "day")?);
    possible.retain(|day| days.holds(*day));
    Ok(day_groups(possible, &rows, rows_at_once))
}

/// Builds a table again whose rows each span some time of a visitor: from all that those visitors did who did something on the
/// days.
async fn build_spans_again(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    spans: &Spans,
    days: DaySpan,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let theirs = match days == DaySpan::ALL {
        true => None,
        false => some_visitors(staged, spans, days).await?,
    };
    let narrow = |_: &Table, query: Query| match &theirs {
        Some(visitors) => query.filter(Filter::TextIn("anonymous_id", visitors.clone())),
        None => query,
    };
    let silver = inputs(staged, gold, narrow, reporting).await?;
    let stored = days.narrow(Query::all(), 0, 0);
    let before = of_span(staged.stored(&gold.table, stored).await?, days)?;
    let after = of_span((gold.build)(&silver)?.collect()?, days)?;
    Ok(staged.correct(&gold.table, before, after)?)
}

/// The visitors who did something that rows are made of; `None` if they are too many to name.
async fn some_visitors(
    staged: &Staged<'_>,
    spans: &Spans,
    days: DaySpan,
) -> anyhow::Result<Option<Vec<String>>> {
    let query = Query::all().columns(&["day", "anonymous_id", "event_type"]);
    let types = spans.event_types.iter().map(|name| (*name).to_owned());
    let query = query.filter(Filter::TextIn("event_type", types.collect()));
    let stored = staged
        .stored(&events::TABLE, days.narrow(query, 0, 0))
        .await?;
    let visitors = texts(&of_span(stored, days)?, "anonymous_id")?;
    Ok((visitors.len() <= MANY_IDS).then_some(visitors))
}

/// Rows whose `day` is one of these.
fn of_span(rows: DataFrame, days: DaySpan) -> PolarsResult<DataFrame> {
    if days == DaySpan::ALL {
        return Ok(rows);
    }
    let some = days_in(&rows, "day")?;
    let some = some.into_iter().filter(|day| days.holds(*day)).collect();
    rows.lazy().filter(in_days(&some)?).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<NaiveDate> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn what_cannot_be_built_again_is_told() {
        let names = ["gold_daily_kpis".to_owned(), "bronze_events".to_owned()];
        let error = Refresh::of(&names, None, None).unwrap_err().to_string();
        assert!(
            error.starts_with("there is no table `bronze_events`"),
            "{error}"
        );
        assert!(error.contains("silver_orders") && error.contains("gold_daily_kpis"));
        let (first, last) = (date("2026-11-01"), date("2026-11-05"));
        assert!(Refresh::of(&[], first, last).is_ok());
        assert!(Refresh::of(&[], last, last).is_ok());
        let error = Refresh::of(&[], last, first).unwrap_err().to_string();
        assert!(error.starts_with("`--since` 2026-11-05 is later than `--until` 2026-11-01"));
    }

    #[test]
    fn days_without_an_end_are_all_and_some_days_are_named() {
        let read = |span: DaySpan| format!("{:?}", span.narrow(Query::all(), 1, 0));
        let everything = format!("{:?}", Query::all());
        assert_eq!(read(DaySpan::ALL), everything);
        let since = Refresh::of(&[], date("1970-01-03"), None).unwrap().days;
        assert_eq!(read(since), everything);
        assert!(since.holds(2) && since.holds(Day::MAX) && !since.holds(1));
        let day = Refresh::of(&[], date("1970-01-03"), date("1970-01-03")).unwrap();
        let expected = Query::all().days(&BTreeSet::from([1, 2]));
        assert_eq!(read(day.days), format!("{expected:?}"));
    }
}
