//! Gold tables that follow visitors over time: what a change touches is found by visitor, so that a run reads the history
//! of those who did something and of no one else.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::rows::{both, days_in, days_spanned, in_days, semi, texts};
use super::staged::Staged;
use super::{inputs, replace_days};
use crate::config::Reporting;
use crate::gold::{Gold, Spans};
use crate::silver::{events, orders, sessions};
use crate::table::{ColumnType, Table};
use crate::warehouse::{Day, Filter, Query};

const VISITOR: [&str; 2] = ["shop_id", "anonymous_id"];

/// Builds a table whose rows of a day depend on its orders and on the sessions that led to them.
///
/// # Errors
/// Returns an error if stored tables cannot be read or the plan fails.
pub(super) async fn build_paths(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    back: Day,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let mut affected = staged.days(&orders::TABLE)?;
    affected.extend(days_ordered_on(staged, back).await?);
    if affected.is_empty() {
        return Ok(());
    }
    let visitors = ordering_visitors(staged, &affected).await?;
    let read: BTreeSet<Day> = affected.iter().flat_map(|day| day - back..=*day).collect();
    let theirs = |_: &Table, query: Query| {
        query
            .days(&read)
            .filter(Filter::TextIn("anonymous_id", visitors.clone()))
    };
    let mut silver = inputs(staged, gold, theirs, reporting).await?;
    silver.orders = silver.orders.filter(in_days(&affected)?);
    let after = (gold.build)(&silver)?;
    replace_days(staged, gold, &affected, after).await
}

/// The days on which visitors ordered who had a session that changed, so many days before at most.
async fn days_ordered_on(staged: &Staged<'_>, back: Day) -> anyhow::Result<BTreeSet<Day>> {
    let changed = staged.changed(&sessions::TABLE)?.collect()?;
    let days = days_in(&changed, "day")?;
    let query = Query::all()
        .columns(&["day", "shop_id", "anonymous_id"])
        .days(&days.iter().flat_map(|day| *day..=day + back).collect())
        .filter(Filter::TextIn(
            "anonymous_id",
            texts(&changed, "anonymous_id")?,
        ));
    let orders = staged.contents(&orders::TABLE, query).await?;
    let theirs = semi(orders.lazy(), changed.lazy(), &VISITOR).collect()?;
    Ok(days_in(&theirs, "day")?)
}

async fn ordering_visitors(
    staged: &Staged<'_>,
    days: &BTreeSet<Day>,
) -> anyhow::Result<Vec<String>> {
    let query = Query::all().columns(&["day", "anonymous_id"]).days(days);
    let orders = staged.contents(&orders::TABLE, query).await?;
    Ok(texts(&orders, "anonymous_id")?)
}

/// Builds a table whose rows each span some time of a visitor.
///
/// # Errors
/// Returns an error if stored tables cannot be read or the plan fails.
pub(super) async fn build_spans(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    spans: &Spans,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let moments = moments(staged, spans)?.collect()?;
    if moments.height() == 0 {
        return Ok(());
    }
    let theirs = Filter::TextIn("anonymous_id", texts(&moments, "anonymous_id")?);
    let of_visitors = Query::all().filter(theirs.clone());
    let stored = staged.stored(&gold.table, of_visitors).await?;
    let touched = touched(stored_spans(&stored, spans), moments.lazy(), spans)?.collect()?;
    let days = days_spanned(&touched, "from", "until", reporting)?;
    let of_visitors = |_: &Table, query: Query| query.days(&days).filter(theirs.clone());
    let mut silver = inputs(staged, gold, of_visitors, reporting).await?;
    silver.events = within(silver.events, &touched, "event_time");
    silver.orders = within(silver.orders, &touched, "ordered_at");
    let after = (gold.build)(&silver)?.collect()?;
    let before = within(stored.lazy(), &touched, spans.from).collect()?;
    staged.replace(&gold.table, before, after)?;
    Ok(())
}

/// When visitors did something that changed or is no longer so: visitor, `from` and `to` in UTC microseconds.
fn moments(staged: &Staged<'_>, spans: &Spans) -> PolarsResult<LazyFrame> {
    let at = |rows: LazyFrame, time: &str| {
        rows.select([
            col("shop_id"),
            col("anonymous_id"),
            col(time).to_physical().alias("from"),
            col(time).to_physical().alias("to"),
        ])
    };
    both(
        at(changed_events(staged, spans.event_types)?, "event_time"),
        at(staged.changed(&orders::TABLE)?, "ordered_at"),
    )
}

