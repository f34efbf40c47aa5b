//! Tables made inside BigQuery, by queries whose results stay there until one transaction takes them.

use async_trait::async_trait;
use polars::prelude::DataFrame;
use serde_json::json;
use uuid::Uuid;

use super::super::sql_engine::{BronzeNow, MadeTable, SqlEngine};
use super::super::{Cursor, Query, WarehouseError};
use super::bronze::Position;
use super::error::{BigQueryError, Class};
use super::{BigQuery, sql, stage};
use crate::bronze;
use crate::table::Table;

#[async_trait]
impl SqlEngine for BigQuery {
    async fn bronze_now(&self) -> Result<BronzeNow, WarehouseError> {
        if let Some(table) = &self.client.settings.sink_table {
            return Err(WarehouseError::Unsupported {
                table: table.clone(),
                reason: "is written by Confluent's sink, without the columns that landing derives"
                    .to_owned(),
                hint: "build with `--engine polars`, or let `shoptrail land` write bronze",
            });
        }
        let (up_to, as_of) = self.landed_now().await?;
        let range = format!("{} <= {}", bronze::LANDED_AT, sql::timestamp(up_to));
        let not_understood = format!("{range} AND event_id IS NULL");
        let not_understood = self
            .read_rows(&bronze::EVENTS, &Query::all(), not_understood, Some(as_of))
            .await?;
        // A statement reads a table at one moment; these read it at one moment all of them.
        let input = format!(
            "(SELECT * FROM `{}` FOR SYSTEM_TIME AS OF TIMESTAMP_MICROS({as_of}) WHERE {range})",
            self.client.full_name(bronze::EVENTS.name)
        );
        let count = format!("SELECT COUNT(*) FROM {input}");
        let rows = self.numbers("counting bronze", &count).await?;
        Ok(BronzeNow {
            cursor: Cursor(json!(Position::LandedAt(up_to)).to_string()),
            rows: rows.into_iter().sum(),
            input,
            not_understood,
        })
    }

    async fn put(&self, table: &Table, rows: DataFrame) -> Result<MadeTable, WarehouseError> {
        let after = Uuid::new_v4().to_string();
        let name = stage::stage(&self.client, table, rows, &after).await?;
        Ok(self.made(name))
    }

    async fn make(&self, name: &str, select: &str) -> Result<MadeTable, WarehouseError> {
        let made = self.made(format!(
            "{}{name}_{}",
            stage::PREFIX,
            Uuid::new_v4().simple()
        ));
        let hours = stage::EXPIRE_AFTER.num_hours();
        let create = format!(
            // Again, where the answer to a first try was lost.
            "CREATE OR REPLACE TABLE {} OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {hours} HOUR)) \
             AS {select}",
            made.input
        );
        let what = format!("making `{name}`");
        self.client
            .run_query(&what, "make", create, Vec::new())
            .await?;
        Ok(made)
    }

    async fn numbers(&self, what: &str, select: &str) -> Result<Vec<usize>, WarehouseError> {
        let done = self
            .client
            .run_query(what, "check", select.to_owned(), Vec::new())
            .await?;
        let row = self.client.first_row(what, &done).await?;
        let number = |cell: Option<String>| cell.as_ref()?.parse().ok();
        let numbers: Option<Vec<usize>> = row.into_iter().map(number).collect();
        numbers.ok_or_else(|| {
            BigQueryError::new(Class::Failed, what, "the answer has no numbers").into()
        })
    }

    async fn drop_made(&self, tables: Vec<MadeTable>) {
        let names: Vec<String> = tables.into_iter().map(|table| table.name).collect();
        stage::remove(&self.client, &names).await;
    }
}

impl BigQuery {
    fn made(&self, name: String) -> MadeTable {
        let input = format!("`{}`", self.client.full_name(&name));
        MadeTable { name, input }
    }
}
