//! Where rows of a person are: in every table, by the columns that hold ids and by the texts that may.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use polars::prelude::*;

use super::ids;
use crate::bronze;
use crate::build;
use crate::silver::quarantine;
use crate::table::Table;
use crate::warehouse::{Filter, Person, Publication, Query, Warehouse};

/// The tables with rows of a person, and how many; `sink` is the table that Confluent's sink writes.
///
/// # Errors
/// Returns an error if the warehouse cannot be read.
pub(super) async fn everywhere(
    warehouse: &dyn Warehouse,
    person: &Person,
) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for table in build::tables() {
        let rows = rows(warehouse, table, person).await?.height();
        if rows > 0 {
            found.insert(table.name.to_owned(), rows);
        }
    }
    let in_sink = warehouse.sink_rows(person, false).await?;
    if in_sink > 0 {
        found.insert("sink".to_owned(), in_sink);
    }
    Ok(found)
}

/// The addresses of the rows of a table that tell of a person.
///
/// # Errors
/// Returns an error if the warehouse cannot be read.
pub(super) async fn rows(
    warehouse: &dyn Warehouse,
    table: &'static Table,
    person: &Person,
) -> anyhow::Result<DataFrame> {
    let published = warehouse.publication().await?;
    let both: Vec<String> = person
        .visitors
        .iter()
        .chain(&person.users)
        .cloned()
        .collect();
    let columns = [
        ("anonymous_id", &person.visitors),
        ("user_id", &person.users),
        ("customer_id", &both),
    ];
    let mut found = vec![in_texts(warehouse, &published, table, person).await?];
    for (column, values) in columns {
        if has(table, column) && !values.is_empty() {
            let filter = Filter::TextIn(column, values.clone());
            let rows = read(warehouse, &published, table, &[], filter).await?;
            found.push(of_shop(rows, person)?);
        }
    }
    let address: Vec<Expr> = table.address().into_iter().map(col).collect();
    let found = found
        .into_iter()
        .map(|rows| rows.lazy().select(address.clone()));
    let found = concat(found.collect::<Vec<_>>(), UnionArgs::default())?;
    Ok(found.unique(None, UniqueKeepStrategy::Any).collect()?)
}

fn has(table: &Table, column: &str) -> bool {
    table.column_names().any(|name| name == column)
}

/// Rows by a filter: their address, their shop where they have one, and more columns.
async fn read(
    warehouse: &dyn Warehouse,
    published: &Publication,
    table: &'static Table,
    more: &[&'static str],
    filter: Filter,
) -> anyhow::Result<DataFrame> {
    let mut columns = table.address();
    columns.extend(more);
    if has(table, "shop_id") && !columns.contains(&"shop_id") {
        columns.push("shop_id");
    }
    let query = Query::all().columns(&columns).filter(filter);
    Ok(warehouse.read(published, table, &query).await?)
}

fn of_shop(rows: DataFrame, person: &Person) -> PolarsResult<DataFrame> {
    match &person.shop {
        Some(shop) if rows.column("shop_id").is_ok() => {
            let is_theirs = col("shop_id").eq(lit(shop.clone()));
            rows.lazy().filter(is_theirs).collect()
        }
        _ => Ok(rows),
    }
}

/// Rows whose texts tell of a person.
async fn in_texts(
    warehouse: &dyn Warehouse,
    published: &Publication,
    table: &'static Table,
    person: &Person,
) -> anyhow::Result<DataFrame> {
    // Of records that landing understood the columns tell.
    let (text, filter) = match table.name {
        name if name == bronze::EVENTS.name => ("record", Some(Filter::Missing("event_id"))),
        name if name == bronze::QUARANTINE.name => ("value_base64", None),
        name if name == quarantine::TABLE.name => ("record", None),
        name if name == build::CHECKS.name => ("samples", None),
        _ => return Ok(table.empty()),
    };
    let rows = match filter {
        Some(filter) => read(warehouse, published, table, &[text], filter).await?,
        None => warehouse.read(published, table, &Query::all()).await?,
    };
    let is_encoded = table.name == bronze::QUARANTINE.name;
    let texts = rows.column(text)?.str()?;
    let is_theirs: BooleanChunked = texts
        .iter()
        .map(|text| text.is_some_and(|text| told(text, is_encoded, person)))
        .map(Some)
        .collect();
    Ok(rows.filter(&is_theirs)?)
}

fn told(text: &str, is_encoded: bool, person: &Person) -> bool {
    if !is_encoded {
        return ids::tells(text, person);
    }
    let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
    ids::tells(&String::from_utf8_lossy(&bytes), person)
}
