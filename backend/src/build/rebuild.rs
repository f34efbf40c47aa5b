//! A rebuild: all of bronze into new tables, in parts that fit into memory.
//!
//! Rows are dealt to parts by their visitor; each part is an increment of visitors who are not there yet, into a lake that
//! nobody sees. Gold follows from that, some days at a time. In the end the lake's files become the tables.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use anyhow::Context;
use polars::prelude::*;
use shoptrail_local::progress::now;
use xxhash_rust::xxh3::xxh3_64;

use super::parts::Parts;
use super::rows::{day_groups, days_around, semi};
use super::scopes::{reach, rows_of_days};
use super::staged::Staged;
use super::{built_tables, increment, inputs, quality, sums, visitors};
use crate::bronze::{self, Unreadable};
use crate::config::Reporting;
use crate::gold::{self, Gold, Scope};
use crate::silver::{self, NewRows, events, left_out, quarantine};
use crate::table::Table;
use crate::warehouse::lake::Lake;
use crate::warehouse::{
    Basis, Change, Cursor, Day, Portion, Publication, Query, Recipe, Replaces, Rows, Warehouse,
    WarehouseError,
};

/// The column with a hash of an event's identity.
const ID_HASH: &str = "id_hash";

/// Days whose totals are compared at a time.
const DAYS_AT_ONCE: usize = 7;

/// So many hashes of identities are compared at a time.
const HASHES_AT_ONCE: usize = 8_000_000;

/// All tables, made again and not published yet.
pub(super) struct Rebuilt {
    /// What to publish: every table, also those without a row.
    pub(super) changes: Vec<Change>,
    /// Bronze rows read.
    pub(super) bronze_rows: usize,
    /// Days that any table has rows on.
    pub(super) days: usize,
    /// What of bronze they contain.
    pub(super) cursor: Cursor,
    /// What checks found.
    pub(super) outcomes: Vec<quality::Outcome>,
    /// The folder with the files of the changes.
    pub(super) parts: Parts,
    lake: Lake,
    made: Publication,
}

impl Rebuilt {
    /// Rows of a table as it was made.
    ///
    /// # Errors
    /// Returns an error if its files cannot be read.
    pub(super) async fn rows(
        &self,
        table: &'static Table,
        query: Query,
    ) -> Result<DataFrame, WarehouseError> {
        self.lake.read(&self.made, table, &query).await
    }

    /// The days on which a table as it was made has rows, with how many.
    ///
    /// # Errors
    /// Returns an error if its files cannot be read.
    pub(super) async fn days_of(
        &self,
        table: &'static Table,
    ) -> Result<BTreeMap<Day, usize>, WarehouseError> {
        self.lake.days(&self.made, table).await
    }
}

/// Builds every table from all of bronze, with about `rows_at_once` of its rows in memory.
///
/// # Errors
/// Returns an error if the warehouse cannot be read, a plan fails, or a check does.
pub(super) async fn rebuild(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    rows_at_once: usize,
) -> anyhow::Result<Rebuilt> {
    let unread = warehouse.unread(None, None).await?;
    let mut dealt = Dealt {
        parts: Parts::make(&warehouse.scratch_folder())?,
        count: unread.rows.div_ceil(rows_at_once).max(1),
        rows: 0,
        unreadable: Vec::new(),
    };
    dealt
        .deal_all(warehouse, unread.portions, reporting, rows_at_once)
        .await?;
    tracing::debug!(bronze.rows = dealt.rows, "building");
    let lake = dealt.parts.folder().join("lake");
    let mut made = Made::new(&lake, reporting, rows_at_once).await?;
    made.keep_quarantined(&dealt).await?;
    let shared = dealt.shared_events()?;
    for part in 0..dealt.count {
        now(format!("silver, part {} of {}", part + 1, dealt.count));
        if let Some(rows) = dealt.parts.rows(part)? {
            let records = rows.collect()?;
            let rows = shared.without_losers(part, records.clone())?;
            dealt.parts.remove(part);
            made.add(rows, records).await.context("building silver")?;
        }
    }
    for gold in gold::TABLES {
        now(gold.table.name);
        made.build_gold(gold)
            .await
            .with_context(|| format!("building `{}`", gold.table.name))?;
    }
    made.check_totals().await?;
    Ok(Rebuilt {
        changes: made.changes().await?,
        bronze_rows: dealt.rows,
        days: made.days().await?.len(),
        outcomes: quality::together(made.outcomes),
        cursor: unread.cursor,
        parts: dealt.parts,
        lake: made.lake,
        made: made.now,
    })
}

