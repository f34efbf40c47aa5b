//! Which warehouse a command works on, and how it is opened.

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

    /// Opens the warehouse and makes the tables that are missing.
    pub(super) async fn open_to_write(&self) -> Result<Arc<dyn Warehouse>, WarehouseError> {
        let warehouse = connect(&self.warehouse, &self.bigquery, self.lake).await?;
        warehouse.prepare(&build::tables()).await?;
        Ok(warehouse)
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

    #[tokio::test]
    async fn lake_that_is_not_there_is_refused_to_readers_and_not_made() {
        let folder = std::env::temp_dir().join(format!("shoptrail-no-lake-{}", std::process::id()));
        let address = format!("lake:{}", folder.display());
        let flags = Flags::try_parse_from(["test", "--warehouse", &address]).unwrap();
        let refused = flags.warehouse.open().await.err();
        assert!(
            matches!(refused, Some(WarehouseError::NoLake { .. })),
            "{refused:?}"
        );
        assert!(!folder.exists());
        flags.warehouse.open_to_write().await.unwrap();
        assert!(flags.warehouse.open().await.is_ok());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
