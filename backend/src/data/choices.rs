//! What a reader can choose: shops, currencies, channels, devices, countries, products; and which days have figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;
use serde::Serialize;
use shoptrail_schemas::money;

use super::figures::{JsonRows, json, product_name};
use crate::gold::{daily_kpis, landing_pages, product_performance};
use crate::table::Table;
use crate::warehouse::{Publication, Query, Warehouse};

/// Products that can be chosen from the list; others by a click on them.
const MOST_PRODUCTS: IdxSize = 300;

/// The choices of one publication.
#[derive(Serialize)]
pub(super) struct Choices {
    first_day: JsonRows,
    shops: JsonRows,
    /// Currencies by shop, the one with the most orders first.
    currencies: JsonRows,
    /// Decimals of each of these currencies by ISO 4217, which browsers do not follow for all of them.
    digits: BTreeMap<String, u32>,
    channels: Vec<String>,
    devices: Vec<String>,
    countries: Vec<String>,
    products: JsonRows,
}

impl Choices {
    /// Reads them.
    pub(super) async fn of(
        warehouse: &Arc<dyn Warehouse>,
        publication: &Publication,
    ) -> anyhow::Result<Self> {
        let read = async |table: &'static Table, columns: &[&'static str]| {
            let query = Query::all().columns(columns);
            let rows = warehouse.read(publication, table, &query).await?;
            anyhow::Ok(rows.lazy())
        };
        let columns = ["day", "shop_id", "currency", "orders", "sessions"];
        let daily = read(&daily_kpis::GOLD.table, &columns).await?;
        let columns = ["channel", "device", "country"];
        let landed = read(&landing_pages::GOLD.table, &columns).await?;
        let columns = ["day", "item_id", "item_name", "views"];
        let products = read(&product_performance::GOLD.table, &columns).await?;
        let currencies = by_most(daily.clone(), &["shop_id", "currency"], "orders");
        let landed = landed.collect()?;
        let currencies = currencies.collect()?;
        Ok(Self {
            first_day: json(daily.clone().select([col("day").min()]))?,
            shops: json(by_most(daily, &["shop_id"], "sessions"))?,
            digits: digits(&currencies)?,
            currencies: json(currencies.lazy())?,
            channels: values(&landed, "channel")?,
            devices: values(&landed, "device")?,
            countries: values(&landed, "country")?,
            products: json(popular(products))?,
        })
    }
}

/// The currency with the most orders of a shop, or of all.
pub(super) async fn main_currency(
    warehouse: &Arc<dyn Warehouse>,
    publication: &Publication,
    shop: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let query = Query::all().columns(&["shop_id", "currency", "orders"]);
    let daily = warehouse.read(publication, &daily_kpis::GOLD.table, &query);
    let daily = daily.await?.lazy();
    let daily = match shop {
        Some(shop) => daily.filter(col("shop_id").eq(lit(shop.to_owned()))),
        None => daily,
    };
    let most = by_most(daily, &["currency"], "orders").limit(1).collect()?;
    let currency = most.column("currency")?.str()?.iter().flatten().next();
    Ok(currency.map(str::to_owned))
}

/// Groups by columns, the one with the largest sum first.
fn by_most(rows: LazyFrame, by: &[&str], sum: &str) -> LazyFrame {
    let mut order = vec![sum];
    order.extend(by);
    let mut descending = vec![true];
    descending.resize(order.len(), false);
    let groups: Vec<Expr> = by.iter().copied().map(col).collect();
    rows.group_by(groups).agg([col(sum).sum()]).sort(
        order,
        SortMultipleOptions::default().with_order_descending_multi(descending),
    )
}

fn popular(products: LazyFrame) -> LazyFrame {
    let most = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    products
        .group_by([col("item_id")])
        .agg([product_name("day"), col("views").sum()])
        .sort(["views", "item_id"], most)
        .limit(MOST_PRODUCTS)
        .select([col("item_id"), col("item_name")])
}

/// The distinct values of a column, in order.
fn values(rows: &DataFrame, column: &str) -> anyhow::Result<Vec<String>> {
    let distinct = rows.column(column)?.str()?.unique()?;
    let mut values: Vec<String> = distinct.iter().flatten().map(str::to_owned).collect();
    values.sort_unstable();
    Ok(values)
}

fn digits(currencies: &DataFrame) -> anyhow::Result<BTreeMap<String, u32>> {
    let codes = currencies.column("currency")?.str()?;
    let of = |code: &str| Some((code.to_owned(), money::digits(code)?));
    Ok(codes.iter().flatten().filter_map(of).collect())
}
