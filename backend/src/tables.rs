//! `shoptrail tables`: the map of all tables, for people and for generators.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::ValueEnum;

use crate::table::{Layer, Table};
use crate::{gold, silver};

/// How the tables are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For a terminal.
    Text,
    /// An array of objects; the Power BI model is generated from it.
    Json,
    /// `docs/tables.md`.
    Markdown,
}

/// Writes tables in the order given.
///
/// # Errors
/// Returns an error if `out` does not take it.
pub fn write(
    tables: &[&'static Table],
    format: ListFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        ListFormat::Text => tables.iter().try_for_each(|table| write_text(table, out)),
        ListFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(tables)?),
        ListFormat::Markdown => {
            writeln!(out, "# Tables\n")?;
            writeln!(
                out,
                "Made by `shoptrail tables --format markdown > docs/tables.md`; do not edit.\n"
            )?;
            writeln!(
                out,
                "Times are UTC. Days are days of the reporting time zone, of a shop that has one of its own of that. Money is in minor units of the row's currency."
            )?;
            tables
                .iter()
                .try_for_each(|table| write_markdown(table, out))
        }
    }
}

/// Writes which tables each is made from: in Markdown as a flow chart of Mermaid.
///
/// # Errors
/// Returns an error if `out` does not take it.
pub fn write_lineage(
    tables: &[&'static Table],
    format: ListFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    let edges = tables
        .iter()
        .map(|table| (table.name, names(made_from(table))));
    let edges: BTreeMap<_, _> = edges.filter(|(_, from)| !from.is_empty()).collect();
    if format == ListFormat::Json {
        return writeln!(out, "{}", serde_json::to_string_pretty(&edges)?);
    }
    if format == ListFormat::Markdown {
        writeln!(out, "```mermaid\nflowchart LR")?;
    }
    for (table, from) in edges {
        match format {
            ListFormat::Markdown => {
                for input in from {
                    writeln!(out, "    {input} --> {table}")?;
                }
            }
            _ => writeln!(out, "{table} <- {}", from.join(", "))?,
        }
    }
    if format == ListFormat::Markdown {
        writeln!(out, "```")?;
    }
    Ok(())
}

/// The tables that a table is made from; none of those that others write, or that tell of a run.
pub(crate) fn made_from(table: &Table) -> Vec<&'static Table> {
    let gold = gold::TABLES
        .iter()
        .find(|gold| gold.table.name == table.name);
    match (table.layer, gold) {
        (Layer::Silver, _) => silver::made_from(table),
        (_, Some(gold)) => gold.reads.iter().map(|input| input.table).collect(),
        _ => Vec::new(),
    }
}

fn names(tables: Vec<&'static Table>) -> Vec<&'static str> {
    tables.into_iter().map(|table| table.name).collect()
}

fn write_text(table: &Table, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}\n  {}", table.name, table.description)?;
    for column in table.columns {
        writeln!(
            out,
            "    {} {}{}: {}",
            column.name,
            column.kind.sql(),
            presence(column.nullable),
            column.description
        )?;
    }
    Ok(())
}

fn write_markdown(table: &Table, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n## {}\n\n{}.\n", table.name, table.description)?;
    let partition = table
        .partition
        .map_or("not partitioned".to_owned(), |column| {
            format!("partitioned by `{column}`")
        });
    writeln!(out, "Key: `{}`; {partition}.\n", table.key.join("`, `"))?;
    writeln!(out, "| column | type | meaning |\n|---|---|---|")?;
    for column in table.columns {
        let meaning = column.description.replace('|', "\\|");
        writeln!(
            out,
            "| `{}` | {}{} | {meaning} |",
            column.name,
            column.kind.sql(),
            presence(column.nullable)
        )?;
    }
    Ok(())
}

fn presence(nullable: bool) -> &'static str {
    if nullable { "" } else { " NOT NULL" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build;

    #[test]
    fn documentation_of_the_tables_is_fresh() {
        let mut made = Vec::new();
        write(&build::tables(), ListFormat::Markdown, &mut made).unwrap();
        let kept = include_str!("../../docs/tables.md");
        assert!(
            kept == String::from_utf8(made).unwrap(),
            "docs/tables.md is stale\nhint: shoptrail tables --format markdown > docs/tables.md"
        );
    }

    #[test]
    fn every_built_table_is_made_from_tables_and_never_from_itself() {
        let known: Vec<_> = build::tables().iter().map(|table| table.name).collect();
        for table in build::built_tables() {
            let from = names(made_from(table));
            assert!(!from.is_empty(), "{}", table.name);
            assert!(from.iter().all(|input| known.contains(input)), "{from:?}");
            assert!(!from.contains(&table.name));
        }
    }

    #[test]
    fn lineage_is_a_line_for_each_table_and_an_arrow_for_each_input() {
        let written = |format| {
            let mut out = Vec::new();
            write_lineage(&build::tables(), format, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = written(ListFormat::Text);
        assert!(text.contains("silver_sessions <- silver_events, silver_orders\n"));
        let chart = written(ListFormat::Markdown);
        assert!(chart.contains("    bronze_events --> silver_events\n"));
    }

    #[test]
    fn every_table_has_its_key_and_partition_among_its_columns() {
        for table in build::tables() {
            let has = |name: &str| table.columns.iter().any(|column| column.name == name);
            assert!(table.key.iter().all(|name| has(name)), "{}", table.name);
            assert!(table.partition.is_none_or(has), "{}", table.name);
        }
    }
}
