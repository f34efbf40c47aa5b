//! `shoptrail local`: the stack on one laptop, with this program's own landing and building in it.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use shoptrail_local::edge::MAX_EVENT_AGE_DAYS;
use shoptrail_local::stack::{self, Backend, StackArgs};
use shoptrail_local::warehouse_address::WarehouseAddress;
use tokio_util::sync::CancellationToken;

use crate::attention::Attention;
use crate::config::Reporting;
use crate::data;
use crate::warehouse::Warehouse;
use crate::warehouse::bigquery::BigQueryArgs;
use crate::warehouse::lake::LakeArgs;

/// A look for new rows costs a lake nothing.
const LAKE_BUILD_EVERY_MS: &str = "200";
/// In BigQuery it costs a query.
const BIGQUERY_BUILD_EVERY_MS: &str = "1000";

/// Who tries things out wants to see them at once, and has few events.
const LAND_MAX_AGE_MS: &str = "200";

/// Flags of `shoptrail local`.
#[derive(Args, Clone, Debug)]
pub struct LocalArgs {
    /// How the parts run
    #[command(flatten)]
    pub stack: StackArgs,
    /// Where the tables are kept, if not in the lake below the data folder: `lake:DIR` or `bigquery://PROJECT/DATASET`
    #[arg(long, value_name = "ADDRESS")]
    pub warehouse: Option<WarehouseAddress>,
    /// How BigQuery is used
    #[command(flatten)]
    pub bigquery: BigQueryArgs,
    /// How a lake is kept
    #[command(flatten)]
    pub lake: LakeArgs,
    /// How builds report
    #[command(flatten)]
    pub reporting: Reporting,
}

impl LocalArgs {
    /// The address of the warehouse.
    #[must_use]
    pub fn warehouse(&self) -> WarehouseAddress {
        self.warehouse
            .clone()
            .unwrap_or_else(|| WarehouseAddress::Lake(self.stack.data.join("lake")))
    }

    /// Paid by whoever asks for the dashboard's data.
    fn attention(&self) -> Attention {
        Attention::to(self.stack.data.join("watched"))
    }

    fn land(&self) -> Vec<String> {
        let mut args = vec!["land".to_owned()];
        args.extend(["--warehouse".to_owned(), self.warehouse().to_string()]);
        args.extend(self.attention().to_args());
        args.extend(["--max-age-ms".to_owned(), LAND_MAX_AGE_MS.to_owned()]);
        args.extend([
            "--max-event-age-days".to_owned(),
            MAX_EVENT_AGE_DAYS.to_owned(),
        ]);
        args.extend(self.bigquery.to_args());
        args.extend(self.lake.to_args());
        args
    }

    fn build(&self) -> Vec<String> {
        let warehouse = self.warehouse();
        let every_ms = match warehouse {
            WarehouseAddress::Lake(_) => LAKE_BUILD_EVERY_MS,
            WarehouseAddress::BigQuery(_) => BIGQUERY_BUILD_EVERY_MS,
        };
        let Reporting {
            time_zone,
            currency,
            shops,
            ..
        } = &self.reporting;
        let shops = shops.to_string();
        let mut args = vec![
            "build".to_owned(),
            "--warehouse".to_owned(),
            warehouse.to_string(),
        ];
        let own = [
            "--every-ms",
            every_ms,
            "--time-zone",
            time_zone.as_str(),
            "--currency",
            currency,
            "--shop-reporting",
            &shops,
            "--max-event-age-days",
            MAX_EVENT_AGE_DAYS,
        ];
        args.extend(own.map(str::to_owned));
        args.extend(self.attention().to_args());
        args.extend(self.bigquery.to_args());
        args.extend(self.lake.to_args());
        args
    }
}

/// Makes the folder of everything the stack keeps, in which its lake lies unless it is told another.
///
/// # Errors
/// Returns an error if that cannot be made.
pub fn make_data_folder(args: &LocalArgs) -> Result<()> {
    let data = &args.stack.data;
    std::fs::create_dir_all(data).with_context(|| format!("cannot create `{}`", data.display()))
}

/// Runs the stack until `stop`, with the tables of `warehouse` on its dashboard.
///
/// # Errors
/// Returns an error if a part does not start.
pub async fn run(
    args: &LocalArgs,
    warehouse: Arc<dyn Warehouse>,
    stop: &CancellationToken,
) -> Result<()> {
    let backend = Backend {
        program: std::env::current_exe().context("the program does not know its file")?,
        land: args.land(),
        build: args.build(),
        routes: data::router(warehouse, &args.reporting, args.attention()),
    };
    stack::run(&args.stack, backend, stop.cancelled()).await
}
