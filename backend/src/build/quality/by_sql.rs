//! The same checks as SQL, over tables that a warehouse has made itself: numbers come back, and no row. Findings have no
//! samples.

use std::collections::BTreeMap;

use super::references::{REFERENCES, Reference};
use super::totals::{TOTALS, Teller, Total};
use super::{Found, Outcome, ROWS, Severity, TOTAL};
use crate::gold::product_performance;
use crate::silver::sessions;
use crate::sql::with_inputs;
use crate::table::Table;
use crate::warehouse::{Inputs, SqlEngine};

/// Sessions whose revenue is not that of their orders.
const SESSIONS: &str = "
    SELECT COUNT(*)
    FROM silver_sessions
    LEFT JOIN (
      SELECT shop_id, session_key, currency, SUM(CAST(gross_minor AS NUMERIC)) AS paid
      FROM silver_orders
      GROUP BY shop_id, session_key, currency
    ) USING (shop_id, session_key, currency)
    WHERE LEAST(IFNULL(paid, 0), 9223372036854775807) <> revenue_minor";

/// Days and shops at which products' revenue is not that of the lines of the orders.
const PRODUCTS: &str = "
    SELECT COUNT(*)
    FROM (
      SELECT day, shop_id, currency, SUM(CAST(amount_minor AS NUMERIC)) AS sold
      FROM silver_items
      WHERE NOT is_bot AND EXISTS (
        SELECT 1
        FROM silver_orders AS paid
        WHERE paid.shop_id = silver_items.shop_id AND paid.purchase_event_id = silver_items.event_id
      )
      GROUP BY day, shop_id, currency
    )
    FULL JOIN (
      SELECT day, shop_id, currency, SUM(CAST(revenue_minor AS NUMERIC)) AS listed
      FROM gold_product_performance
      GROUP BY day, shop_id, currency
    ) USING (day, shop_id, currency)
    WHERE LEAST(GREATEST(IFNULL(sold, 0), -9223372036854775807), 9223372036854775807)
      <> LEAST(GREATEST(IFNULL(listed, 0), -9223372036854775807), 9223372036854775807)";

