//! What a shop sets: where its gold tables lie, who pays for queries, who sees which shop, and how the report reads them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::PowerbiArgs;
use super::name::lineage_tag;
use super::source::{self, SourceKind};

const EXPRESSIONS: &str = "expressions.tmdl";
/// The parameter that chooses among the sources.
const SOURCE: &str = "Source";
/// Any generated table: all have the same mode.
const A_TABLE: &str = "tables/Daily KPIs.tmdl";

/// How Power BI reads the gold tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StorageMode {
    /// A copy, made at every refresh
    Import,
    /// The source computes at every look
    Directquery,
}

/// A parameter under Transform data > Edit parameters.
struct Parameter {
    name: &'static str,
    /// Its value until one is given; where that is empty, none need be given.
    unset: &'static str,
    description: &'static str,
    /// The sources that need it; none where all do.
    of: &'static [SourceKind],
}

const PARAMETERS: [Parameter; 8] = [
    Parameter {
        name: "BillingProject",
        unset: "my-billing-project",
        description: "BigQuery: Google Cloud project that pays for the queries",
        of: &[SourceKind::Bigquery],
    },
    Parameter {
        name: "DataProject",
        unset: "my-project",
        description: "BigQuery: Google Cloud project that holds the gold tables",
        of: &[SourceKind::Bigquery],
    },
    Parameter {
        name: "GoldDataset",
        unset: "shoptrail",
        description: "BigQuery: dataset of the gold tables. Databricks: their schema",
        of: &[SourceKind::Bigquery, SourceKind::Databricks],
    },
    Parameter {
        name: "DatabricksHost",
        unset: "my-workspace.azuredatabricks.net",
        description: "Databricks: server hostname of the SQL warehouse",
        of: &[SourceKind::Databricks],
    },
    Parameter {
        name: "DatabricksPath",
        unset: "/sql/1.0/warehouses/my-warehouse",
        description: "Databricks: HTTP path of the SQL warehouse",
        of: &[SourceKind::Databricks],
    },
    Parameter {
        name: "DatabricksCatalog",
        unset: "main",
        description: "Databricks: catalog that holds the schema",
        of: &[SourceKind::Databricks],
    },
    Parameter {
        name: "LakeFolder",
        unset: r"C:\shoptrail\lake",
        description: "Lake: its folder, or its address in Azure storage, https://ACCOUNT.dfs.core.windows.net/CONTAINER/FOLDER",
        of: &[SourceKind::Lake],
    },
    Parameter {
        name: "ShopReaders",
        unset: "",
        description: "Who of the role Shop reader sees which shop: anna@example.com=north, ben@example.com=south",
        of: &[],
    },
];

/// Values of the model's parameters, its sources and its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelSettings {
    /// In the order of [`PARAMETERS`].
    values: [String; PARAMETERS.len()],
    /// The one that is read, then those a reader may choose instead.
    sources: Vec<SourceKind>,
    pub(super) mode: StorageMode,
}

impl StorageMode {
    /// The mode's name in TMDL.
    pub(super) fn tmdl(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Directquery => "directQuery",
        }
    }
}