/// Events of people, of some types, that come or go.
///
/// # Errors
/// Returns an error if the types do not fit into a frame.
pub(super) fn changed_events(staged: &Staged<'_>, types: &[&str]) -> PolarsResult<LazyFrame> {
    let types = Series::new("types".into(), types).implode()?.into_series();
    Ok(staged
        .changed(&events::TABLE)?
        .filter(col("is_bot").not())
        .filter(col("event_type").is_in(lit(types), false)))
}

fn stored_spans(stored: &DataFrame, spans: &Spans) -> LazyFrame {
    stored.clone().lazy().select([
        col("shop_id"),
        col("anonymous_id"),
        col(spans.from).to_physical().alias("from"),
        col(spans.to).to_physical().alias("to"),
    ])
}

/// The spans of visitors that hold a changed moment, joined over pauses up to the gap: visitor, `from`, and `until`, the
/// time to which what the visitor does may belong to the span.
fn touched(stored: LazyFrame, moments: LazyFrame, spans: &Spans) -> PolarsResult<LazyFrame> {
    let marked = |rows: LazyFrame, changes: bool| rows.with_column(lit(changes).alias("changes"));
    let before = |column: &str| col(column).shift(lit(1));
    let reaches = col("to").cum_max(false).over(VISITOR.map(col))?;
    let continues = col("shop_id")
        .eq(before("shop_id"))
        .and(col("anonymous_id").eq(before("anonymous_id")))
        .and(col("from").lt_eq(before("reaches") + lit(spans.gap_us)))
        .fill_null(lit(false));
    let instant = |micros: Expr| micros.cast(ColumnType::Timestamp.polars());
    Ok(both(marked(stored, false), marked(moments, true))?
        .sort(
            ["anonymous_id", "shop_id", "from", "to"],
            SortMultipleOptions::default(),
        )
        .with_column(reaches.alias("reaches"))
        .with_column(
            continues
                .not()
                .cast(DataType::Int64)
                .cum_sum(false)
                .alias("span"),
        )
        .group_by_stable([col("span")])
        .agg([
            col("shop_id").first(),
            col("anonymous_id").first(),
            instant(col("from").min()).alias("from"),
            instant(col("to").max() + lit(spans.gap_us)).alias("until"),
            col("changes").cast(DataType::Int64).sum(),
        ])
        .filter(col("changes").gt(lit(0_i64))))
}

/// The rows that lie within a visitor's touched spans.
fn within(rows: LazyFrame, touched: &DataFrame, time: &str) -> LazyFrame {
    let spans = touched
        .clone()
        .lazy()
        .select(["shop_id", "anonymous_id", "from", "until"].map(col));
    rows.join(
        spans,
        VISITOR.map(col),
        VISITOR.map(col),
        JoinArgs::new(JoinType::Inner),
    )
    .filter(col(time).gt_eq(col("from")))
    .filter(col(time).lt_eq(col("until")))
    .drop(by_name(["from", "until"], true, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: Spans = Spans {
        from: "from",
        to: "to",
        gap_us: 10,
        event_types: &[],
    };

    fn spans(rows: &[(&str, i64, i64)]) -> LazyFrame {
        df!(
            "shop_id" => vec!["demo"; rows.len()],
            "anonymous_id" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "from" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            "to" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        )
        .unwrap()
        .lazy()
    }

    #[test]
    fn change_touches_what_it_reaches_over_pauses_and_nothing_of_others() {
        let stored = spans(&[
            ("a", 0, 5),
            // Long, and over the one after it.
            ("a", 20, 90),
            ("a", 30, 40),
            ("a", 101, 110),
            ("b", 20, 90),
        ]);
        let found = touched(stored, spans(&[("a", 15, 15)]), &SPANS).unwrap();
        let found = found
            .select([
                col("anonymous_id"),
                col("from").to_physical(),
                col("until").to_physical(),
            ])
            .collect()
            .unwrap();
        let expected = df!("anonymous_id" => ["a"], "from" => [0_i64], "until" => [100_i64]);
        assert_eq!(found, expected.unwrap());
    }
}
