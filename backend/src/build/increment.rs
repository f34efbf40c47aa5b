//! What a new event touches: the exact increments.
//!
//! A new event can only change the stored sessions of its visitor that lie within 30 minutes of it; those are cut again
//! together with it. The transactions in them are built again from all their events, their customers' orders numbered
//! again, and the sessions summed up that changed or that an order came to or went from. Rows are replaced by key, so a run
//! reads and writes what its events touch and no more.

use polars::prelude::*;

use super::rows::{anti, both, days_in, days_spanned, semi, texts};
use super::staged::Staged;
use super::{identity, transactions};
use crate::config::Reporting;
use crate::silver::{NewRows, events, items, left_out, orders, quarantine, sessions};
use crate::warehouse::{Day, Filter, Query};

/// More ids than these are looked up as the range they lie in.
pub(super) const MANY_IDS: usize = 50_000;

/// A session lasts less than 24 hours and a pause lasts 30 minutes more: what an event reaches began so many days ago at most.
const REACH: Day = 2;

/// Brings silver up to date with what new bronze rows hold.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub async fn silver(
    staged: &mut Staged<'_>,
    new: NewRows,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    keep_quarantined(staged, new.quarantine).await?;
    let fresh = Fresh::among(staged, new.events, reporting).await?;
    keep_left_out(
        staged,
        both(new.left_out.lazy(), fresh.repeated.clone().lazy())?,
    )
    .await?;
    if fresh.events.height() == 0 {
        return Ok(());
    }
    let touched = touched_sessions(staged, &fresh).await?;
    follow(staged, fresh, touched, new.items, reporting).await
}

/// Adds the silver of visitors of whom nothing is stored, from all their events, each once: there is no record to replace
/// and no session to continue.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub async fn silver_of_new_visitors(
    staged: &mut Staged<'_>,
    new: NewRows,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    keep_left_out(staged, new.left_out.lazy()).await?;
    let replaced = events::TABLE.empty().select(RECORD)?;
    let touched = sessions::TABLE.empty().select(EXTENT)?;
    let fresh = Fresh {
        events: new.events,
        replaced,
        repeated: left_out::TABLE.empty(),
    };
    follow(staged, fresh, touched, new.items, reporting).await
}

/// Brings all tables in line with fresh events.
async fn follow(
    staged: &mut Staged<'_>,
    fresh: Fresh,
    touched: DataFrame,
    items: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let cut = cut_events(staged, &fresh, touched, reporting).await?;
    replace_items(staged, &fresh, items).await?;
    identity::replace_visitors(staged, &cut.touched, &cut.events).await?;
    let ordered_in = transactions::replace(staged, &cut.concerned, reporting).await?;
    replace_sessions(staged, &cut, ordered_in, reporting).await
}

async fn keep_quarantined(staged: &mut Staged<'_>, new: DataFrame) -> anyhow::Result<()> {
    if new.height() == 0 {
        return Ok(());
    }
    let same = Query::all().filter(Filter::TextIn("record_id", texts(&new, "record_id")?));
    let stored = staged.stored(&quarantine::TABLE, same).await?;
    staged.replace(&quarantine::TABLE, stored, new)?;
    Ok(())
}

/// Keeps records that are no events of their own, each once.
async fn keep_left_out(staged: &mut Staged<'_>, new: LazyFrame) -> anyhow::Result<()> {
    let new = left_out::once(new).collect()?;
    if new.height() == 0 {
        return Ok(());
    }
    let same = Query::all()
        .days(&days_in(&new, "day")?)
        .filter(Filter::TextIn("record_id", texts(&new, "record_id")?));
    let stored = staged.stored(&left_out::TABLE, same).await?;
    staged.replace(&left_out::TABLE, stored, new)?;
    Ok(())
}

/// What decides between the records of an event, where one is found, and what is kept of one that is replaced.
const RECORD: [&str; 11] = [
    "shop_id",
    "event_id",
    "received_at",
    "record_hash",
    "session_key",
    "day",
    "event_time",
    "browser",
    "anonymous_id",
    "session_id",
    "seq",
];

/// New events that count: not stored yet, or received earlier than the stored record of the same event.
struct Fresh {
    events: DataFrame,
    /// Stored records that a fresh one replaces: identity, session and day.
    replaced: DataFrame,
    /// Records, stored or new, that others win against: rows of `silver_left_out`.
    repeated: DataFrame,
}

impl Fresh {
    async fn among(
        staged: &Staged<'_>,
        records: DataFrame,
        reporting: &Reporting,
    ) -> anyhow::Result<Self> {
        let new = events::once(&records)?;
        let query = Query::all().columns(&RECORD).filter(ids(&new)?);
        let rivals = staged.stored(&events::TABLE, query).await?;
        let repeated = repeated(&rivals, &records, reporting)?;
        let (events, replaced) = winners(rivals, new)?;
        Ok(Self {
            events,
            replaced,
            repeated,
        })
    }
}

