//! Prints the gold tables' numbers: revenue, orders, sessions, conversion, funnel, products.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use iso_currency::Currency;
use serde_json::Value;

use super::gold::GoldPages;

const TOP_PRODUCTS: usize = 5;

/// Prints the numbers to stdout.
///
/// # Errors
/// Returns an error if a table cannot be read or holds an amount without a currency.
pub(super) fn print(gold: &GoldPages) -> Result<()> {
    println!();
    for line in revenue(&gold.rows("gold_daily_kpis")?)? {
        println!("  {line}");
    }
    let funnel = funnel(&gold.rows("gold_conversion_funnel")?);
    println!("\n  funnel");
    let all = funnel.first().map_or(0, |(_, sessions)| *sessions);
    for (step, sessions) in funnel {
        println!(
            "    {step:<16} {sessions:>6}  {:>5.1} %",
            100.0 * sessions as f64 / all.max(1) as f64
        );
    }
    println!("\n  products by revenue");
    for (name, revenue) in products(&gold.rows("gold_product_performance")?)? {
        println!("    {name:<32} {revenue:>14}");
    }
    println!();
    Ok(())
}

/// One line per currency: a total never adds two.
fn revenue(rows: &[Value]) -> Result<Vec<String>> {
    let mut money: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
    for row in rows {
        let Some(currency) = row["currency"].as_str() else {
            continue;
        };
        let sums = money.entry(currency).or_default();
        for (sum, column) in sums
            .iter_mut()
            .zip(["revenue_net_minor", "refunds_minor", "orders"])
        {
            *sum += row[column].as_i64().unwrap_or(0);
        }
    }
    let lines = money.into_iter().map(|(currency, [net, refunds, orders])| {
        let (net, refunds) = (amount(net, currency)?, amount(refunds, currency)?);
        Ok(format!(
            "revenue net {net} after {refunds} of refunds, {orders} orders"
        ))
    });
    lines.collect()
}

/// The steps in their order with the sessions that reached them.
fn funnel(rows: &[Value]) -> Vec<(String, u64)> {
    let mut steps: BTreeMap<u64, (String, u64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["kind"] == "step") {
        let name = row["step"].as_str().unwrap_or_default().to_owned();
        let entry = steps
            .entry(row["step_order"].as_u64().unwrap_or(0))
            .or_insert((name, 0));
        entry.1 += row["sessions"].as_u64().unwrap_or(0);
    }
    steps.into_values().collect()
}

fn products(rows: &[Value]) -> Result<Vec<(String, String)>> {
    let mut revenue: BTreeMap<(&str, &str), (i64, &str)> = BTreeMap::new();
    for row in rows {
        let (Some(id), Some(currency)) = (row["item_id"].as_str(), row["currency"].as_str()) else {
            continue;
        };
        let product = revenue.entry((id, currency)).or_default();
        product.0 += row["revenue_minor"].as_i64().unwrap_or(0);
        product.1 = row["item_name"].as_str().unwrap_or(id);
    }
    let mut ranked: Vec<_> = revenue
        .into_iter()
        .map(|((_, currency), (minor, name))| (minor, name, currency))
        .collect();
    ranked.sort_by(|a, b| b.cmp(a));
    let top = ranked.into_iter().take(TOP_PRODUCTS);
    top.map(|(minor, name, currency)| Ok((printable(name), amount(minor, currency)?)))
        .collect()
}

/// Minor units as a person writes them: `1999`, `EUR` is `19.99 EUR`.
fn amount(minor: i64, code: &str) -> Result<String> {
    let currency =
        Currency::from_code(code).with_context(|| format!("`{code}` is no ISO 4217 currency"))?;
    let digits = usize::from(currency.exponent().unwrap_or(0));
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if digits == 0 { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{fraction} {code}"))
}

/// An event's text without control characters: a terminal would obey them.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        assert_eq!(amount(1999, "EUR").expect("a currency"), "19.99 EUR");
        assert_eq!(amount(-5, "EUR").expect("a currency"), "-0.05 EUR");
        assert_eq!(amount(1999, "JPY").expect("a currency"), "1999 JPY");
        assert!(amount(1, "???").is_err());
    }

    #[test]
    fn two_currencies_are_never_added() {
        let rows = [
            json!({"currency": "EUR", "revenue_net_minor": 100, "refunds_minor": 0, "orders": 1}),
            json!({"currency": "USD", "revenue_net_minor": 200, "refunds_minor": 50, "orders": 2}),
            json!({"currency": "EUR", "revenue_net_minor": 1, "refunds_minor": 0, "orders": 1}),
        ];
        let lines = revenue(&rows).expect("known currencies");
        assert_eq!(
            lines,
            [
                "revenue net 1.01 EUR after 0.00 EUR of refunds, 2 orders",
                "revenue net 2.00 USD after 0.50 USD of refunds, 2 orders",
            ]
        );
    }

    #[test]
    fn steps_add_up_over_days_in_their_order() {
        let rows = [
            json!({"kind": "step", "step": "view_item", "step_order": 2, "sessions": 1}),
            json!({"kind": "step", "step": "sessions", "step_order": 1, "sessions": 3}),
            json!({"kind": "step", "step": "sessions", "step_order": 1, "sessions": 4}),
            json!({"kind": "event", "step": "view_item", "step_order": null, "sessions": 9}),
        ];
        assert_eq!(
            funnel(&rows),
            [("sessions".to_owned(), 7), ("view_item".to_owned(), 1)]
        );
    }

    #[test]
    fn product_names_cannot_steer_the_terminal() {
        assert_eq!(printable("\u{1b}[2Jlamp"), "[2Jlamp");
    }
}