/// The rows of bronze, dealt to parts by their visitor.
struct Dealt {
    parts: Parts,
    /// How many parts there are.
    count: usize,
    /// How many rows of bronze there were.
    rows: usize,
    /// Those that cannot be counted.
    unreadable: Vec<(String, Unreadable)>,
}

impl Dealt {
    async fn deal_all(
        &mut self,
        warehouse: &dyn Warehouse,
        portions: Vec<Portion>,
        reporting: &Reporting,
        rows_at_once: usize,
    ) -> anyhow::Result<()> {
        let mut gathered = Vec::new();
        let mut held = 0;
        for portion in portions {
            let bronze = warehouse.bronze(portion).await?;
            self.rows += bronze.height();
            now(format!("{} rows", self.rows));
            let sorted = bronze::sorted(&bronze, &reporting.judging)?;
            self.unreadable.extend(sorted.unreadable);
            held += sorted.events.height();
            gathered.push(sorted.events.lazy());
            if held >= rows_at_once {
                self.deal(std::mem::take(&mut gathered))?;
                held = 0;
            }
        }
        self.deal(gathered)
    }

    fn deal(&mut self, gathered: Vec<LazyFrame>) -> anyhow::Result<()> {
        if gathered.is_empty() {
            return Ok(());
        }
        let rows = concat(gathered, UnionArgs::default())?;
        let rows = rows.select(silver::INPUT.map(col)).collect()?;
        let ids = hashes(&rows, "event_id")?.with_name(ID_HASH.into());
        let visitors = hashes(&rows, "anonymous_id")?;
        let rows = rows.hstack(&[ids.into_column()])?;
        let count = i64::try_from(self.count)?;
        for part in 0..self.count {
            let number = i64::try_from(part)?;
            let is_here: BooleanChunked = visitors
                .iter()
                .map(|hash| hash.map(|hash| hash % count == number))
                .collect();
            let theirs = rows.filter(&is_here)?;
            if theirs.height() > 0 {
                self.parts.add(part, &theirs)?;
            }
        }
        Ok(())
    }

    /// Finds the events that have records in several parts, and of these the records that count.
    fn shared_events(&self) -> anyhow::Result<Shared> {
        let slices = i64::try_from(self.rows / HASHES_AT_ONCE + 1)?;
        let mut hashes = HashSet::new();
        for slice in (0..slices).filter(|_| self.count > 1) {
            let in_slice = (col(ID_HASH) % lit(slices)).eq(lit(slice));
            let once = |_, rows: LazyFrame| {
                rows.select([col(ID_HASH)])
                    .filter(in_slice.clone())
                    .unique(None, UniqueKeepStrategy::Any)
            };
            let Some(all) = self.of_all_parts(once)? else {
                continue;
            };
            let shared = all
                .group_by([col(ID_HASH)])
                .agg([len().alias("parts")])
                .filter(col("parts").gt(lit(1)))
                .collect()?;
            hashes.extend(shared.column(ID_HASH)?.i64()?.iter().flatten());
        }
        if hashes.is_empty() {
            return Ok(Shared::default());
        }
        let listed = Series::new("hashes".into(), hashes.iter().copied().collect::<Vec<_>>());
        let listed = lit(listed.implode()?.into_series());
        let rivals = self.of_all_parts(|part, rows| {
            rows.filter(col(ID_HASH).is_in(listed.clone(), false))
                .select(events::RIVALRY.map(col))
                .with_column(lit(part).alias("part"))
        })?;
        let winners = rivals.map(|rivals| events::dedupe(rivals).collect());
        Ok(Shared {
            hashes,
            winners: winners.transpose()?.unwrap_or_default(),
        })
    }

