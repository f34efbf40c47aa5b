//! Staging: rows as Parquet in a table of their own, from which one transaction takes them.

use bytes::Bytes;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_load::JobConfigurationLoad;
use gcp_bigquery_client::model::table_reference::TableReference;
use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::super::{WarehouseError, parquet};
use super::client::Client;
use super::error::{BigQueryError, Class};
use super::job::NewJob;
use super::schema;
use crate::table::Table;

/// How the names of staging tables begin.
pub(super) const PREFIX: &str = "_shoptrail_staging_";
/// Staging tables that nobody took away are gone after so long.
pub(super) const EXPIRE_AFTER: chrono::Duration = chrono::Duration::days(1);

/// Loads rows into a staging table and returns its name.
///
/// The name comes from the rows and from `after`, the state they follow upon: a run that was killed finds the table again.
pub(super) async fn stage(
    client: &Client,
    table: &Table,
    rows: DataFrame,
    after: &str,
) -> Result<String, WarehouseError> {
    let file = Bytes::from(
        parquet::bytes(&rows).map_err(|source| WarehouseError::Data {
            what: format!("rows for `{}`", table.name),
            source,
        })?,
    );
    let full_name = client.full_name(table.name);
    let hash = xxh3_128(&[full_name.as_bytes(), after.as_bytes(), &file].concat());
    let name = format!("{PREFIX}{}_{hash:032x}", table.name);
    let is_new = create(client, table, &name).await?;
    let configuration = || JobConfiguration {
        load: Some(JobConfigurationLoad {
            destination_table: Some(TableReference::new(
                &client.settings.project,
                &client.settings.dataset,
                &name,
            )),
            source_format: Some("PARQUET".to_owned()),
            create_disposition: Some("CREATE_NEVER".to_owned()),
            write_disposition: Some("WRITE_TRUNCATE".to_owned()),
            ..JobConfigurationLoad::default()
        }),
        ..JobConfiguration::default()
    };
    for round in 0_u32.. {
        let job = NewJob {
            what: format!("loading rows for `{}`", table.name),
            id: format!("shoptrail_load_{hash:032x}_{round}"),
            configuration: configuration(),
            file: Some(file.clone()),
        };
        // A job of this id that is done has filled a table; if that is gone and this one new, the rows are still missing.
        let done = client.run(job).await?;
        if !(done.was_there && is_new) {
            break;
        }
    }
    Ok(name)
}

async fn create(client: &Client, table: &Table, name: &str) -> Result<bool, BigQueryError> {
    let expires = chrono::Utc::now() + EXPIRE_AFTER;
    let resource = || schema::staging(&client.settings, table, name, expires.timestamp_millis());
    let what = format!("making a staging table for `{}`", table.name);
    match client
        .call(&what, || client.rest.table().create(resource()))
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.class == Class::Exists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes staging tables away; one that stays expires.
pub(super) async fn remove(client: &Client, names: &[String]) {
    let (project, dataset) = (&client.settings.project, &client.settings.dataset);
    let removals = names
        .iter()
        .map(|name| client.rest.table().delete(project, dataset, name));
    for removed in futures_util::future::join_all(removals).await {
        if let Err(error) = removed {
            tracing::debug!(%error, "staging table stays until it expires");
        }
    }
}
