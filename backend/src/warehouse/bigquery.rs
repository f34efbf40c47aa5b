//! BigQuery: one dataset of native tables, partitioned and clustered, read in bulk by the Storage Read API and written by
//! staged Parquet and one transaction.
//!
//! Landing and publishing each have a [marker](commit): a table of one row that is moved in the same transaction as the
//! rows. A publication is the state of all tables at the moment its marker was read, and is read as of that moment.

mod client;
mod commit;
mod error;
mod job;
mod read;
mod schema;
mod settings;
mod sink;
mod sql;
mod stage;
mod upload;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use self::client::Client;
pub use self::error::{BigQueryError, Class};
use self::read::Source;
pub use self::settings::{BigQueryArgs, Server, Settings};
use super::{
    Change, Cursor, Landing, Offsets, Publication, Query, Replaces, Traffic, Warehouse, WarehouseError, narrow,
};
use crate::bronze;
use crate::table::Table;

/// A BigQuery dataset.
pub struct BigQuery {
    client: Client,
    /// The landing marker as this process last left it; a second lander's commit since then makes the next one fail.
    landed: Mutex<Option<(u64, Landed)>>,
}

/// What landing has reached, as its marker keeps it.
#[derive(Default, Serialize, Deserialize)]
struct Landed {
    /// Last landed offset by topic and partition.
    offsets: BTreeMap<String, Offsets>,
    /// `_landed_at` of the last landing's rows, UTC microseconds; later than that of every landing before.
    landed_at: i64,
}

/// What is published, as its marker keeps it.
#[derive(Default, Serialize, Deserialize)]
struct Published {
    cursor: Option<Cursor>,
    tables: BTreeSet<String>,
    published_at: i64,
}

/// How far bronze has been read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Our own bronze, up to this `_landed_at`, UTC microseconds.
    LandedAt(i64),
    /// The sink's table as it was then, UTC microseconds.
    SinkAsOf(i64),
}

/// A change that is ready to be committed.
struct Stage {
    table: &'static str,
    statements: Vec<String>,
    staging: Option<String>,
}

/// So many tables are loaded side by side: a load takes seconds, whatever its size.
const STAGES_AT_ONCE: usize = 4;

impl BigQuery {
    /// Connects to the dataset.
    ///
    /// # Errors
    /// When there are no credentials, the server is away, or the dataset does not exist or may not be seen.
    pub async fn connect(settings: Settings) -> Result<Self, WarehouseError> {
        Ok(Self { client: Client::connect(settings).await?, landed: Mutex::default() })
    }