    /// What a plan makes of the rows of each part, together.
    fn of_all_parts(
        &self,
        plan: impl Fn(i64, LazyFrame) -> LazyFrame,
    ) -> anyhow::Result<Option<LazyFrame>> {
        let mut all = Vec::new();
        for part in 0..self.count {
            if let Some(rows) = self.parts.rows(part)? {
                all.push(plan(i64::try_from(part)?, rows));
            }
        }
        if all.is_empty() {
            return Ok(None);
        }
        Ok(Some(concat(all, UnionArgs::default())?))
    }
}

/// The events with records in several parts: the same event came from several visitors.
#[derive(Default)]
struct Shared {
    /// Hashes of their identities.
    hashes: HashSet<i64>,
    /// The records that count, and their parts.
    winners: DataFrame,
}

impl Shared {
    /// The rows of a part without records that lose against one of another part.
    fn without_losers(&self, part: usize, rows: DataFrame) -> anyhow::Result<DataFrame> {
        if self.hashes.is_empty() {
            return Ok(rows);
        }
        let hashes = rows.column(ID_HASH)?.i64()?;
        let is_shared: BooleanChunked = hashes
            .iter()
            .map(|hash| Some(hash.is_some_and(|hash| self.hashes.contains(&hash))))
            .collect();
        let is_here = col("part").eq(lit(i64::try_from(part)?));
        let winners = self.winners.clone().lazy().filter(is_here);
        let kept = semi(rows.filter(&is_shared)?.lazy(), winners, &events::IDENTITY);
        Ok(rows.filter(&!&is_shared)?.vstack(&kept.collect()?)?)
    }
}

/// A hash, not negative, of the shop and another column of each row.
fn hashes(rows: &DataFrame, column: &str) -> PolarsResult<Int64Chunked> {
    let (shops, others) = (rows.column("shop_id")?.str()?, rows.column(column)?.str()?);
    let mut text = String::new();
    let hashes = shops.iter().zip(others.iter()).map(|(shop, other)| {
        text.clear();
        text.push_str(shop.unwrap_or_default());
        text.push('\u{1f}');
        text.push_str(other.unwrap_or_default());
        (xxh3_64(text.as_bytes()) >> 1).cast_signed()
    });
    Ok(Int64Chunked::from_vec(column.into(), hashes.collect()))
}

