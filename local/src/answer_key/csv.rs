//! One file of the truth: a table's columns in a header, then its rows, as `shoptrail show --format csv` prints them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::calendar::{Day, write_time};

/// A file that rows are written to.
pub struct Csv {
    file: BufWriter<File>,
    row: String,
    /// The day last written, and its text: most rows are of the day of those before.
    today: (Day, String),
    /// How many rows it has.
    pub rows: u64,
}

impl Csv {
    /// Begins the file of a table, with the names of its columns.
    pub fn create(folder: &Path, table: &str, columns: &str) -> Result<Self> {
        let path = folder.join(format!("{table}.csv"));
        let file = File::create_new(&path)
            .with_context(|| format!("cannot create `{}`", path.display()))?;
        let mut file = BufWriter::with_capacity(1 << 16, file);
        writeln!(file, "{columns}")?;
        Ok(Self {
            file,
            row: String::with_capacity(1_024),
            today: (Day(i64::MIN), String::new()),
            rows: 0,
        })
    }

    /// Appends a text. None of the world has a comma, a quotation mark or a line break.
    pub fn text(&mut self, value: &str) -> &mut Self {
        debug_assert!(!value.contains([',', '"', '\n']), "{value}");
        self.row.push_str(value);
        self.row.push(',');
        self
    }

    /// Appends a text or nothing.
    pub fn maybe(&mut self, value: Option<&str>) -> &mut Self {
        self.text(value.unwrap_or_default())
    }

    /// Appends a number.
    pub fn number(&mut self, value: i64) -> &mut Self {
        // Room for the longest, so that a number needs no text of its own.
        let mut digits = [0_u8; 20];
        let mut place = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            place -= 1;
            digits[place] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.row.push('-');
        }
        // Digits are ASCII.
        let shown = std::str::from_utf8(&digits[place..]);
        self.row.push_str(shown.unwrap_or_default());
        self.row.push(',');
        self
    }

    /// Appends numbers.
    pub fn numbers<const N: usize>(&mut self, values: [i64; N]) -> &mut Self {
        for value in values {
            self.number(value);
        }
        self
    }

    /// Appends a number or nothing.
    pub fn maybe_number(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.number(value),
            None => self.text(""),
        }
    }

    /// Appends a number with decimals.
    pub fn float(&mut self, value: f64) -> &mut Self {
        self.text(&format!("{value:?}"))
    }

    /// Appends thousandths as a number with decimals.
    pub fn thousandths(&mut self, value: i64) -> &mut Self {
        self.float(value as f64 / 1_000.0)
    }

    /// Appends `part / whole`, or 0 where there is no whole.
    pub fn ratio(&mut self, part: i64, whole: i64) -> &mut Self {
        self.float(match whole {
            0 => 0.0,
            _ => part as f64 / whole as f64,
        })
    }

    /// Appends `part / whole` in whole units, halves away from zero, or 0 where there is no whole.
    pub fn average(&mut self, part: i64, whole: i64) -> &mut Self {
        self.number(match whole {
            0 => 0,
            _ => part.signum() * ((2 * part.abs() + whole) / (2 * whole)),
        })
    }

    /// Appends whether something is so.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.text(if value { "true" } else { "false" })
    }

    /// Appends a day.
    pub fn day(&mut self, day: Day) -> &mut Self {
        self.push_day(day);
        self.row.push(',');
        self
    }

    /// Appends an instant.
    pub fn instant(&mut self, ms: i64) -> &mut Self {
        self.push_day(Day::of(ms));
        write_time(ms, &mut self.row);
        self.row.push(',');
        self
    }

    /// Appends an instant or nothing.
    pub fn maybe_instant(&mut self, ms: Option<i64>) -> &mut Self {
        match ms {
            Some(ms) => self.instant(ms),
            None => self.text(""),
        }
    }

    fn push_day(&mut self, day: Day) {
        let (written, text) = &mut self.today;
        if *written != day {
            *written = day;
            text.clear();
            day.write(text);
        }
        self.row.push_str(text);
    }

    /// Ends the row.
    pub fn end(&mut self) -> Result<()> {
        self.row.pop();
        self.row.push('\n');
        self.file.write_all(self.row.as_bytes())?;
        self.row.clear();
        self.rows += 1;
        Ok(())
    }

    /// Ends the file; returns how many rows it has.
    pub fn finish(mut self) -> Result<u64> {
        self.file.flush()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_is_written_as_tables_are_shown() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut csv = Csv::create(folder.path(), "table", "a,b,c,d,e,f,g,h,i")?;
        csv.text("x").maybe(None).number(-20).number(i64::MIN);
        csv.thousandths(1_850).ratio(1, 0).average(-7, 2);
        csv.flag(true).instant(0).end()?;
        assert_eq!(csv.finish()?, 1);
        let text = std::fs::read_to_string(folder.path().join("table.csv"))?;
        let row = "x,,-20,-9223372036854775808,1.85,0.0,-4,true,1970-01-01T00:00:00.000Z\n";
        assert_eq!(text, format!("a,b,c,d,e,f,g,h,i\n{row}"));
        Ok(())
    }
}
