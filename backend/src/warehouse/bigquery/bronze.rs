//! Bronze in BigQuery: landed by us, or written by Confluent's sink; and what of either is new to a build.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::landing::landed_at;
use super::super::{Cursor, Landing, Offsets, Query, WarehouseError};
use super::{BigQuery, commit, sink, sql, stage};
use crate::bronze;

/// What landing has reached, as its marker keeps it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Landed {
    /// Last landed offset by topic and partition.
    pub(super) offsets: BTreeMap<String, Offsets>,
    /// `_landed_at` of the last landing's rows, UTC microseconds; later than that of every landing before.
    landed_at: i64,
}

/// How far bronze has been read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Position {
    /// Our own bronze, up to this `_landed_at`, UTC microseconds.
    LandedAt(i64),
    /// The sink's table as it was then, UTC microseconds.
    SinkAsOf(i64),
}

impl BigQuery {
    /// `_landed_at` of the last landing, and a moment at which bronze has its rows, both UTC microseconds.
    pub(super) async fn landed_now(&self) -> Result<(i64, i64), WarehouseError> {
        let marked = commit::read(&self.client, &commit::LANDING).await?;
        let landed: Landed = marked.state(&commit::LANDING)?;
        Ok((landed.landed_at, marked.as_of))
    }

    async fn landed_since(
        &self,
        after: Option<i64>,
    ) -> Result<(DataFrame, Position), WarehouseError> {
        let (up_to, as_of) = self.landed_now().await?;
        let after = after.unwrap_or_default();
        if up_to <= after {
            return Ok((bronze::EVENTS.empty(), Position::LandedAt(after)));
        }
        let range = format!(
            "{0} > {1} AND {0} <= {2}",
            bronze::LANDED_AT,
            sql::timestamp(after),
            sql::timestamp(up_to)
        );
        let rows = self
            .read_rows(&bronze::EVENTS, &Query::all(), range, Some(as_of))
            .await?;
        Ok((rows, Position::LandedAt(up_to)))
    }

    /// Stages rows, then moves them and the offsets in one transaction.
    pub(super) async fn land_rows(&self, landing: Landing) -> Result<(), WarehouseError> {
        // Taken out: after a failure the next landing reads the marker again.
        let known = self.landed.lock().await.take();
        let (version, mut landed) = match known {
            Some(known) => known,
            None => {
                let marked = commit::read(&self.client, &commit::LANDING).await?;
                (marked.version, marked.state(&commit::LANDING)?)
            }
        };
        let stored = landed
            .offsets
            .insert(landing.topic.clone(), landing.up_to.clone())
            .unwrap_or_default();
        if stored != landing.after {
            return Err(WarehouseError::Behind {
                writer: "lander",
                what: format!("topic `{}`", landing.topic),
            });
        }
        landed.landed_at = chrono::Utc::now()
            .timestamp_micros()
            .max(landed.landed_at + 1);
        let mut staged = Vec::new();
        let mut statements = Vec::new();
        for (table, rows) in [
            (&bronze::EVENTS, landing.events),
            (&bronze::QUARANTINE, landing.quarantine),
        ] {
            if rows.height() > 0 {
                let rows = landed_at(&rows, landed.landed_at)?;
                let name = stage::stage(&self.client, table, rows, &version.to_string()).await?;
                let target = self.client.full_name(table.name);
                statements.push(sql::insert(&target, table, &self.client.full_name(&name)));
                staged.push(name);
            }
        }
        let marked = commit::commit(
            &self.client,
            &commit::LANDING,
            version,
            json!(landed),
            &statements,
        )
        .await?;
        *self.landed.lock().await = Some((marked.version, landed));
        stage::remove(&self.client, &staged).await;
        Ok(())
    }

    /// The rows after a cursor, of whichever bronze the settings name.
    pub(super) async fn bronze_rows_since(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<(DataFrame, Cursor), WarehouseError> {
        let corrupt = |reason: String| WarehouseError::Corrupt {
            path: "the build's cursor".to_owned(),
            reason,
        };
        let position = match cursor {
            Some(cursor) => {
                Some(serde_json::from_str(&cursor.0).map_err(|error| corrupt(error.to_string()))?)
            }
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
}
