//! Which warehouse a command works on, and how it is opened.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use shoptrail_local::warehouse_address::WarehouseAddress;

use crate::build;
use crate::warehouse::bigquery::{BigQuery, BigQueryArgs, Settings};
use crate::warehouse::lake::{Lake, LakeArgs};
use crate::warehouse::{Warehouse, WarehouseError};

/// Flags of every command that reads or writes tables.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Warehouse")]
pub(super) struct WarehouseArgs {
    /// Where the tables are kept: `lake:DIR` or `bigquery://PROJECT/DATASET`
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "SHOPTRAIL_WAREHOUSE",
        default_value = "lake:data/lake"
    )]
    warehouse: WarehouseAddress,
    #[command(flatten)]
    bigquery: BigQueryArgs,
    #[command(flatten)]
    lake: LakeArgs,
}

impl WarehouseArgs {
    /// Opens the warehouse to read what is there. A lake must be there: a typing error in its address would otherwise look
    /// like a lake without rows.
    pub(super) async fn open(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        if let WarehouseAddress::Lake(folder) = &self.warehouse
            && !folder.is_dir()
        {
            return Err(WarehouseError::NoLake {
                folder: folder.display().to_string(),
            });
        }
        connect(&self.warehouse, &self.bigquery, self.lake).await
    }

    /// Opens the warehouse that a build reads and writes, and makes the tables that are missing in it. A lake must be there.
    pub(super) async fn open_to_build(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        let warehouse = self.open().await?;
        warehouse.prepare(&build::tables()).await?;
        Ok(warehouse)
    }

    /// Opens the warehouse and makes the tables that are missing; a lake's own folder as well.
    pub(super) async fn open_to_land(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        if let WarehouseAddress::Lake(folder) = &self.warehouse {
            make_lake(folder)?;
        }
        self.open_to_build().await
    }
}

/// Makes the folder of a lake if it is not there. Where that would lie must be there: else a typing error makes folders.
pub(super) fn make_lake(folder: &Path) -> Result<(), WarehouseError> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(WarehouseError::NoPlace {
            folder: folder.display().to_string(),
        }),
        other => other.map_err(|source| WarehouseError::Io {
            path: folder.display().to_string(),
            source,
        }),
    }
}

/// Connects to a warehouse, whether or not it has tables yet.
pub(super) async fn connect(
    address: &WarehouseAddress,
    bigquery: &BigQueryArgs,
    lake: LakeArgs,
) -> Result<Arc<dyn Warehouse>, WarehouseError> {
    Ok(match address {
        WarehouseAddress::Lake(folder) => Arc::new(Lake::with(folder, lake)),
        WarehouseAddress::BigQuery(dataset) => {
            Arc::new(BigQuery::connect(Settings::new(dataset.clone(), bigquery)).await?)
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        warehouse: WarehouseArgs,
    }

    fn flags(folder: &Path) -> WarehouseArgs {
        let address = format!("lake:{}", folder.display());
        let flags = Flags::try_parse_from(["test", "--warehouse", &address]);
        flags.unwrap().warehouse
    }

    #[tokio::test]
    async fn lake_that_is_not_there_is_refused_and_made_by_landing_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("lake");
        let flags = flags(&folder);
        for refused in [flags.open().await, flags.open_to_build().await] {
            assert!(matches!(refused, Err(WarehouseError::NoLake { .. })));
        }
        assert!(!folder.exists());
        flags.open_to_land().await.unwrap();
        assert!(flags.open_to_build().await.is_ok());
    }

    #[tokio::test]
    async fn typing_error_in_the_way_to_a_lake_makes_no_folder() {
        let place = tempfile::tempdir().unwrap();
        let refused = flags(&place.path().join("dta/lake")).open_to_land().await;
        assert!(matches!(refused, Err(WarehouseError::NoPlace { .. })));
        assert!(!place.path().join("dta").exists());
    }
}