/// Looks at tables that stand in `inputs`: what the checks found, and how many rows each table has.
///
/// # Errors
/// Returns an error if the warehouse fails; a broken promise is an outcome.
pub(in crate::build) async fn check(
    engine: &dyn SqlEngine,
    inputs: &Inputs,
    tables: &[&'static Table],
) -> anyhow::Result<(Vec<Outcome>, BTreeMap<&'static str, usize>)> {
    let mut outcomes = Vec::new();
    let mut heights = BTreeMap::new();
    for table in tables {
        let numbers = ask(engine, inputs, table.name, &rows_of(table)).await?;
        let [height, missing, repeated, strange] = numbers.as_slice() else {
            anyhow::bail!("the checks of `{}` gave {numbers:?}", table.name);
        };
        heights.insert(table.name, *height);
        let accepts = |column: &crate::table::Column| !column.accepts.is_empty();
        outcomes.push(outcome("not null", table, ROWS, *missing));
        outcomes.push(outcome("unique", table, ROWS, *repeated));
        if table.columns.iter().any(accepts) {
            outcomes.push(outcome("accepted values", table, ROWS, *strange));
        }
    }
    for reference in &REFERENCES {
        let failing = one(engine, inputs, "references", &astray(reference)).await?;
        outcomes.push(outcome(&reference.name(), reference.from, ROWS, failing));
    }
    let sold = &product_performance::GOLD.table;
    for (name, table, select) in [
        ("total session revenue", &sessions::TABLE, SESSIONS),
        ("total product revenue", sold, PRODUCTS),
    ] {
        let failing = one(engine, inputs, name, select).await?;
        outcomes.push(outcome(name, table, TOTAL, failing));
    }
    for total in &TOTALS {
        for teller in total.tellers {
            let failing = one(engine, inputs, total.name, &differences(total, teller)).await?;
            outcomes.push(outcome(total.name, teller.table, TOTAL, failing));
        }
    }
    Ok((outcomes, heights))
}

async fn ask(
    engine: &dyn SqlEngine,
    inputs: &Inputs,
    what: &str,
    select: &str,
) -> anyhow::Result<Vec<usize>> {
    let what = format!("checking `{what}`");
    Ok(engine.numbers(&what, &with_inputs(select, inputs)).await?)
}

async fn one(
    engine: &dyn SqlEngine,
    inputs: &Inputs,
    what: &str,
    select: &str,
) -> anyhow::Result<usize> {
    Ok(ask(engine, inputs, what, select).await?.into_iter().sum())
}

fn outcome(check: &str, table: &'static Table, severity: Severity, failing: usize) -> Outcome {
    Outcome {
        check: check.to_owned(),
        table: table.name,
        severity,
        found: Found {
            failing,
            samples: String::new(),
        },
    }
}

/// Rows; rows without a value that every row has; keys of several rows; rows with a value that is none of the column's.
fn rows_of(table: &Table) -> String {
    let any = |conditions: Vec<String>| match conditions.is_empty() {
        true => "FALSE".to_owned(),
        false => conditions.join(" OR "),
    };
    let full = table.columns.iter().filter(|column| !column.nullable);
    let missing = any(full
        .map(|column| format!("{} IS NULL", column.name))
        .collect());
    let listed = table
        .columns
        .iter()
        .filter(|column| !column.accepts.is_empty());
    let strange = any(listed
        .map(|column| format!("{} NOT IN ('{}')", column.name, column.accepts.join("', '")))
        .collect());
    let (name, key) = (table.name, table.key.join(", "));
    format!(
        "SELECT COUNT(*), COUNTIF({missing}), \
         (SELECT COUNT(*) FROM (SELECT 1 FROM {name} GROUP BY {key} HAVING COUNT(*) > 1)), \
         COUNTIF({strange}) FROM {name}"
    )
}

/// Rows that refer to nothing.
fn astray(reference: &Reference) -> String {
    let Reference {
        from,
        column,
        to,
        key,
        of_people,
        ..
    } = reference;
    let who = if *of_people {
        "NOT held.is_bot AND "
    } else {
        ""
    };
    format!(
        "SELECT COUNT(*) FROM {} AS held WHERE {who}held.{column} IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM {} AS there WHERE there.shop_id = held.shop_id AND there.{key} = held.{column})",
        from.name, to.name
    )
}

/// Days at which a table tells another figure than the one it follows from.
fn differences(total: &Total, teller: &Teller) -> String {
    let by = total.by.join(", ");
    let sums = |teller: &Teller| {
        format!(
            "SELECT {by}, SUM(CAST({} AS NUMERIC)) AS told FROM {} WHERE {} GROUP BY {by}",
            teller.figure.sql(),
            teller.table.name,
            teller.rows.sql()
        )
    };
    let most = |told: &str| {
        format!("LEAST(GREATEST(IFNULL({told}, 0), -9223372036854775807), 9223372036854775807)")
    };
    format!(
        "SELECT COUNT(*) FROM (SELECT {by}, told AS source FROM ({})) FULL JOIN ({}) USING ({by}) WHERE {} <> {}",
        sums(&total.source),
        sums(teller),
        most("source"),
        most("told")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silver::events;

    #[test]
    fn rows_are_checked_by_what_their_table_promises() {
        let sql = rows_of(&events::TABLE);
        assert!(
            sql.contains("event_id IS NULL OR event_type IS NULL"),
            "{sql}"
        );
        assert!(sql.contains("GROUP BY shop_id, event_id HAVING"), "{sql}");
        assert!(sql.ends_with("FROM silver_events"), "{sql}");
    }

    #[test]
    fn totals_are_compared_by_day() {
        let [revenue, ..] = &TOTALS;
        let sql = differences(revenue, &revenue.tellers[0]);
        assert!(
            sql.contains("FROM silver_orders WHERE purchase_event_id IS NOT NULL GROUP BY day, shop_id, currency"),
            "{sql}"
        );
        assert!(
            sql.contains("SUM(CAST(revenue_gross_minor AS NUMERIC))"),
            "{sql}"
        );
    }
}
