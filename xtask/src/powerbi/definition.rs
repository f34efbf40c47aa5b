//! The gold tables' definitions, as `shoptrail tables --format json` prints them.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::name;

const GOLD: &str = "gold_";

/// A table of the warehouse.
#[derive(Debug, Deserialize)]
pub(super) struct GoldTable {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) columns: Vec<GoldColumn>,
}

/// One of its columns.
#[derive(Debug, Deserialize)]
pub(super) struct GoldColumn {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: GoldKind,
    pub(super) description: String,
}

/// The BigQuery types that gold uses.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum GoldKind {
    String,
    Int64,
    Float64,
    Bool,
    Date,
    Timestamp,
}

impl GoldTable {
    /// Its name in the model: `gold_daily_kpis` is `Daily KPIs`.
    pub(super) fn title(&self) -> String {
        name::title(self.name.strip_prefix(GOLD).unwrap_or(&self.name))
    }
}

impl GoldKind {
    /// The type's name in TMDL.
    pub(super) fn tmdl(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int64 => "int64",
            Self::Float64 => "double",
            Self::Bool => "boolean",
            Self::Date | Self::Timestamp => "dateTime",
        }
    }

    /// How its values are shown; text and truth values need no format.
    pub(super) fn format(self) -> Option<&'static str> {
        match self {
            Self::String | Self::Bool => None,
            Self::Int64 => Some("#,##0"),
            Self::Float64 => Some("0.0##"),
            Self::Date => Some("d mmm yyyy"),
            Self::Timestamp => Some("d mmm yyyy hh:nn"),
        }
    }
}

/// The gold tables in the JSON of all tables.
pub(super) fn gold(json: &[u8]) -> Result<Vec<GoldTable>> {
    let tables: Vec<GoldTable> =
        serde_json::from_slice(json).context("`shoptrail tables` printed something unexpected")?;
    let gold: Vec<GoldTable> = tables
        .into_iter()
        .filter(|table| table.name.starts_with(GOLD))
        .collect();
    if gold.is_empty() {
        bail!("`shoptrail tables` lists no gold table");
    }
    Ok(gold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_layers_stay_out() {
        let json = br#"[{"name":"silver_items","description":"","columns":[]},
            {"name":"gold_device_trends","description":"d","key":["day"],"columns":[{"name":"day","type":"DATE","nullable":false,"description":"Day"}]}]"#;
        let tables = gold(json).unwrap();
        assert_eq!(tables.len(), 1);
        assert_eq!(
            (tables[0].title().as_str(), tables[0].columns[0].kind),
            ("Device Trends", GoldKind::Date)
        );
    }

    #[test]
    fn a_type_the_model_does_not_know_is_an_error() {
        let json =
            br#"[{"name":"gold_x","description":"","columns":[{"name":"a","type":"GEOGRAPHY","description":""}]}]"#;
        assert!(format!("{:#}", gold(json).unwrap_err()).contains("GEOGRAPHY"));
    }
}
