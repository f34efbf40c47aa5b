//! Rows as a table that a person can read: columns in line, numbers to the right, money in units of its currency.

use std::io::Write;

use polars::prelude::*;
use shoptrail_schemas::money;

use super::texts;

/// The end of a column that holds minor units.
const MINOR: &str = "_minor";
/// Longer texts are cut off: other formats have all of them.
const WIDEST_CELL: usize = 40;
/// A line that is longer is broken into one line a column, unless `COLUMNS` says how wide the terminal is.
const WIDEST_LINE: usize = 160;
const GAP: &str = "  ";
const NOTHING: &str = "-";

/// A column as it is printed.
struct PrintedColumn {
    name: String,
    cells: Vec<String>,
    is_number: bool,
}

impl PrintedColumn {
    fn width(&self) -> usize {
        let cells = self.cells.iter().chain([&self.name]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

/// Writes rows side by side, or where they are too wide each as a list.
///
/// # Errors
/// Returns an error if a column has no text form or `out` does not take it.
pub(super) fn write(rows: DataFrame, out: &mut impl Write) -> anyhow::Result<()> {
    let columns = printed(rows)?;
    let width: usize = columns
        .iter()
        .map(|column| column.width() + GAP.len())
        .sum();
    let widest = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .unwrap_or(WIDEST_LINE);
    match width > widest + GAP.len() {
        true => write_lists(&columns, out)?,
        false => write_lines(&columns, out)?,
    }
    Ok(())
}

fn write_lines(columns: &[PrintedColumn], out: &mut impl Write) -> std::io::Result<()> {
    let names: Vec<&String> = columns.iter().map(|column| &column.name).collect();
    write_line(columns, &names, out)?;
    for row in 0..height(columns) {
        let cells: Vec<&String> = columns
            .iter()
            .filter_map(|column| column.cells.get(row))
            .collect();
        write_line(columns, &cells, out)?;
    }
    Ok(())
}

fn write_line(
    columns: &[PrintedColumn],
    cells: &[&String],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let padded = columns.iter().zip(cells).map(|(column, cell)| {
        let width = column.width();
        match column.is_number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        }
    });
    let line = padded.collect::<Vec<_>>().join(GAP);
    writeln!(out, "{}", line.trim_end())
}

fn write_lists(columns: &[PrintedColumn], out: &mut impl Write) -> std::io::Result<()> {
    let names = columns.iter().map(|column| column.name.chars().count());
    let width = names.max().unwrap_or(0);
    for row in 0..height(columns) {
        if row > 0 {
            writeln!(out)?;
        }
        for column in columns {
            if let Some(cell) = column.cells.get(row) {
                writeln!(out, "{:<width$}{GAP}{cell}", column.name)?;
            }
        }
    }
    Ok(())
}

fn height(columns: &[PrintedColumn]) -> usize {
    columns.first().map_or(0, |column| column.cells.len())
}

fn printed(rows: DataFrame) -> PolarsResult<Vec<PrintedColumn>> {
    let currencies = match rows.column("currency") {
        Ok(currencies) => Some(currencies.str()?.clone()),
        Err(_) => None,
    };
    let numbers: Vec<bool> = rows
        .columns()
        .iter()
        .map(|column| column.dtype().is_primitive_numeric())
        .collect();
    let rows = texts(rows)?;
    let columns = rows.columns().iter().zip(numbers);
    columns
        .map(|(column, is_number)| match &currencies {
            Some(currencies) if column.name().ends_with(MINOR) => amounts(column, currencies),
            _ => plain(column, is_number),
        })
        .collect()
}

fn plain(column: &Column, is_number: bool) -> PolarsResult<PrintedColumn> {
    let cells = column.cast(&DataType::String)?;
    let cells = cells.str()?.iter();
    Ok(PrintedColumn {
        name: column.name().to_string(),
        cells: cells.map(|cell| cut(cell.unwrap_or(NOTHING))).collect(),
        is_number,
    })
}

/// Minor units as amounts: the name says so no longer.
fn amounts(column: &Column, currencies: &StringChunked) -> PolarsResult<PrintedColumn> {
    let amounts = column.cast(&DataType::Int64)?;
    let cells = amounts.i64()?.iter().zip(currencies.iter());
    Ok(PrintedColumn {
        name: column.name().trim_end_matches(MINOR).to_owned(),
        cells: cells
            .map(|(minor, currency)| amount(minor, currency).unwrap_or(NOTHING.to_owned()))
            .collect(),
        is_number: true,
    })
}

/// An amount with its currency: 1999 of EUR is `19.99 EUR`. Of a currency without a known number of decimals minor units.
fn amount(minor: Option<i64>, currency: Option<&str>) -> Option<String> {
    let (minor, currency) = (minor?, currency.unwrap_or_default());
    let Some(digits) = money::digits(currency) else {
        return Some(format!("{minor} minor units"));
    };
    let digits = usize::try_from(digits).ok()?;
    if digits == 0 {
        return Some(format!("{minor} {currency}"));
    }
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (units, decimals) = text.split_at_checked(text.len() - digits)?;
    Some(format!("{sign}{units}.{decimals} {currency}"))
}

/// Control characters of what strangers sent do nothing to a terminal.
fn cut(text: &str) -> String {
    let safe = |character: char| match character {
        '\t' | '\n' | '\r' => ' ',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    let mut cell: String = text.chars().take(WIDEST_CELL).map(safe).collect();
    if text.chars().nth(WIDEST_CELL).is_some() {
        cell.pop();
        cell.push('…');
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: DataFrame) -> String {
        let mut out = Vec::new();
        write(rows, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let shown = |minor, currency| amount(Some(minor), Some(currency)).unwrap();
        assert_eq!(shown(1999, "EUR"), "19.99 EUR");
        assert_eq!(shown(-5, "EUR"), "-0.05 EUR");
        assert_eq!(shown(1999, "JPY"), "1999 JPY");
        assert_eq!(shown(1999, "KWD"), "1.999 KWD");
        assert_eq!(shown(1999, "XXX"), "1999 minor units");
        assert_eq!(shown(i64::MIN, "EUR"), "-92233720368547758.08 EUR");
        assert_eq!(amount(None, Some("EUR")), None);
    }

    #[test]
    fn columns_stand_in_line_with_numbers_to_the_right() {
        let rows = df!(
            "shop_id" => ["demo", "other shop"],
            "currency" => ["EUR", "JPY"],
            "orders" => [2_i64, 10],
            "revenue_minor" => [Some(1999_i64), None],
        );
        let expected = "shop_id     currency  orders    revenue\n\
                        demo        EUR            2  19.99 EUR\n\
                        other shop  JPY           10          -\n";
        assert_eq!(lines(rows.unwrap()), expected);
    }

    #[test]
    fn row_too_wide_for_a_line_is_a_list() {
        let names = (0..40).map(|number| format!("column_{number}"));
        let columns = names.map(|name| Column::new(name.into(), ["a text", "another"]));
        let shown = lines(DataFrame::new(2, columns.collect()).unwrap());
        assert_eq!(shown.lines().count(), 81);
        assert!(shown.starts_with("column_0   a text\n"), "{shown}");
    }

    #[test]
    fn what_strangers_sent_is_cut_and_harmless() {
        assert_eq!(cut("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb c");
        assert_eq!(cut(&"x".repeat(50)).chars().count(), WIDEST_CELL);
    }
}
