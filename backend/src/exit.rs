//! Exit codes: what a scheduler can decide on without reading a message.

use shoptrail_edge::config::ConfigError;

use crate::build::{Broken, RefreshError};
use crate::warehouse::WarehouseError;
use crate::warehouse::bigquery::Class;

/// Any failure that has no code of its own.
const OTHER: u8 = 1;
/// A setting cannot be used; a wrong command line exits with the same.
const SETTING: u8 = 2;
/// A check before publishing failed.
const BROKEN: u8 = 19;

/// The exit code of a failed command; `docs/deploy-bigquery.md` lists them.
pub fn code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<Broken>().is_some() {
        return BROKEN;
    }
    if error.downcast_ref::<ConfigError>().is_some() {
        return SETTING;
    }
    if let Some(error) = error.downcast_ref::<RefreshError>() {
        return match error {
            RefreshError::UnknownTable { .. } | RefreshError::Backwards { .. } => SETTING,
            RefreshError::NothingPublished => OTHER,
        };
    }
    let warehouse = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<WarehouseError>());
    warehouse.map_or(OTHER, of_warehouse)
}

fn of_warehouse(error: &WarehouseError) -> u8 {
    match error {
        WarehouseError::NoLake { .. } | WarehouseError::NoPlace { .. } => 11,
        WarehouseError::Altered { .. } => 14,
        WarehouseError::Behind { .. } => 17,
        WarehouseError::BigQuery(error) => of_class(error.class),
        _ => OTHER,
    }
}

fn of_class(class: Class) -> u8 {
    match class {
        Class::Credentials => 10,
        Class::NotFound => 11,
        Class::Denied => 12,
        Class::Quota => 13,
        Class::Failed | Class::Exists => 15,
        Class::Away => 16,
        Class::TooCostly => 18,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Refresh;
    use crate::warehouse::bigquery::BigQueryError;

    #[test]
    fn every_code_is_explained_and_survives_context() {
        let guide = include_str!("../../docs/deploy-bigquery.md");
        let classes = [
            (Class::Credentials, 10),
            (Class::NotFound, 11),
            (Class::Denied, 12),
            (Class::Quota, 13),
            (Class::Failed, 15),
            (Class::Away, 16),
            (Class::TooCostly, 18),
        ];
        for (class, expected) in classes {
            let error = BigQueryError::new(class, "a call", "a message");
            let error = anyhow::Error::new(WarehouseError::from(error)).context("building");
            assert_eq!(code(&error), expected);
            assert!(guide.contains(&format!("\n| {expected} | ")), "{expected}");
        }
        let behind = WarehouseError::Behind {
            writer: "build",
            what: "a table".to_owned(),
        };
        assert_eq!(code(&behind.into()), 17);
        let no_lake = WarehouseError::NoLake {
            folder: "data/lake".to_owned(),
        };
        assert_eq!(code(&no_lake.into()), 11);
        let broken = Broken {
            check: "unique".to_owned(),
            table: "silver_orders",
            rows: 1,
            more: String::new(),
        };
        assert_eq!(code(&broken.into()), 19);
        assert!(guide.contains("\n| 19 | "));
        let setting = ConfigError::new("SHOPTRAIL_RULES", "has a fault");
        assert_eq!(code(&setting.into()), 2);
        let unknown = Refresh::of(&["orders".to_owned()], None, None).unwrap_err();
        assert_eq!(code(&unknown.into()), 2);
        assert_eq!(code(&RefreshError::NothingPublished.into()), 1);
        assert_eq!(code(&anyhow::anyhow!("anything")), 1);
    }
}