/// Finds events by id: one that lies far from the others costs what it costs and does not widen the search for them.
fn ids(new: &DataFrame) -> PolarsResult<Filter> {
    let ids = texts(new, "event_id")?;
    Ok(match (ids.first(), ids.last()) {
        (Some(low), Some(high)) if ids.len() > MANY_IDS => {
            Filter::TextBetween("event_id", low.clone(), high.clone())
        }
        _ => Filter::TextIn("event_id", ids),
    })
}

/// The records, stored or new, that lose against others of the same event.
fn repeated(
    rivals: &DataFrame,
    new_records: &DataFrame,
    reporting: &Reporting,
) -> PolarsResult<DataFrame> {
    let records = |rows: &DataFrame| rows.clone().lazy().select(left_out::REPEATABLE.map(col));
    let all = both(records(rivals), records(new_records))?;
    let winners = events::dedupe(all.clone());
    left_out::repeated(all, winners, reporting).collect()
}

/// The new records that win against stored ones of the same event, and the stored ones that lose.
fn winners(rivals: DataFrame, new: DataFrame) -> PolarsResult<(DataFrame, DataFrame)> {
    let marked = |rows: &DataFrame, is_stored: bool| {
        rows.clone()
            .lazy()
            .select(RECORD.map(col))
            .with_column(lit(is_stored).alias("is_stored"))
    };
    // Stored ones first: of two equal records the stored one stays.
    let all = both(marked(&rivals, true), marked(&new, false))?;
    let winners = events::dedupe(all)
        .filter(col("is_stored").not())
        .collect()?
        .lazy();
    let identity = events::IDENTITY;
    let fresh = semi(new.lazy(), winners.clone(), &identity).collect()?;
    Ok((fresh, semi(rivals.lazy(), winners, &identity).collect()?))
}

/// The columns that say where a session lies.
const EXTENT: [&str; 7] = [
    "shop_id",
    "session_key",
    "anonymous_id",
    "is_bot",
    "session_start",
    "session_end",
    "day",
];

/// Stored sessions that fresh events reach or whose records they replace.
async fn touched_sessions(staged: &Staged<'_>, fresh: &Fresh) -> anyhow::Result<DataFrame> {
    let replaced = replaced_sessions(staged, fresh).await?;
    let moments = moments(&fresh.events, &replaced)?;
    let (from, to) = (moments.column("from")?.i64()?, moments.column("to")?.i64()?);
    let earliest = from.min().unwrap_or_default() - sessions::GAP_US;
    let latest = to.max().unwrap_or_default() + sessions::GAP_US;
    let mut days = days_in(&fresh.events, "day")?;
    days.extend(days_in(&replaced, "day")?);
    let query = Query::all()
        .columns(&EXTENT)
        .days(&days.iter().flat_map(|day| day - REACH..=day + 1).collect())
        .filter(Filter::TimestampBetween("session_end", earliest, i64::MAX))
        .filter(Filter::TimestampBetween("session_start", 0, latest));
    let near = staged.stored(&sessions::TABLE, query).await?;
    Ok(both(reached(near, moments), replaced.lazy())?
        .unique(
            Some(by_name(sessions::IDENTITY, true, false)),
            UniqueKeepStrategy::Any,
        )
        .collect()?)
}

/// Stored sessions that hold a record which a fresh one replaces.
async fn replaced_sessions(staged: &Staged<'_>, fresh: &Fresh) -> anyhow::Result<DataFrame> {
    let days = days_in(&fresh.replaced, "day")?;
    let query = Query::all()
        .columns(&EXTENT)
        .days(&days.iter().flat_map(|day| day - REACH..=*day).collect())
        .filter(Filter::TextIn(
            "session_key",
            texts(&fresh.replaced, "session_key")?,
        ));
    let stored = staged.stored(&sessions::TABLE, query).await?;
    Ok(semi(
        stored.lazy(),
        fresh.replaced.clone().lazy(),
        &sessions::IDENTITY,
    )
    .collect()?)
}

/// When visitors did what is new or no longer so, from and to in UTC microseconds.
fn moments(fresh: &DataFrame, replaced: &DataFrame) -> PolarsResult<DataFrame> {
    let between = |rows: &DataFrame, from: &str, to: &str| {
        rows.clone().lazy().select([
            col("shop_id"),
            col("anonymous_id"),
            col("is_bot"),
            col(from).to_physical().alias("from"),
            col(to).to_physical().alias("to"),
        ])
    };
    both(
        between(fresh, "event_time", "event_time"),
        between(replaced, "session_start", "session_end"),
    )?
    .collect()
}

