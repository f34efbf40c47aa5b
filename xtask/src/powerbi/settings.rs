//! What a shop sets: where its gold tables lie, who pays for queries, and how the report reads them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::PowerbiArgs;
use super::name::lineage_tag;

const EXPRESSIONS: &str = "expressions.tmdl";
/// Any generated table: all have the same mode.
const A_TABLE: &str = "tables/Daily KPIs.tmdl";

/// How Power BI reads the gold tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StorageMode {
    /// A copy, made at every refresh
    Import,
    /// BigQuery computes at every look
    Directquery,
}

/// Values of the model's parameters, and its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelSettings {
    billing: String,
    project: String,
    dataset: String,
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
        Ok(Self {
            billing: value(&expressions, "BillingProject")
                .unwrap_or("my-billing-project")
                .to_owned(),
            project: value(&expressions, "DataProject")
                .unwrap_or("my-project")
                .to_owned(),
            dataset: value(&expressions, "GoldDataset")
                .unwrap_or("shoptrail")
                .to_owned(),
            mode: if is_direct {
                StorageMode::Directquery
            } else {
                StorageMode::Import
            },
        })
    }

    /// The same with what the command line gives.
    pub(super) fn with(self, args: &PowerbiArgs) -> Self {
        Self {
            billing: args.billing.clone().unwrap_or(self.billing),
            project: args.project.clone().unwrap_or(self.project),
            dataset: args.gold.clone().unwrap_or(self.dataset),
            mode: args.mode.unwrap_or(self.mode),
        }
    }

    /// `expressions.tmdl`: the parameters under Transform data > Edit parameters.
    pub(super) fn expressions(&self) -> String {
        let parameters = [
            (
                "BillingProject",
                &self.billing,
                "Google Cloud project that pays for the queries",
            ),
            (
                "DataProject",
                &self.project,
                "Google Cloud project that holds the gold tables",
            ),
            ("GoldDataset", &self.dataset, "Dataset of the gold tables"),
        ];
        let text = parameters.map(|(name, value, description)| {
            let tag = lineage_tag(&format!("expression/{name}"));
            format!(
                "/// {description}\nexpression {name} = \"{value}\" meta [IsParameterQuery=true, Type=\"Text\", \
                 IsParameterQueryRequired=true]\n\tlineageTag: {tag}\n"
            )
        });
        text.join("\n")
    }
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

    fn nothing_given() -> PowerbiArgs {
        PowerbiArgs {
            check: false,
            project: None,
            gold: None,
            billing: None,
            mode: None,
        }
    }

    #[test]
    fn values_stay_unless_given() {
        let folder =
            std::env::temp_dir().join(format!("shoptrail-powerbi-settings-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let given = PowerbiArgs {
            gold: Some("gold_eu".to_owned()),
            mode: Some(StorageMode::Directquery),
            ..nothing_given()
        };
        let first = ModelSettings::read(&folder).unwrap().with(&given);
        fs::write(folder.join(EXPRESSIONS), first.expressions()).unwrap();
        let second = ModelSettings::read(&folder).unwrap().with(&nothing_given());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            (first.dataset.as_str(), first.mode),
            ("gold_eu", StorageMode::Directquery)
        );
        assert_eq!(
            (second.dataset, second.project),
            ("gold_eu".to_owned(), "my-project".to_owned())
        );
    }
}
