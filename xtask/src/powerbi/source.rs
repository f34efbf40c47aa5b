//! Where Power BI reads the gold tables: the M functions of `expressions.tmdl`, by which a table's partition is one line.

use clap::ValueEnum;

use super::settings::StorageMode;

/// A kind of place that gold tables lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceKind {
    /// A dataset in BigQuery
    Bigquery,
    /// A schema that a SQL warehouse of Databricks reads
    Databricks,
    /// A lake on disk or in Azure storage
    Lake,
}

impl SourceKind {
    /// Its name in M: a value of the parameter `Source`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bigquery => "BigQuery",
            Self::Databricks => "Databricks",
            Self::Lake => "Lake",
        }
    }

    /// What its function does, and the function: a table's rows by the table's name.
    pub(super) fn reader(self) -> (&'static str, &'static str) {
        match self {
            Self::Bigquery => (
                "Reads a table from BigQuery; call and navigation stand in one query, because separate ones run into its quota of project lists",
                include_str!("source/bigquery.pq"),
            ),
            Self::Databricks => (
                "Reads a table from Databricks, in its newest version",
                include_str!("source/databricks.pq"),
            ),
            Self::Lake => (
                "Reads a table of a lake in the version that is published, so that all tables are of one build",
                include_str!("source/lake.pq"),
            ),
        }
    }
}

/// The function by which every table is read: from where the parameter `Source` says. Times with a zone become times in UTC,
/// so that all sources give the same types; DirectQuery cannot do that, and reads from one source.
pub(super) fn gold(sources: &[SourceKind], mode: StorageMode) -> String {
    let choices = sources.iter().map(|source| {
        let name = source.name();
        format!("            if Source = \"{name}\" then From{name}(name) else\n")
    });
    let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
    let rows = format!(
        "        Rows =\n{}                error \"Source is none of: {}\"",
        choices.collect::<String>(),
        names.join(", ")
    );
    let (steps, result) = match mode {
        StorageMode::Directquery => ("", "Rows"),
        StorageMode::Import => (
            ",
        Zoned = Table.ColumnsOfType(Rows, {type datetimezone, type nullable datetimezone}),
        InUtc = each DateTimeZone.RemoveZone(DateTimeZone.ToUtc(_)),
        Plain = Table.TransformColumns(Rows, List.Transform(Zoned, each {_, InUtc, type nullable datetime}))",
            "Plain",
        ),
    };
    format!("(name as text) as table =>\n    let\n{rows}{steps}\n    in\n        {result}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_not_chosen_is_not_named() {
        let text = gold(&[SourceKind::Lake], StorageMode::Import);
        assert!(text.contains("if Source = \"Lake\" then FromLake(name) else"));
        assert!(!text.contains("BigQuery") && !text.contains("Databricks"));
    }

    #[test]
    fn only_imported_times_are_converted() {
        let all = SourceKind::value_variants();
        assert!(gold(all, StorageMode::Import).contains("DateTimeZone.ToUtc"));
        assert!(!gold(all, StorageMode::Directquery).contains("DateTimeZone"));
    }
}