    async fn prepare_table(&self, table: &'static Table) -> Result<(), WarehouseError> {
        let client = &self.client;
        let (project, dataset) = (&client.settings.project, &client.settings.dataset);
        let what = format!("preparing `{}`", table.name);
        let found = client.call(&what, || client.rest.table().get(project, dataset, table.name, None)).await;
        let found = match found {
            Ok(found) => found,
            Err(error) if error.class == Class::NotFound => {
                let resource = || schema::resource(&client.settings, table);
                return match client.call(&what, || client.rest.table().create(resource())).await {
                    // Another process was faster.
                    Err(error) if error.class == Class::Exists => Ok(()),
                    made => Ok(made.map(drop)?),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let missing = schema::missing(table, &found)?;
        if !missing.is_empty() {
            let mut resource = schema::resource(&client.settings, table);
            let mut fields = found.schema.fields.unwrap_or_default();
            fields.extend(missing);
            resource.schema.fields = Some(fields);
            client.call(&what, || client.rest.table().patch(project, dataset, table.name, resource.clone())).await?;
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
        let columns = query.columns.clone().unwrap_or_else(|| table.column_names().collect());
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
        let typed = table.columns.iter().filter(|column| wanted.contains(column.name));
        let typed = typed.map(|column| col(column.name).strict_cast(column.kind.polars())).collect::<Vec<_>>();
        let rows = narrow(rows.select(typed), &query.filters).select(columns.into_iter().map(col).collect::<Vec<_>>());
        rows.collect().map_err(|source| WarehouseError::Data { what: format!("table `{}`", table.name), source })
    }

    /// Puts the rows of a change where the commit takes them from.
    async fn stage(&self, previous: &Publication, change: Change, after: &str) -> Result<Stage, WarehouseError> {
        let Change { table, replaces, rows } = change;
        let target = self.client.full_name(table.name);
        // Before the first publication nothing counts, whatever a table holds.
        let replaces = if previous.version == 0 { Replaces::All } else { replaces };
        let mut stage =
            Stage { table: table.name, statements: vec![sql::delete(&target, table, &replaces)], staging: None };
        if rows.height() > 0 {
            let name = stage::stage(&self.client, table, rows, after).await?;
            stage.statements.push(sql::insert(&target, table, &self.client.full_name(&name)));
            stage.staging = Some(name);
        }
        Ok(stage)
    }

    async fn landed_since(&self, after: Option<i64>) -> Result<(DataFrame, Position), WarehouseError> {
        let marked = commit::read(&self.client, &commit::LANDING).await?;
        let up_to = marked.state::<Landed>(&commit::LANDING)?.landed_at;
        let after = after.unwrap_or(i64::MIN);
        if up_to <= after {
            return Ok((bronze::EVENTS.empty(), Position::LandedAt(up_to.max(after))));
        }
        let range =
            format!("{0} > {1} AND {0} <= {2}", bronze::LANDED_AT, sql::timestamp(after), sql::timestamp(up_to));
        let rows = self.read_rows(&bronze::EVENTS, &Query::all(), range, Some(marked.as_of)).await?;
        Ok((rows, Position::LandedAt(up_to)))
    }
}

#[async_trait]
impl Warehouse for BigQuery {
    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), WarehouseError> {
        for marker in [&commit::LANDING, &commit::PUBLICATION] {
            commit::prepare(&self.client, marker).await?;
        }
        futures_util::future::try_join_all(tables.iter().map(|table| self.prepare_table(table))).await?;
        Ok(())
    }

    async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        let landed: Landed = commit::read(&self.client, &commit::LANDING).await?.state(&commit::LANDING)?;
        Ok(landed.offsets.get(topic).cloned().unwrap_or_default())
    }

    async fn land(&self, landing: Landing) -> Result<(), WarehouseError> {
        // Taken out: after a failure the next landing asks anew.
        let known = self.landed.lock().await.take();
        let (version, mut landed) = match known {
            Some(known) => known,
            None => {
                let marked = commit::read(&self.client, &commit::LANDING).await?;
                (marked.version, marked.state(&commit::LANDING)?)
            }
        };
        let stored = landed.offsets.insert(landing.topic.clone(), landing.up_to.clone()).unwrap_or_default();
        if stored != landing.after {
            return Err(WarehouseError::Behind { writer: "lander", what: format!("topic `{}`", landing.topic) });
        }
        landed.landed_at = chrono::Utc::now().timestamp_micros().max(landed.landed_at + 1);
        let mut staged = Vec::new();
        let mut statements = Vec::new();
        for (table, rows) in [(&bronze::EVENTS, landing.events), (&bronze::QUARANTINE, landing.quarantine)] {
            if rows.height() > 0 {
                let rows = bronze::landed_at(&rows, landed.landed_at)?;
                let name = stage::stage(&self.client, table, rows, &version.to_string()).await?;
                let target = self.client.full_name(table.name);
                statements.push(sql::insert(&target, table, &self.client.full_name(&name)));
                staged.push(name);
            }
        }
        let marked = commit::commit(&self.client, &commit::LANDING, version, json!(landed), &statements).await?;
        *self.landed.lock().await = Some((marked.version, landed));
        stage::remove(&self.client, &staged).await;
        Ok(())
    }

    async fn bronze_since(&self, cursor: Option<&Cursor>) -> Result<(DataFrame, Cursor), WarehouseError> {
        let corrupt = |reason: String| WarehouseError::Corrupt { path: "the build's cursor".to_owned(), reason };
        let position = match cursor {
            Some(cursor) => Some(serde_json::from_str(&cursor.0).map_err(|error| corrupt(error.to_string()))?),
            None => None,
        };
        let (rows, position) = match (&self.client.settings.sink_table, position) {
            (None, None) => self.landed_since(None).await?,
            (None, Some(Position::LandedAt(after))) => self.landed_since(Some(after)).await?,
            (Some(table), None) => {
                let (rows, now) = sink::records(&self.client, table, None).await?;
                (rows, Position::SinkAsOf(now))
            }
            (Some(table), Some(Position::SinkAsOf(since))) => {
                let (rows, now) = sink::records(&self.client, table, Some(since)).await?;
                (rows, Position::SinkAsOf(now))
            }
            (Some(_), Some(Position::LandedAt(_))) | (None, Some(Position::SinkAsOf(_))) => {
                return Err(corrupt(
                    "the tables were built from another bronze (sink or own landing)\n\
                     hint: `shoptrail build --rebuild` builds them from this one"
                        .to_owned(),
                ));
            }
        };
        Ok((rows, Cursor(json!(position).to_string())))
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
        let as_of = publication.tables.get(table.name).map(|as_of| i64::try_from(*as_of).unwrap_or(i64::MAX));
        let restriction = sql::restriction(table, query);
        if (as_of.is_none() && !bronze::is_bronze(table)) || query.is_empty() {
            let columns = query.columns.clone().unwrap_or_else(|| table.column_names().collect());
            let nothing = table.empty().select(columns);
            return nothing.map_err(|source| WarehouseError::Data { what: format!("table `{}`", table.name), source });
        }
        self.read_rows(table, query, restriction, as_of).await
    }

    async fn publish(
        &self,
        previous: &Publication,
        changes: Vec<Change>,
        cursor: Cursor,
    ) -> Result<Publication, WarehouseError> {
        let mut tables: BTreeSet<String> = previous.tables.keys().cloned().collect();
        let after = previous.version.to_string();
        let stages = changes.into_iter().map(|change| self.stage(previous, change, &after));
        let stages: Vec<Stage> = stream::iter(stages).buffered(STAGES_AT_ONCE).try_collect().await?;
        let statements: Vec<String> = stages.iter().flat_map(|stage| stage.statements.iter().cloned()).collect();
        let staged: Vec<String> = stages.iter().filter_map(|stage| stage.staging.clone()).collect();
        tables.extend(stages.into_iter().map(|stage| stage.table.to_owned()));
        let published = Published { cursor: Some(cursor), tables, published_at: chrono::Utc::now().timestamp_millis() };
        let marked =
            commit::commit(&self.client, &commit::PUBLICATION, previous.version, json!(published), &statements).await?;
        stage::remove(&self.client, &staged).await;
        publication(&marked)
    }

    fn traffic(&self) -> Traffic {
        self.client.counted.traffic()
    }
}

fn publication(marked: &commit::Marked) -> Result<Publication, WarehouseError> {
    let published: Published = marked.state(&commit::PUBLICATION)?;
    let as_of = u64::try_from(marked.as_of).unwrap_or_default();
    Ok(Publication {
        version: marked.version,
        cursor: published.cursor,
        tables: published.tables.into_iter().map(|table| (table, as_of)).collect(),
        published_at: published.published_at,
    })
}