/// The sessions that lie no further from their visitor's moments than a pause within a session may be.
fn reached(sessions: DataFrame, moments: DataFrame) -> LazyFrame {
    let visitor = ["shop_id", "anonymous_id", "is_bot"].map(col);
    let micros = |column: &str| col(column).to_physical();
    sessions
        .lazy()
        .join(
            moments.lazy(),
            visitor.clone(),
            visitor,
            JoinArgs::new(JoinType::Inner),
        )
        .filter(col("to").gt_eq(micros("session_start") - lit(sessions::GAP_US)))
        .filter(col("from").lt_eq(micros("session_end") + lit(sessions::GAP_US)))
        .select(EXTENT.map(col))
}

/// The events of touched sessions, cut again.
struct Cut {
    /// Stored sessions that are no more.
    touched: DataFrame,
    /// Events with their new sessions.
    events: DataFrame,
    /// The events among them that concern orders, and those that did.
    concerned: DataFrame,
}

/// Cuts touched sessions and fresh events into sessions and replaces their events.
async fn cut_events(
    staged: &mut Staged<'_>,
    fresh: &Fresh,
    touched: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<Cut> {
    let before = events_of(staged, &touched, reporting).await?;
    let fresh_events = fresh.events.clone().lazy();
    let others = anti(
        before.clone().lazy(),
        fresh_events.clone(),
        &events::IDENTITY,
    );
    let cut = sessions::cut(both(others, fresh_events)?)?;
    let events = events::TABLE.conform(cut).collect()?;
    let concerned = both(before.clone().lazy(), events.clone().lazy())?
        .filter(orders::concerns_order())
        .collect()?;
    staged.replace(&events::TABLE, before, events.clone())?;
    Ok(Cut {
        touched,
        events,
        concerned,
    })
}

/// All events of sessions.
async fn events_of(
    staged: &Staged<'_>,
    sessions: &DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<DataFrame> {
    let days = days_spanned(sessions, "session_start", "session_end", reporting)?;
    let query = Query::all().days(&days).filter(Filter::TextIn(
        "session_key",
        texts(sessions, "session_key")?,
    ));
    let events = staged.contents(&events::TABLE, query).await?;
    Ok(semi(events.lazy(), sessions.clone().lazy(), &sessions::IDENTITY).collect()?)
}

/// Replaces the products of records that lost by those of fresh events.
async fn replace_items(
    staged: &mut Staged<'_>,
    fresh: &Fresh,
    new: DataFrame,
) -> anyhow::Result<()> {
    let query = Query::all()
        .days(&days_in(&fresh.replaced, "day")?)
        .filter(Filter::TextIn(
            "event_id",
            texts(&fresh.replaced, "event_id")?,
        ));
    let stored = staged.stored(&items::TABLE, query).await?.lazy();
    let before = semi(stored, fresh.replaced.clone().lazy(), &events::IDENTITY).collect()?;
    // The same record may have landed twice; its products are the same both times.
    let of_record = ["shop_id", "event_id", "record_hash"];
    let after = semi(new.lazy(), fresh.events.clone().lazy(), &of_record).unique(
        Some(by_name(items::TABLE.key.iter().copied(), true, false)),
        UniqueKeepStrategy::Any,
    );
    staged.replace(&items::TABLE, before, after.collect()?)?;
    Ok(())
}

/// Replaces touched sessions by those that were cut, and sums these up and the sessions whose orders came or went.
async fn replace_sessions(
    staged: &mut Staged<'_>,
    cut: &Cut,
    ordered_in: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let mut days = days_in(&cut.touched, "day")?;
    let order_days = days_spanned(&ordered_in, "ordered_at", "ordered_at", reporting)?;
    days.extend(order_days.iter().flat_map(|day| day - REACH..=*day));
    let keys = both(
        cut.touched
            .clone()
            .lazy()
            .select(sessions::IDENTITY.map(col)),
        ordered_in.lazy().select(sessions::IDENTITY.map(col)),
    )?
    .collect()?;
    let query = Query::all()
        .days(&days)
        .filter(Filter::TextIn("session_key", texts(&keys, "session_key")?));
    let stored = staged.stored(&sessions::TABLE, query).await?;
    let before = semi(stored.lazy(), keys.lazy(), &sessions::IDENTITY).collect()?;

    let cut_events = cut.events.clone().lazy();
    let others = anti(
        before.clone().lazy(),
        cut.touched.clone().lazy(),
        &sessions::IDENTITY,
    );
    let others = anti(others, cut_events.clone(), &sessions::IDENTITY).collect()?;
    let others = events_of(staged, &others, reporting).await?;
    let events = both(cut_events, others.lazy())?.collect()?;
    let query = Query::all()
        .days(&days_in(&events, "day")?)
        .filter(Filter::TextIn(
            "session_key",
            texts(&events, "session_key")?,
        ));
    let orders = staged.contents(&orders::TABLE, query).await?;
    let after = sessions::build(events.lazy(), orders.lazy(), reporting)?;
    staged.replace(&sessions::TABLE, before, after.collect()?)?;
    Ok(())
}
