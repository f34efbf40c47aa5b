//! BigQuery: one dataset of native tables, partitioned and clustered, read in bulk by the Storage Read API and written by
//! staged Parquet and one transaction.
//!
//! Landing and publishing each have a [marker](commit): a table of one row that is moved in the same transaction as the
//! rows. A publication is the state of all tables at the moment its marker was read, and is read as of that moment.

mod bronze;
mod client;
mod commit;
mod engine;
mod error;
mod job;
mod read;
mod schema;
mod settings;
mod sink;
mod sql;
mod stage;
mod upload;

use std::collections::BTreeSet;
use std::path::PathBuf;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use self::bronze::Landed;
use self::client::Client;
pub use self::error::{BigQueryError, Class};
use self::read::Source;
pub use self::settings::{BigQueryArgs, Server, Settings};
use super::lake::RowFile;
use super::{
    Basis, Change, Cursor, Day, Landing, Offsets, Person, Portion, Publication, Query, Recipe,
    Replaces, Rows, SqlEngine, Traffic, Unread, Warehouse, WarehouseError, narrow, unread,
};
use crate::table::{Layer, Table};

/// A BigQuery dataset.
pub struct BigQuery {
    client: Client,
    /// The landing marker as this process last left it; a second lander's commit since then makes the next one fail.
    landed: Mutex<Option<(u64, Landed)>>,
}

/// What is published, as its marker keeps it.
#[derive(Default, Serialize, Deserialize)]
struct Published {
    cursor: Option<Cursor>,
    #[serde(default)]
    recipe: Recipe,
    tables: BTreeSet<String>,
    published_at: i64,
}

/// A change that is ready to be committed.
struct Stage {
    table: &'static str,
    statements: Vec<String>,
    staging: Vec<String>,
}

/// So many tables are loaded side by side: a load takes seconds, whatever its size.
const STAGES_AT_ONCE: usize = 4;

/// Rows of one load of a rebuild, unless one file has more.
const LOAD_ROWS: usize = 200_000;

impl BigQuery {
    /// Connects to the dataset.
    ///
    /// # Errors
    /// Returns an error if there are no credentials, the server cannot be reached, or the dataset does not exist or may
    /// not be seen.
    pub async fn connect(settings: Settings) -> Result<Self, WarehouseError> {
        Ok(Self {
            client: Client::connect(settings).await?,
            landed: Mutex::default(),
        })
    }

