//! Bronze in a lake: landings with the offsets they reach, and what of them is new to a build.
//!
//! Every landing has a time of its own, later than that of each landing before it, and its rows carry it. It is the cursor
//! of builds: which file a row stands in, and which version of the table named it first, is of no account, so that
//! anybody may compact the table at any time.

use deltalake_core::kernel::{Action, Add, Transaction};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::landing::{after_offsets, landed_at};
use super::super::unread::Source;
use super::super::{Cursor, Filter, Landing, Offsets, Portion, Query, Unread, WarehouseError};
use super::delta::{DeltaTableFiles, Kind};
use super::statistics::Bounds;
use super::{Lake, compact, delta, turns};
use crate::bronze::{self, LANDED_AT};
use crate::table::Table;

/// Bronze as this process last left it.
pub(super) struct Lander {
    topic: String,
    events: DeltaTableFiles,
    quarantine: DeltaTableFiles,
    landed: Offsets,
    quarantined: Offsets,
    /// The time of the last landing, UTC microseconds.
    last: i64,
}

impl Lander {
    /// Whether nobody has changed the tables since.
    fn is_newest(&self) -> bool {
        self.events.is_newest() && self.quarantine.is_newest()
    }
}

/// How far a build has read bronze.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Up to this time of landing, UTC microseconds.
    LandedAt(i64),
}

/// The column with the record's text.
const RECORD: &str = "record";

/// A portion has no more rows than this, unless one file has.
const PORTION_ROWS: usize = 100_000;

/// A look at bronze that found nothing new: the same look at the same version finds the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Nothing {
    version: u64,
    after: i64,
}

impl Lake {
    /// Appends rows and offsets where the stored offsets are those after which the landing comes.
    pub(super) async fn land_rows(&self, mut landing: Landing) -> Result<(), WarehouseError> {
        let quarantine = std::mem::take(&mut landing.quarantine);
        let events = std::mem::take(&mut landing.events);
        let mut slot = self.lander.lock().await;
        let _turn = turns::landing(&self.root).await?;
        // Taken out: after a failure the next landing looks at the tables again, as after another lander's.
        let known = slot.take().filter(|known| known.topic == landing.topic);
        let mut lander = match known {
            Some(known) if known.is_newest() => known,
            _ => self.lander(&landing.topic).await?,
        };
        if lander.landed != landing.after {
            return Err(WarehouseError::Behind {
                writer: "lander",
                what: format!("topic `{}`", landing.topic),
            });
        }
        let now = chrono::Utc::now().timestamp_micros();
        lander.last = now.max(lander.last.saturating_add(1));
        // Quarantine first: bronze holds the offsets that count. A kill in between makes the next lander bring the same
        // records again, in a landing that may end elsewhere; quarantine's own offsets, which never go back, let none
        // of them in twice.
        let quarantine = after_offsets(&quarantine, &lander.quarantined)?;
        if quarantine.height() > 0 {
            let reached = furthest(&lander.quarantined, &landing.up_to);
            let moved = transactions(&landing.topic, &lander.quarantined, &reached);
            lander.quarantine = self
                .append(
                    &bronze::QUARANTINE,
                    lander.quarantine,
                    quarantine,
                    moved,
                    lander.last,
                )
                .await?;
            lander.quarantined = reached;
        }
        let moved = transactions(&landing.topic, &lander.landed, &landing.up_to);
        lander.events = self
            .append(&bronze::EVENTS, lander.events, events, moved, lander.last)
            .await?;
        lander.landed = landing.up_to;
        *slot = Some(lander);
        Ok(())
    }

    async fn lander(&self, topic: &str) -> Result<Lander, WarehouseError> {
        let events = self.open(&bronze::EVENTS).await?;
        let quarantine = self.open(&bronze::QUARANTINE).await?;
        let last = self
            .last_landing(&bronze::EVENTS, &events)
            .await?
            .max(self.last_landing(&bronze::QUARANTINE, &quarantine).await?);
        Ok(Lander {
            topic: topic.to_owned(),
            landed: events.offsets(topic).await?,
            quarantined: quarantine.offsets(topic).await?,
            events,
            quarantine,
            last,
        })
    }

    /// The time of the last landing that a table holds; the least number for an empty one.
    async fn last_landing(
        &self,
        table: &'static Table,
        files: &DeltaTableFiles,
    ) -> Result<i64, WarehouseError> {
        let mut last = i64::MIN;
        let mut unknown = Vec::new();
        for add in files.adds().into_values() {
            match Bounds::read(add.stats.as_deref()).latest(LANDED_AT) {
                Some(landed) => last = last.max(landed),
                None => unknown.push(add),
            }
        }
        let query = Query::all().columns(&[LANDED_AT]);
        let rows = self.rows(table, unknown, &query).await?;
        Ok(last.max(latest(&rows)?.unwrap_or(last)))
    }

