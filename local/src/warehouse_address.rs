//! The address of a warehouse, as `--warehouse` takes it: `lake:DIR` or `bigquery://PROJECT/DATASET`.
//!
//! It stands in this crate because the backend's command, the local stack and `cargo xtask demo` all read it, and only this
//! crate is light enough for the last.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// BigQuery's own limit.
const LONGEST_NAME: usize = 1_024;

/// Where the tables are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarehouseAddress {
    /// Delta tables in a folder.
    Lake(PathBuf),
    /// Tables of a dataset.
    BigQuery(DatasetAddress),
}

/// A dataset of BigQuery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetAddress {
    /// The project that owns it and pays for jobs.
    pub project: String,
    /// Its name in the project.
    pub dataset: String,
}

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with a kind that exists.
    #[error(
        "a warehouse's address begins with `lake:` or `bigquery:`\nhint: `lake:DIR` or `bigquery://PROJECT/DATASET`"
    )]
    Kind,
    /// A lake without its folder.
    #[error("the address names no folder\nhint: `lake:DIR`, for example `lake:data/lake`")]
    Folder,
    /// Not the two names of a dataset.
    #[error(
        "the address is not of the form `bigquery://PROJECT/DATASET`\nhint: for example `bigquery://my-project/shoptrail`"
    )]
    Form,
    /// A project that cannot exist.
    #[error(
        "`{0}` is no project's id\nhint: lower-case letters, digits and hyphens, as in `my-project` or `example.com:my-project`"
    )]
    Project(String),
    /// A dataset or table that cannot exist.
    #[error("`{0}` is no name of a dataset or table\nhint: letters, digits and underscores")]
    Name(String),
}

impl FromStr for WarehouseAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.split_once(':') {
            Some(("lake", "")) => Err(AddressError::Folder),
            Some(("lake", folder)) => Ok(Self::Lake(folder.into())),
            Some(("bigquery", path)) => {
                let (project, dataset) = path
                    .strip_prefix("//")
                    .and_then(|path| path.split_once('/'))
                    .ok_or(AddressError::Form)?;
                Ok(Self::BigQuery(DatasetAddress {
                    project: project_id(project)?,
                    dataset: table_name(dataset)?,
                }))
            }
            _ => Err(AddressError::Kind),
        }
    }
}

impl fmt::Display for WarehouseAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lake(folder) => write!(formatter, "lake:{}", folder.display()),
            Self::BigQuery(DatasetAddress { project, dataset }) => {
                write!(formatter, "bigquery://{project}/{dataset}")
            }
        }
    }
}

/// Reads the id of a Google Cloud project. It goes into SQL between backticks, so nothing else may pass.
///
/// # Errors
/// Returns an error if no project can have this id.
pub fn project_id(text: &str) -> Result<String, AddressError> {
    let fits = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':')
    };
    if text.is_empty() || !text.bytes().all(fits) {
        return Err(AddressError::Project(text.to_owned()));
    }
    Ok(text.to_owned())
}

/// Reads the name of a dataset or table: those that we and Confluent's sink give. BigQuery allows more.
///
/// # Errors
/// Returns an error if it has other characters than letters, digits and underscores.
pub fn table_name(text: &str) -> Result<String, AddressError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(fits) {
        return Err(AddressError::Name(text.to_owned()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(project: &str, dataset: &str) -> WarehouseAddress {
        WarehouseAddress::BigQuery(DatasetAddress {
            project: project.to_owned(),
            dataset: dataset.to_owned(),
        })
    }

    #[test]
    fn address_is_a_folder_or_a_project_and_a_dataset() {
        let read = |text: &str| text.parse::<WarehouseAddress>();
        assert_eq!(
            read("lake:data/lake"),
            Ok(WarehouseAddress::Lake("data/lake".into()))
        );
        assert_eq!(
            read("bigquery://my-shop/clicks_1"),
            Ok(dataset("my-shop", "clicks_1"))
        );
        assert_eq!(
            read("bigquery://example.com:shop/Main"),
            Ok(dataset("example.com:shop", "Main"))
        );
    }

    #[test]
    fn address_is_written_as_it_is_read() {
        for text in ["lake:/data/my lake", "bigquery://my-shop/clicks"] {
            let address: WarehouseAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn wrong_address_is_refused_with_a_hint_on_a_line_of_its_own() {
        for text in [
            "",
            "data/lake",
            "lake",
            "lake:",
            "lakes:data",
            "bigquery:",
            "bigquery:shop/demo",
            "bigquery://shop",
            "bigquery://shop/",
            "bigquery:///demo",
            "bigquery://shop/demo/table",
            "bigquery://shop/de-mo",
            "bigquery://Shop/demo",
            "bigquery://shop/demo?x",
            "bigquery://p/d`; DROP",
            "bigquery://p`/d",
        ] {
            let error = text
                .parse::<WarehouseAddress>()
                .expect_err(text)
                .to_string();
            assert!(error.contains("\nhint: "), "{text}: {error}");
        }
    }
}
