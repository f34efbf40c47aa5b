//! Who buys, who comes back, and what they are worth.

use polars::prelude::*;
use serde::Serialize;

use super::cohorts::cohorts;
use super::figures::{JsonRows, count, in_order, json, largest};
use super::selected::{SelectedRows, semi};
use crate::gold::customer_ltv;
use crate::money;
use crate::silver::orders;

/// Customers in the table of their page.
const MOST_CUSTOMERS: IdxSize = 100;
/// Orders of one customer.
const MOST_ORDERS: IdxSize = 200;

/// The page "Customers".
#[derive(Serialize)]
pub(super) struct CustomersPage {
    summary: JsonRows,
    groups: JsonRows,
    first_channels: JsonRows,
    new_and_returning: JsonRows,
    cohorts: JsonRows,
    customers: JsonRows,
    orders: Option<JsonRows>,
}

impl CustomersPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let customers = customers(rows).await?.collect()?.lazy();
        let by = |column: &str| {
            let groups = customers.clone().group_by([col(column)]);
            largest(groups.agg(worth()), "lifetime_value_minor", column, 50)
        };
        let orders = match &rows.question.customer {
            Some(customer) => Some(orders_of(rows, customer).await?),
            None => None,
        };
        Ok(Self {
            summary: json(customers.clone().select(worth()))?,
            groups: by("rfm_segment")?,
            first_channels: by("first_channel")?,
            new_and_returning: new_and_returning(rows).await?,
            cohorts: cohorts(rows).await?,
            customers: table(customers, MOST_CUSTOMERS)?,
            orders,
        })
    }
}

/// Customers by lifetime value.
pub(super) async fn most_valuable(rows: &SelectedRows, most: IdxSize) -> anyhow::Result<JsonRows> {
    table(customers(rows).await?, most)
}

/// Customers in the currency shown; under filters those who ordered in the period in a session that is left.
async fn customers(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let table = &customer_ltv::GOLD.table;
    let columns: Vec<_> = table.column_names().collect();
    let customers = rows.read(table, &columns, None).await?;
    let customers = customers.filter(col("currency").eq(lit(rows.currency.clone())));
    if !rows.question.is_filtered() {
        return Ok(customers);
    }
    let buyers = rows.orders(rows.days, &["customer_id"]).await?;
    Ok(semi(customers, buyers, &["shop_id", "customer_id"]))
}

fn table(customers: LazyFrame, most: IdxSize) -> anyhow::Result<JsonRows> {
    largest(customers, "lifetime_value_minor", "customer_id", most)
}

fn worth() -> [Expr; 5] {
    [
        len().cast(DataType::Int64).alias("customers"),
        count(col("orders").gt(lit(1))).alias("repeat_customers"),
        col("orders").sum(),
        money::total(col("lifetime_value_minor")),
        col("expected_value_12m_minor").sum(),
    ]
}

/// Orders by day, of new customers and of those who had ordered before.
async fn new_and_returning(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    let columns = ["day", "currency", "is_new_customer", "gross_minor"];
    let orders = rows.orders(rows.days, &columns).await?;
    let is_new = || col("is_new_customer");
    let value = |which: Expr| money::total(col("gross_minor").filter(which));
    let days = orders
        .filter(col("currency").eq(lit(rows.currency.clone())))
        .group_by([col("day")])
        .agg([
            count(is_new()).alias("new_orders"),
            count(is_new().not()).alias("returning_orders"),
            value(is_new()).alias("new_revenue_minor"),
            value(is_new().not()).alias("returning_revenue_minor"),
        ]);
    in_order(days, "day")
}

/// The orders of a customer, of all time, the newest first.
async fn orders_of(rows: &SelectedRows, customer: &str) -> anyhow::Result<JsonRows> {
    let columns = [
        "transaction_id",
        "ordered_at",
        "shop_id",
        "customer_id",
        "currency",
        "gross_minor",
        "refunds_minor",
        "net_minor",
        "quantity",
        "channel",
        "device",
    ];
    let customer = crate::warehouse::Filter::TextIn("customer_id", vec![customer.to_owned()]);
    let orders = rows
        .read_where(&orders::TABLE, &columns, None, Some(customer))
        .await?;
    largest(orders, "ordered_at", "transaction_id", MOST_ORDERS)
}