impl ModelSettings {
    /// What the project in `folder` says now; what it does not say has a value that shows it must be set.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let expressions = read_optional(&folder.join(EXPRESSIONS))?;
        let table = read_optional(&folder.join(A_TABLE))?;
        let is_direct = table.lines().any(|line| line.trim() == "mode: directQuery");
        let chosen = value(&expressions, SOURCE).unwrap_or(SourceKind::Bigquery.name());
        let is_read = |source: &SourceKind| expressions.contains(&reader_name(*source));
        let mut sources = SourceKind::value_variants().to_vec();
        if sources.iter().any(is_read) {
            sources.retain(is_read);
        }
        sources.sort_by_key(|source| source.name() != chosen);
        Ok(Self {
            values: PARAMETERS.map(|parameter| {
                let written = value(&expressions, parameter.name);
                written.unwrap_or(parameter.unset).to_owned()
            }),
            sources,
            mode: if is_direct {
                StorageMode::Directquery
            } else {
                StorageMode::Import
            },
        })
    }

    /// The same with what the command line gives.
    ///
    /// # Errors
    /// Returns an error if the lake would be read by DirectQuery.
    pub(super) fn with(mut self, args: &PowerbiArgs) -> Result<Self> {
        for (value, parameter) in self.values.iter_mut().zip(&PARAMETERS) {
            let given = match parameter.name {
                "BillingProject" => &args.billing,
                "DataProject" => &args.project,
                "GoldDataset" => &args.gold,
                "LakeFolder" => &args.lake,
                _ => &None,
            };
            if let Some(given) = given {
                value.clone_from(given);
            }
        }
        if !args.source.is_empty() {
            self.sources.clone_from(&args.source);
        }
        self.mode = args.mode.unwrap_or(self.mode);
        if self.mode == StorageMode::Directquery && self.sources.contains(&SourceKind::Lake) {
            bail!("a lake can only be imported\nhint: --source bigquery or --source databricks");
        }
        Ok(self)
    }

    /// `expressions.tmdl`: the parameters, and the functions that read tables.
    pub(super) fn expressions(&self) -> String {
        let mut text = vec![self.source()];
        for (value, parameter) in self.values.iter().zip(&PARAMETERS) {
            let is_needed = |source| self.sources.contains(source);
            if parameter.of.is_empty() || parameter.of.iter().any(is_needed) {
                let is_required = !parameter.unset.is_empty();
                let meta = format!("Type=\"Text\", IsParameterQueryRequired={is_required}");
                text.push(variable(
                    parameter.name,
                    value,
                    parameter.description,
                    &meta,
                ));
            }
        }
        for source in &self.sources {
            let (description, query) = source.reader();
            text.push(function(
                &format!("From{}", source.name()),
                query,
                description,
            ));
        }
        let gold = source::gold(&self.sources, self.mode);
        text.push(function(
            "Gold",
            &gold,
            "Reads a gold table from the source that is chosen",
        ));
        text.join("\n")
    }

    fn source(&self) -> String {
        let chosen = self.sources.first().map_or("", |source| source.name());
        let names = self
            .sources
            .iter()
            .map(|source| format!("\"{}\"", source.name()));
        let list = names.collect::<Vec<_>>().join(", ");
        let meta = format!(
            "List={{{list}}}, DefaultValue=\"{chosen}\", Type=\"Text\", IsParameterQueryRequired=true"
        );
        variable(SOURCE, chosen, "Where the gold tables are read from", &meta)
    }
}

fn reader_name(source: SourceKind) -> String {
    format!("expression From{} =", source.name())
}

/// A parameter in TMDL.
fn variable(name: &str, value: &str, description: &str, meta: &str) -> String {
    let tag = lineage_tag(&format!("expression/{name}"));
    format!(
        "/// {description}\nexpression {name} = \"{value}\" meta [IsParameterQuery=true, {meta}]\n\tlineageTag: {tag}\n"
    )
}

/// A function in TMDL: its M stands two tabs in.
fn function(name: &str, query: &str, description: &str) -> String {
    let tag = lineage_tag(&format!("expression/{name}"));
    let lines: String = query.lines().map(|line| format!("\t\t{line}\n")).collect();
    format!("/// {description}\nexpression {name} =\n{lines}\tlineageTag: {tag}\n")
}

fn read_optional(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("cannot read `{}`", path.display())),
    }
}

fn value<'a>(expressions: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("expression {name} = \"");
    expressions
        .lines()
        .find_map(|line| line.strip_prefix(&start)?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_in(folder: &str) -> ModelSettings {
        ModelSettings::read(Path::new(folder)).unwrap()
    }

    #[test]
    fn values_stay_unless_given() {
        let folder = tempfile::tempdir().unwrap();
        let given = PowerbiArgs {
            gold: Some("gold_eu".to_owned()),
            source: vec![SourceKind::Databricks, SourceKind::Bigquery],
            mode: Some(StorageMode::Directquery),
            ..PowerbiArgs::default()
        };
        let first = ModelSettings::read(folder.path())
            .unwrap()
            .with(&given)
            .unwrap();
        let text = first.expressions();
        fs::write(folder.path().join(EXPRESSIONS), &text).unwrap();
        let second = ModelSettings::read(folder.path()).unwrap();
        assert_eq!(
            (&second.values, &second.sources),
            (&first.values, &first.sources)
        );
        assert!(
            text.contains("expression GoldDataset = \"gold_eu\""),
            "{text}"
        );
        assert!(
            text.contains("expression DataProject = \"my-project\""),
            "{text}"
        );
        assert!(!text.contains("LakeFolder"), "{text}");
    }

    #[test]
    fn all_sources_are_offered_at_first_and_bigquery_is_read() {
        let text = settings_in("no/such/folder").expressions();
        let source = "expression Source = \"BigQuery\" meta [IsParameterQuery=true, List={\"BigQuery\", \"Databricks\", \"Lake\"}, DefaultValue=\"BigQuery\"";
        assert!(text.contains(source), "{text}");
    }

    #[test]
    fn a_lake_is_not_read_by_direct_query() {
        let given = PowerbiArgs {
            mode: Some(StorageMode::Directquery),
            ..PowerbiArgs::default()
        };
        let error = settings_in("no/such/folder").with(&given).unwrap_err();
        assert!(error.to_string().contains("--source bigquery"), "{error}");
    }
}