/// Builds the gold tables that follow from new visitors' records.
async fn build_with_visitors(staged: &mut Staged<'_>, reporting: &Reporting) -> anyhow::Result<()> {
    for gold in gold::TABLES {
        match gold.scope {
            Scope::Visitors(spans) => {
                visitors::build_spans(staged, gold, &spans, reporting).await?;
            }
            Scope::SumsOverVisits { around } => {
                sums::build(staged, gold, around, sums::Visitors::New, reporting).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The tables as far as they are made, in a lake that nobody sees.
struct Made<'a> {
    lake: Lake,
    now: Publication,
    outcomes: Vec<quality::Outcome>,
    reporting: &'a Reporting,
    rows_at_once: usize,
}

impl<'a> Made<'a> {
    async fn new(
        folder: &Path,
        reporting: &'a Reporting,
        rows_at_once: usize,
    ) -> anyhow::Result<Self> {
        let lake = Lake::new(folder);
        lake.prepare(&built_tables().collect::<Vec<_>>()).await?;
        Ok(Self {
            lake,
            now: Publication::default(),
            outcomes: Vec::new(),
            reporting,
            rows_at_once,
        })
    }

    fn staged(&self) -> Staged<'_> {
        Staged::over(&self.lake, self.now.clone())
    }

    /// Makes changes part of the tables.
    async fn keep(&mut self, changes: Vec<Change>) -> anyhow::Result<()> {
        let basis = Basis {
            cursor: Cursor::default(),
            recipe: Recipe::default(),
        };
        self.now = self.lake.publish(&self.now, changes, basis).await?;
        Ok(())
    }

    async fn keep_quarantined(&mut self, dealt: &Dealt) -> anyhow::Result<()> {
        if dealt.unreadable.is_empty() {
            return Ok(());
        }
        let quarantined = quarantine::rows(&dealt.unreadable)?;
        let refused = left_out::refused(&dealt.unreadable, self.reporting)?;
        let mut staged = self.staged();
        staged.replace(&quarantine::TABLE, quarantine::TABLE.empty(), quarantined)?;
        staged.replace(&left_out::TABLE, left_out::TABLE.empty(), refused)?;
        build_with_visitors(&mut staged, self.reporting).await?;
        let outcomes = quality::check_rows(&staged).await?;
        let changes = staged.into_changes()?;
        self.outcomes.extend(outcomes);
        self.keep(changes).await
    }

    /// Adds the silver of visitors who are not there yet, and what gold follows from one visitor, from their rows of bronze;
    /// `records` are these with those that lose against others.
    async fn add(&mut self, rows: DataFrame, records: DataFrame) -> anyhow::Result<()> {
        let rows = events::once(&rows)?;
        let winners = rows.select(events::RIVALRY)?.lazy();
        let repeated = left_out::repeated(records.lazy(), winners, self.reporting).collect()?;
        let new = NewRows {
            left_out: repeated,
            ..silver::typed(&rows, self.reporting)?
        };
        drop(rows);
        let mut staged = self.staged();
        increment::silver_of_new_visitors(&mut staged, new, self.reporting).await?;
        build_with_visitors(&mut staged, self.reporting).await?;
        let outcomes = quality::check_rows(&staged).await?;
        let changes = staged.into_changes()?;
        self.outcomes.extend(outcomes);
        self.keep(changes).await
    }

    async fn append(&mut self, table: &'static Table, rows: DataFrame) -> anyhow::Result<()> {
        let mut staged = self.staged();
        staged.replace(table, table.empty(), rows)?;
        let outcomes = quality::check_rows(&staged).await?;
        let changes = staged.into_changes()?;
        self.outcomes.extend(outcomes);
        self.keep(changes).await
    }

    async fn build_gold(&mut self, gold: &'static Gold) -> anyhow::Result<()> {
        if matches!(
            gold.scope,
            Scope::Visitors(_) | Scope::SumsOverVisits { .. }
        ) {
            // Built with the visitors.
            return Ok(());
        }
        let Some((back, ahead)) = reach(gold.scope) else {
            let silver = inputs(&self.staged(), gold, |_, query| query, self.reporting).await?;
            let rows = (gold.build)(&silver)?.collect()?;
            return self.append(&gold.table, rows).await;
        };
        for days in self.day_groups(gold, back, ahead).await? {
            let rows = {
                let staged = self.staged();
                rows_of_days(&staged, gold, &days, (back, ahead), self.reporting).await?
            };
            self.append(&gold.table, rows.collect()?).await?;
        }
        Ok(())
    }

    /// The days a gold table can have rows on, in groups whose rows of silver fit into memory.
    async fn day_groups(
        &self,
        gold: &Gold,
        back: Day,
        ahead: Day,
    ) -> anyhow::Result<Vec<BTreeSet<Day>>> {
        let mut rows: BTreeMap<Day, usize> = BTreeMap::new();
        for input in gold.reads {
            for (day, height) in self.lake.days(&self.now, input.table).await? {
                *rows.entry(day).or_default() += height;
            }
        }
        let days = days_around(&rows.keys().copied().collect(), ahead, back);
        Ok(day_groups(days, &rows, self.rows_at_once))
    }

    /// Checks totals, some days at a time.
    async fn check_totals(&mut self) -> anyhow::Result<()> {
        let days: Vec<Day> = self.days().await?.into_iter().collect();
        for some in days.chunks(DAYS_AT_ONCE) {
            let days = some.iter().copied().collect();
            let outcomes = quality::check_totals(&self.staged(), &days).await?;
            self.outcomes.extend(outcomes);
        }
        Ok(())
    }

    async fn days(&self) -> anyhow::Result<BTreeSet<Day>> {
        let mut days = BTreeSet::new();
        for table in built_tables() {
            days.extend(self.lake.days(&self.now, table).await?.into_keys());
        }
        Ok(days)
    }

    async fn changes(&self) -> anyhow::Result<Vec<Change>> {
        let mut changes = Vec::new();
        for table in built_tables() {
            changes.push(Change {
                table,
                replaces: Replaces::All,
                rows: Rows::Files(self.lake.row_files(&self.now, table).await?),
            });
        }
        Ok(changes)
    }
}
