//! `shoptrail tables`: the map of all tables, for people and for generators.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::table::Table;

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
                "Times are UTC. Days are days of the reporting time zone. Money is in minor units of the row's currency."
            )?;
            tables
                .iter()
                .try_for_each(|table| write_markdown(table, out))
        }
    }
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
    fn every_table_has_its_key_and_partition_among_its_columns() {
        for table in build::tables() {
            let has = |name: &str| table.columns.iter().any(|column| column.name == name);
            assert!(table.key.iter().all(|name| has(name)), "{}", table.name);
            assert!(table.partition.is_none_or(has), "{}", table.name);
        }
    }
}