    async fn prepare_table(&self, table: &'static Table) -> Result<(), WarehouseError> {
        let client = &self.client;
        let (project, dataset) = (&client.settings.project, &client.settings.dataset);
        let what = format!("preparing `{}`", table.name);
        let found = client
            .call(&what, || {
                client.rest.table().get(project, dataset, table.name, None)
            })
            .await;
        let found = match found {
            Ok(found) => found,
            Err(error) if error.class == Class::NotFound => {
                let resource = || schema::resource(&client.settings, table);
                return match client
                    .call(&what, || client.rest.table().create(resource()))
                    .await
                {
                    // Another process was faster.
                    Err(error) if error.class == Class::Exists => Ok(()),
                    made => Ok(made.map(drop)?),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let missing = schema::missing(table, &found)?;
        for column in schema::widened(table, &found) {
            let sql = sql::widen(&client.full_name(table.name), column);
            client.run_query(&what, "widen", sql, Vec::new()).await?;
        }
        if !missing.is_empty() {
            let mut resource = schema::resource(&client.settings, table);
            let mut fields = found.schema.fields.unwrap_or_default();
            fields.extend(missing);
            resource.schema.fields = Some(fields);
            client
                .call(&what, || {
                    client
                        .rest
                        .table()
                        .patch(project, dataset, table.name, resource.clone())
                })
                .await?;
        }
        Ok(())
    }

    async fn read_rows(
        &self,
        table: &'static Table,
        query: &Query,
        restriction: String,
        as_of: Option<i64>,
    ) -> Result<DataFrame, WarehouseError> {
        let columns = query
            .columns
            .clone()
            .unwrap_or_else(|| table.column_names().collect());
        // A filter may have been weakened on its way into SQL, so its columns come along and it is applied again.
        let filtered = query.filters.iter().map(|filter| filter.column());
        let wanted: BTreeSet<&str> = columns.iter().copied().chain(filtered).collect();
        let source = Source {
            columns: wanted.iter().map(|column| (*column).to_owned()).collect(),
            restriction,
            as_of,
            ..Source::table(&self.client, &self.client.settings.dataset, table.name)
        };
        let rows = read::read(&self.client, source).await?;
        let rows = rows.unwrap_or_else(|| table.empty()).lazy();
        let typed = table
            .columns
            .iter()
            .filter(|column| wanted.contains(column.name));
        let typed = typed
            .map(|column| col(column.name).strict_cast(column.kind.polars()))
            .collect::<Vec<_>>();
        let rows = narrow(rows.select(typed), &query.filters)
            .select(columns.into_iter().map(col).collect::<Vec<_>>());
        rows.collect().map_err(|source| WarehouseError::Data {
            what: format!("table `{}`", table.name),
            source,
        })
    }

    /// Puts the rows of a change where the commit takes them from.
    async fn stage(
        &self,
        previous: &Publication,
        change: Change,
        after: &str,
    ) -> Result<Stage, WarehouseError> {
        let Change {
            table,
            replaces,
            rows,
        } = change;
        let target = self.client.full_name(table.name);
        // Before the first publication nothing counts, whatever a table holds.
        let replaces = if previous.version == 0 {
            Replaces::All
        } else {
            replaces
        };
        let mut stage = Stage {
            table: table.name,
            statements: Vec::new(),
            staging: Vec::new(),
        };
        match replaces {
            Replaces::All => stage.statements.push(sql::delete_all(&target)),
            Replaces::Keys(gone) if gone.height() > 0 => {
                let days = days_of(table, &gone)?;
                let gone = stage::stage(&self.client, table, filled(table, gone)?, after).await?;
                let keys = self.client.full_name(&gone);
                stage
                    .statements
                    .push(sql::delete_keys(&target, table, &keys, &days));
                stage.staging.push(gone);
            }
            Replaces::Keys(_) => {}
        }
        match rows {
            Rows::Made { table: made, .. } => {
                let place = self.client.full_name(&made.name);
                stage.statements.push(sql::insert(&target, table, &place));
                stage.staging.push(made.name);
            }
            Rows::Here(rows) => self.load(&mut stage, table, rows, after).await?,
            Rows::Files(files) => {
                for files in loads(files) {
                    let rows = RowFile::read(table, files).await?;
                    self.load(&mut stage, table, rows, after).await?;
                }
            }
        }
        Ok(stage)
    }

    /// Puts rows, if there are any, where the commit takes them from.
    async fn load(
        &self,
        stage: &mut Stage,
        table: &'static Table,
        rows: DataFrame,
        after: &str,
    ) -> Result<(), WarehouseError> {
        if rows.height() > 0 {
            let name = stage::stage(&self.client, table, rows, after).await?;
            let (target, place) = (
                self.client.full_name(table.name),
                self.client.full_name(&name),
            );
            stage.statements.push(sql::insert(&target, table, &place));
            stage.staging.push(name);
        }
        Ok(())
    }
}

/// Files as they are loaded together: a load takes seconds, whatever its size, and has to fit into memory.
fn loads(files: Vec<RowFile>) -> Vec<Vec<RowFile>> {
    let mut loads: Vec<Vec<RowFile>> = Vec::new();
    let mut rows = LOAD_ROWS;
    for file in files {
        if rows + file.height() > LOAD_ROWS {
            loads.push(Vec::new());
            rows = 0;
        }
        rows += file.height();
        if let Some(load) = loads.last_mut() {
            load.push(file);
        }
    }
    loads
}

#[async_trait]
impl Warehouse for BigQuery {
    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), WarehouseError> {
        for marker in [&commit::LANDING, &commit::PUBLICATION] {
            commit::prepare(&self.client, marker).await?;
        }
        futures_util::future::try_join_all(tables.iter().map(|table| self.prepare_table(table)))
            .await?;
        Ok(())
    }

    async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        let landed: Landed = commit::read(&self.client, &commit::LANDING)
            .await?
            .state(&commit::LANDING)?;
        Ok(landed.offsets.get(topic).cloned().unwrap_or_default())
    }

    async fn land(&self, landing: Landing) -> Result<(), WarehouseError> {
        self.land_rows(landing).await
    }

    /// All that lies after the cursor: what portions there are, no call says.
    async fn unread(
        &self,
        cursor: Option<&Cursor>,
        _enough: Option<usize>,
    ) -> Result<Unread, WarehouseError> {
        let (rows, cursor) = self.bronze_rows_since(cursor).await?;
        Ok(Unread {
            rows: rows.height(),
            portions: vec![Portion(unread::Source::Here(rows))],
            cursor,
            is_all: true,
        })
    }

    async fn bronze(&self, portion: Portion) -> Result<DataFrame, WarehouseError> {
        match portion.0 {
            unread::Source::Here(rows) => Ok(rows),
            unread::Source::Files { .. } => Err(WarehouseError::Corrupt {
                path: "a portion of bronze".to_owned(),
                reason: "it is one of a lake".to_owned(),
            }),
        }
    }

    fn sql_engine(&self) -> Option<&dyn SqlEngine> {
        Some(self)
    }

    fn scratch_folder(&self) -> PathBuf {
        std::env::temp_dir().join("shoptrail-rebuild")
    }

    async fn publication(&self) -> Result<Publication, WarehouseError> {
        let marked = commit::read(&self.client, &commit::PUBLICATION).await?;
        publication(&marked)
    }

    async fn read(
        &self,
        publication: &Publication,
        table: &'static Table,
        query: &Query,
    ) -> Result<DataFrame, WarehouseError> {
        let as_of = publication
            .tables
            .get(table.name)
            .map(|as_of| i64::try_from(*as_of).unwrap_or(i64::MAX));
        let restriction = sql::restriction(table, query);
        if (as_of.is_none() && table.layer != Layer::Bronze) || query.is_empty() {
            let columns = query
                .columns
                .clone()
                .unwrap_or_else(|| table.column_names().collect());
            let nothing = table.empty().select(columns);
            return nothing.map_err(|source| WarehouseError::Data {
                what: format!("table `{}`", table.name),
                source,
            });
        }
        self.read_rows(table, query, restriction, as_of).await
    }

    async fn publish(
        &self,
        previous: &Publication,
        changes: Vec<Change>,
        basis: Basis,
    ) -> Result<Publication, WarehouseError> {
        let mut tables: BTreeSet<String> = previous.tables.keys().cloned().collect();
        let after = previous.version.to_string();
        let stages = changes
            .into_iter()
            .map(|change| self.stage(previous, change, &after));
        let stages: Vec<Stage> = stream::iter(stages)
            .buffered(STAGES_AT_ONCE)
            .try_collect()
            .await?;
        let statements: Vec<String> = stages
            .iter()
            .flat_map(|stage| stage.statements.iter().cloned())
            .collect();
        let staged: Vec<String> = stages
            .iter()
            .flat_map(|stage| stage.staging.iter().cloned())
            .collect();
        tables.extend(stages.into_iter().map(|stage| stage.table.to_owned()));
        let published = Published {
            cursor: Some(basis.cursor),
            recipe: basis.recipe,
            tables,
            published_at: chrono::Utc::now().timestamp_millis(),
        };
        let marked = commit::commit(
            &self.client,
            &commit::PUBLICATION,
            previous.version,
            json!(published),
            &statements,
        )
        .await?;
        stage::remove(&self.client, &staged).await;
        publication(&marked)
    }

    async fn delete(&self, table: &'static Table, keys: DataFrame) -> Result<(), WarehouseError> {
        let staged = stage::stage(&self.client, table, filled(table, keys)?, "erasure").await?;
        let sql = sql::delete_keys(
            &self.client.full_name(table.name),
            table,
            &self.client.full_name(&staged),
            &BTreeSet::new(),
        );
        let what = format!("deleting from `{}`", table.name);
        self.client
            .run_query(&what, "erase", sql, Vec::new())
            .await?;
        stage::remove(&self.client, &[staged]).await;
        Ok(())
    }

    async fn sink_rows(&self, person: &Person, delete: bool) -> Result<usize, WarehouseError> {
        match &self.client.settings.sink_table {
            Some(table) => sink::rows_of(&self.client, table, person, delete).await,
            None => Ok(0),
        }
    }

    async fn purge(
        &self,
        _tables: &[&'static Table],
    ) -> Result<Option<&'static str>, WarehouseError> {
        Ok(Some(
            "BigQuery: deleted rows stay in its time travel (7 days unless the dataset says fewer) and 7 days of fail-safe after that",
        ))
    }

    fn traffic(&self) -> Traffic {
        self.client.counted.traffic()
    }
}

/// The partitions that rows lie in.
fn days_of(table: &Table, rows: &DataFrame) -> Result<BTreeSet<Day>, WarehouseError> {
    let Some(column) = table.partition else {
        return Ok(BTreeSet::new());
    };
    let days = rows.column(column).and_then(|days| days.date().cloned());
    let days = days.map_err(|source| WarehouseError::Data {
        what: format!("rows of `{}`", table.name),
        source,
    })?;
    Ok(days.physical().iter().flatten().collect())
}

/// Keys as rows of their table, so that they can be staged as such.
fn filled(table: &Table, keys: DataFrame) -> Result<DataFrame, WarehouseError> {
    let known = table.address();
    let columns = table.columns.iter().map(|column| {
        if known.contains(&column.name) {
            col(column.name)
        } else {
            lit(NULL).cast(column.kind.polars()).alias(column.name)
        }
    });
    let filled = keys.lazy().select(columns.collect::<Vec<_>>()).collect();
    filled.map_err(|source| WarehouseError::Data {
        what: format!("rows of `{}`", table.name),
        source,
    })
}

fn publication(marked: &commit::Marked) -> Result<Publication, WarehouseError> {
    let published: Published = marked.state(&commit::PUBLICATION)?;
    let as_of = u64::try_from(marked.as_of).unwrap_or_default();
    Ok(Publication {
        version: marked.version,
        cursor: published.cursor,
        recipe: published.recipe,
        tables: published
            .tables
            .into_iter()
            .map(|table| (table, as_of))
            .collect(),
        published_at: published.published_at,
    })
}