    /// Commits rows and offsets, then merges files if there are many small ones.
    async fn append(
        &self,
        table: &'static Table,
        files: DeltaTableFiles,
        rows: DataFrame,
        offsets: Vec<Transaction>,
        at: i64,
    ) -> Result<DeltaTableFiles, WarehouseError> {
        let rows = landed_at(&rows, at)?;
        let adds = self.write(table, rows)?;
        let actions = adds.into_iter().map(Action::Add).collect();
        let files = files.commit(actions, offsets, Kind::Append).await?;
        self.tidy(&files).await;
        match self.merge_small_files(table, files.clone()).await {
            Ok(files) => Ok(files),
            // The landing stands; the files are merged by a later one.
            Err(error) => {
                tracing::warn!(%error, table = table.name, "small files not merged");
                files.at(None).await
            }
        }
    }

    async fn merge_small_files(
        &self,
        table: &'static Table,
        files: DeltaTableFiles,
    ) -> Result<DeltaTableFiles, WarehouseError> {
        let small = compact::plan(files.adds().into_values());
        if small.is_empty() {
            return Ok(files);
        }
        let rows = self.rows(table, small.clone(), &Query::all()).await?;
        let rows = rows
            .sort([LANDED_AT], SortMultipleOptions::default())
            .map_err(|source| WarehouseError::Data {
                what: format!("table `{}`", table.name),
                source,
            })?;
        let merged = self.write(table, rows)?;
        let moved = |add: Add| {
            Action::Add(Add {
                data_change: false,
                ..add
            })
        };
        let mut actions: Vec<Action> = small
            .iter()
            .map(|add| {
                let mut remove = delta::remove(add);
                remove.data_change = false;
                Action::Remove(remove)
            })
            .collect();
        actions.extend(merged.into_iter().map(moved));
        tracing::debug!(
            table = table.name,
            files.merged = small.len(),
            "merged small files"
        );
        let files = files.commit(actions, Vec::new(), Kind::Compaction).await?;
        self.tidy(&files).await;
        Ok(files)
    }

    /// What landed after a cursor.
    pub(super) async fn landed_since(
        &self,
        cursor: Option<&Cursor>,
        enough: Option<usize>,
    ) -> Result<Unread, WarehouseError> {
        let after = match cursor {
            Some(cursor) => position(cursor)?,
            None => i64::MIN,
        };
        if !self.exists(&bronze::EVENTS) {
            return Ok(nothing_after(after));
        }
        let table = self.table(&bronze::EVENTS, None).await?;
        let here = Nothing {
            version: table.version(),
            after,
        };
        let mut nothing = self.nothing.lock().await;
        if *nothing == Some(here) {
            return Ok(nothing_after(after));
        }
        let mut files = Vec::new();
        for add in table.adds().into_values() {
            let bounds = Bounds::read(add.stats.as_deref());
            let last = match bounds.latest(LANDED_AT) {
                Some(last) => last,
                None => self.last_in(&add).await?,
            };
            if last > after {
                files.push(LandedFile {
                    first: bounds.earliest(LANDED_AT).unwrap_or(i64::MIN),
                    last,
                    rows: bounds.rows(),
                    add,
                });
            }
        }
        if files.is_empty() {
            *nothing = Some(here);
        }
        Ok(unread(files, after, enough))
    }

    async fn last_in(&self, file: &Add) -> Result<i64, WarehouseError> {
        let query = Query::all().columns(&[LANDED_AT]);
        let rows = self
            .rows(&bronze::EVENTS, vec![file.clone()], &query)
            .await?;
        Ok(latest(&rows)?.unwrap_or(i64::MIN))
    }

