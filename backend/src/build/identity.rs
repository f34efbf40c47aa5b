//! Who a browser belongs to: visitors of the sessions that a run cut again, and the customers of their orders.
//!
//! A visitor's row remembers the first session, the last, and the one that told the customer. A run puts the new sessions
//! beside these and reads the visitor's history only where one of the three is no more and no new one takes its place.

use polars::prelude::*;

use super::rows::{anti, both, semi, texts};
use super::staged::Staged;
use crate::silver::visitors::{IDENTITY, TABLE, VISIT};
use crate::silver::{orders, sessions, visitors};
use crate::warehouse::{Filter, Query};

/// Brings visitors up to date: `gone` are stored sessions that are no more, `events` those of the sessions that came.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub(super) async fn replace_visitors(
    staged: &mut Staged<'_>,
    gone: &DataFrame,
    events: &DataFrame,
) -> anyhow::Result<()> {
    let came = visitors::visits(events.clone().lazy()).collect()?;
    let gone = gone
        .clone()
        .lazy()
        .filter(col("is_bot").not())
        .select(["shop_id", "anonymous_id", "session_key"].map(col))
        .collect()?;
    let who = both(identity(&came), identity(&gone))?.collect()?;
    let stored = Query::all().filter(Filter::TextIn("anonymous_id", texts(&who, "anonymous_id")?));
    let stored = staged.stored(&TABLE, stored).await?;
    let before = semi(stored.lazy(), who.lazy(), &IDENTITY).collect()?;
    let forgetful = forgetful(&before, &gone, &came).collect()?;
    let history = history(staged, &forgetful).await?;

    let remembering = anti(before.clone().lazy(), forgetful.lazy(), &IDENTITY);
    let remembered = visitors::remembered(remembering.clone())?;
    let kept = anti(
        both(remembered, whole(history.clone().lazy()))?,
        gone.clone().lazy(),
        &sessions::IDENTITY,
    );
    let visits = both(kept, whole(came.clone().lazy()))?;
    let counts = counts(remembering, &history, &gone, &came)?;
    staged.replace(&TABLE, before, visitors::build(visits, counts).collect()?)?;
    Ok(())
}

fn identity(rows: &DataFrame) -> LazyFrame {
    rows.clone().lazy().select(IDENTITY.map(col))
}

fn whole(visits: LazyFrame) -> LazyFrame {
    let mut columns = VISIT.map(col).to_vec();
    columns.push(lit(true).alias("is_whole"));
    visits.select(columns)
}

/// The stored visitors of whom a remembered session is gone and none came that is as early, as late, or tells the customer
/// as late.
fn forgetful(before: &DataFrame, gone: &DataFrame, came: &DataFrame) -> LazyFrame {
    let identified = col("session_start").filter(col("user_id").is_not_null());
    let extremes = came.clone().lazy().group_by(IDENTITY.map(col)).agg([
        col("session_start").min().alias("earliest"),
        col("session_start").max().alias("latest"),
        identified.max().alias("latest_identified"),
    ]);
    let is_lost = |key: &str, covers: Expr| {
        let marked = gone.clone().lazy().select([
            col("shop_id"),
            col("session_key").alias(key),
            lit(true).alias(format!("{key} is gone")),
        ]);
        let lost = col(format!("{key} is gone"))
            .fill_null(lit(false))
            .and(covers.fill_null(lit(false)).not());
        (marked, lost)
    };
    let (first, first_lost) = is_lost(
        "first_session_key",
        col("earliest").lt_eq(col("first_seen_at")),
    );
    let (last, last_lost) = is_lost("last_session_key", col("latest").gt_eq(col("last_seen_at")));
    let (known, known_lost) = is_lost(
        "identified_session_key",
        col("latest_identified").gt_eq(col("identified_at")),
    );
    let left = |rows: LazyFrame, others: LazyFrame, key: &str| {
        let on = || [col("shop_id"), col(key)];
        rows.join(others, on(), on(), JoinArgs::new(JoinType::Left))
    };
    let marked = left(before.clone().lazy(), extremes, "anonymous_id");
    let marked = left(marked, first, "first_session_key");
    let marked = left(marked, last, "last_session_key");
    left(marked, known, "identified_session_key")
        .filter(first_lost.or(last_lost).or(known_lost))
        .select(IDENTITY.map(col))
}

/// All stored sessions of visitors.
async fn history(staged: &Staged<'_>, visitors: &DataFrame) -> anyhow::Result<DataFrame> {
    let mut columns = VISIT.to_vec();
    columns.push("is_bot");
    let query = Query::all().columns(&columns).filter(Filter::TextIn(
        "anonymous_id",
        texts(visitors, "anonymous_id")?,
    ));
    let stored = staged.stored(&sessions::TABLE, query).await?.lazy();
    let people = stored.filter(col("is_bot").not());
    Ok(semi(people, visitors.clone().lazy(), &IDENTITY)
        .select(VISIT.map(col))
        .collect()?)
}

/// How many sessions each visitor has now: as remembered or read, less those that are gone, and those that came.
fn counts(
    remembering: LazyFrame,
    history: &DataFrame,
    gone: &DataFrame,
    came: &DataFrame,
) -> PolarsResult<LazyFrame> {
    let each = |rows: LazyFrame, number: i64| {
        rows.select([
            col("shop_id"),
            col("anonymous_id"),
            lit(number).cast(DataType::Int64).alias("sessions"),
        ])
    };
    let stored = remembering.select(["shop_id", "anonymous_id", "sessions"].map(col));
    let stored = both(stored, each(history.clone().lazy(), 1))?;
    let lost = both(stored, each(gone.clone().lazy(), -1))?;
    let all = both(lost, each(came.clone().lazy(), 1))?;
    Ok(all.group_by(IDENTITY.map(col)).agg([col("sessions").sum()]))
}

/// Stored orders, not among `rebuilt`, whose visitor has come to belong to another customer.
///
/// # Errors
/// Returns an error if stored orders cannot be read.
pub(super) async fn moved_orders(
    staged: &Staged<'_>,
    rebuilt: &DataFrame,
) -> anyhow::Result<DataFrame> {
    let (gone, came) = staged.replaced(&TABLE);
    let (gone, came) = (gone.lazy(), came.lazy());
    let customer = ["shop_id", "anonymous_id", "customer_id"];
    let moved = both(
        anti(came.clone(), gone.clone(), &customer),
        anti(gone, came, &customer),
    )?
    .select(IDENTITY.map(col))
    .collect()?;
    let theirs = Query::all().filter(Filter::TextIn(
        "anonymous_id",
        texts(&moved, "anonymous_id")?,
    ));
    let stored = staged.stored(&orders::TABLE, theirs).await?.lazy();
    let stored = semi(stored, moved.lazy(), &IDENTITY);
    Ok(anti(stored, rebuilt.clone().lazy(), &orders::IDENTITY).collect()?)
}

/// Gives orders their customers.
///
/// # Errors
/// Returns an error if visitors cannot be read.
pub(super) async fn with_customers(
    staged: &Staged<'_>,
    orders: DataFrame,
) -> anyhow::Result<LazyFrame> {
    let theirs = Query::all()
        .columns(&["shop_id", "anonymous_id", "customer_id"])
        .filter(Filter::TextIn(
            "anonymous_id",
            texts(&orders, "anonymous_id")?,
        ));
    let visitors = staged.contents(&TABLE, theirs).await?;
    Ok(orders::with_customers(orders.lazy(), visitors.lazy()))
}