    /// The rows of a portion. The texts of records are most of bronze, and read only where they have to be.
    pub(super) async fn landed_rows(&self, portion: Portion) -> Result<DataFrame, WarehouseError> {
        let (files, after, up_to) = match portion.0 {
            Source::Here(rows) => return Ok(rows),
            Source::Files {
                files,
                after,
                up_to,
            } => (files, after, up_to),
        };
        let (understood, others): (Vec<Add>, Vec<Add>) = files
            .into_iter()
            .partition(|add| Bounds::read(add.stats.as_deref()).has_no_null("event_id"));
        let landed = Filter::TimestampBetween(LANDED_AT, after.saturating_add(1), up_to);
        let without_text: Vec<&str> = bronze::EVENTS
            .column_names()
            .filter(|column| *column != RECORD)
            .collect();
        let query = Query::all().filter(landed);
        let others = self.rows(&bronze::EVENTS, others, &query).await?;
        let query = query.columns(&without_text);
        let understood = self.rows(&bronze::EVENTS, understood, &query).await?;
        let text = lit(NULL).cast(DataType::String).alias(RECORD);
        let understood = bronze::EVENTS.conform(understood.lazy().with_column(text));
        let data = |source| WarehouseError::Data {
            what: "rows of bronze".to_owned(),
            source,
        };
        let understood = understood.collect().map_err(data)?;
        understood.vstack(&others).map_err(data)
    }
}

/// A file of bronze with rows to read.
struct LandedFile {
    /// The first and the last time of landing in it, UTC microseconds.
    first: i64,
    last: i64,
    rows: usize,
    add: Add,
}

fn nothing_after(after: i64) -> Unread {
    Unread {
        portions: Vec::new(),
        rows: 0,
        cursor: cursor_at(after),
        is_all: true,
    }
}

/// Files in the order of landing, put into portions.
fn unread(mut files: Vec<LandedFile>, after: i64, enough: Option<usize>) -> Unread {
    files.sort_by_key(|file| (file.last, file.first));
    let mut rows = 0;
    let mut up_to = after;
    let mut is_all = true;
    for file in &files {
        if enough.is_some_and(|enough| rows >= enough && file.last > up_to) {
            is_all = false;
            break;
        }
        rows += file.rows;
        up_to = file.last;
    }
    let mut portions = Vec::new();
    let mut portion = Vec::new();
    let mut portion_rows = 0;
    for file in files.into_iter().filter(|file| file.first <= up_to) {
        if portion_rows > 0 && portion_rows + file.rows > PORTION_ROWS {
            portions.push(portion_of(std::mem::take(&mut portion), after, up_to));
            portion_rows = 0;
        }
        portion_rows += file.rows;
        portion.push(file.add);
    }
    if !portion.is_empty() {
        portions.push(portion_of(portion, after, up_to));
    }
    Unread {
        portions,
        rows,
        cursor: cursor_at(up_to),
        is_all,
    }
}

fn portion_of(files: Vec<Add>, after: i64, up_to: i64) -> Portion {
    Portion(Source::Files {
        files,
        after,
        up_to,
    })
}

fn latest(rows: &DataFrame) -> Result<Option<i64>, WarehouseError> {
    let landed = rows
        .column(LANDED_AT)
        .and_then(|column| column.datetime().cloned());
    let landed = landed.map_err(|source| WarehouseError::Data {
        what: "rows of bronze".to_owned(),
        source,
    })?;
    Ok(landed.physical().max())
}

fn cursor_at(landed_at: i64) -> Cursor {
    Cursor(serde_json::json!(Position::LandedAt(landed_at)).to_string())
}

fn position(cursor: &Cursor) -> Result<i64, WarehouseError> {
    match serde_json::from_str(&cursor.0) {
        Ok(Position::LandedAt(landed_at)) => Ok(landed_at),
        Err(_) => Err(WarehouseError::Corrupt {
            path: "the build's cursor".to_owned(),
            reason: format!(
                "`{}` is not a time of landing, an older version of this program wrote it\n\
                 hint: `shoptrail build --rebuild`",
                cursor.0
            ),
        }),
    }
}

/// Of each partition the offset that lies further on.
fn furthest(left: &Offsets, right: &Offsets) -> Offsets {
    let mut furthest = left.clone();
    for (partition, offset) in right {
        let reached = furthest.entry(*partition).or_insert(*offset);
        *reached = (*reached).max(*offset);
    }
    furthest
}

/// What moves the stored offsets to where a landing ends.
fn transactions(topic: &str, stored: &Offsets, reached: &Offsets) -> Vec<Transaction> {
    let moved = reached
        .iter()
        .filter(|(partition, offset)| stored.get(*partition) != Some(*offset));
    let mut transactions: Vec<Transaction> = moved
        .map(|(partition, offset)| Transaction::new(delta::land_app_id(topic, *partition), *offset))
        .collect();
    let highest = |offsets: &Offsets| offsets.keys().next_back().copied();
    if highest(reached) > highest(stored) {
        let partitions = reached
            .keys()
            .next_back()
            .map_or(0, |last| i64::from(*last) + 1);
        transactions.push(Transaction::new(
            delta::partitions_app_id(topic),
            partitions,
        ));
    }
    transactions
}
