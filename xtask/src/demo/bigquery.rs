//! BigQuery as the demo needs it: a dataset, where the APIs answer, and the two calls that come before the tables.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// Name the servers of BigQuery's APIs, for the demo as for `shoptrail`.
const REST_VARIABLE: &str = "SHOPTRAIL_BIGQUERY_ENDPOINT";
const GRPC_VARIABLE: &str = "SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT";

/// Longer than local-bigquery takes for its first answer on a busy machine.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// Already there.
const CONFLICT: u16 = 409;

/// A dataset, as `bigquery://PROJECT/DATASET` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dataset {
    project: String,
    name: String,
}

impl Dataset {
    /// Reads the URL; the characters are those of BigQuery's names.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let path = url
            .strip_prefix("bigquery://")
            .and_then(|path| path.split_once('/'));
        let is_project =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
        let is_dataset = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match path {
            Some((project, name))
                if project.starts_with(is_project)
                    && project.chars().all(is_project)
                    && name.starts_with(is_dataset)
                    && name.chars().all(is_dataset) =>
            {
                Ok(Self {
                    project: project.to_owned(),
                    name: name.to_owned(),
                })
            }
            _ => bail!(
                "a BigQuery warehouse is written `bigquery://PROJECT/DATASET`, for example `bigquery://demo/shoptrail`"
            ),
        }
    }
}

/// Where BigQuery's REST API and its Storage APIs answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    rest: String,
    grpc: String,
}

impl Endpoints {
    /// Servers on ports of this machine.
    pub(super) fn on_ports(rest: u16, grpc: u16) -> Self {
        Self {
            rest: format!("http://127.0.0.1:{rest}"),
            grpc: format!("http://127.0.0.1:{grpc}"),
        }
    }

    /// The servers that the environment names.
    pub(super) fn from_environment() -> Result<Option<Self>> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::named(variable(REST_VARIABLE), variable(GRPC_VARIABLE))
    }

    fn named(rest: Option<String>, grpc: Option<String>) -> Result<Option<Self>> {
        match (rest, grpc) {
            (Some(rest), Some(grpc)) => Ok(Some(Self { rest, grpc })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                bail!("`{REST_VARIABLE}` is set, `{GRPC_VARIABLE}` is not: set both or none")
            }
            (None, Some(_)) => {
                bail!("`{GRPC_VARIABLE}` is set, `{REST_VARIABLE}` is not: set both or none")
            }
        }
    }

    /// The environment variables that tell `shoptrail`.
    pub(super) fn variables(&self) -> [(&'static str, &str); 2] {
        [(REST_VARIABLE, &self.rest), (GRPC_VARIABLE, &self.grpc)]
    }

    /// Whether the REST API answers.
    pub(super) fn answer(&self, dataset: &Dataset) -> bool {
        agent()
            .get(self.datasets(dataset))
            .call()
            .is_ok_and(|reply| reply.status().is_success())
    }

    /// Creates the dataset, unless it is there.
    pub(super) fn create(&self, dataset: &Dataset) -> Result<()> {
        let url = self.datasets(dataset);
        let body =
            json!({"datasetReference": {"projectId": dataset.project, "datasetId": dataset.name}});
        let mut reply = agent()
            .post(&url)
            .send_json(body)
            .with_context(|| format!("cannot reach {url}"))?;
        let status = reply.status();
        if status.is_success() || status.as_u16() == CONFLICT {
            return Ok(());
        }
        let answer: Value = reply.body_mut().read_json().unwrap_or_default();
        let reason = answer["error"]["message"]
            .as_str()
            .unwrap_or("no reason given");
        bail!(
            "dataset `{}` cannot be created: {url} answers {status}: {reason}",
            dataset.name
        )
    }

    fn datasets(&self, dataset: &Dataset) -> String {
        format!(
            "{}/bigquery/v2/projects/{}/datasets",
            self.rest.trim_end_matches('/'),
            dataset.project
        )
    }
}

/// Hands over answers of every status: some of them are expected.
fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(CALL_DEADLINE))
        .build()
        .new_agent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_names_project_and_dataset() {
        let dataset = Dataset::parse("bigquery://my-shop-1/shoptrail_demo").expect("a good URL");
        assert_eq!(
            dataset,
            Dataset {
                project: "my-shop-1".to_owned(),
                name: "shoptrail_demo".to_owned()
            }
        );
        let scoped =
            Dataset::parse("bigquery://example.com:shop/Main").expect("a project of a domain");
        assert_eq!(scoped.project, "example.com:shop");
    }

    #[test]
    fn malformed_url_is_answered_with_the_form() {
        for url in [
            "bigquery:",
            "bigquery:shop/demo",
            "bigquery://shop",
            "bigquery://shop/",
            "bigquery:///demo",
            "bigquery://shop/demo/table",
            "bigquery://shop/de-mo",
            "bigquery://Shop/demo",
            "bigquery://shop/demo?x",
        ] {
            let error = Dataset::parse(url).expect_err(url).to_string();
            assert!(error.contains("`bigquery://PROJECT/DATASET`"), "{error}");
        }
    }

    #[test]
    fn one_variable_alone_is_an_error_that_names_both() {
        let url = || Some("http://127.0.0.1:1".to_owned());
        assert_eq!(Endpoints::named(None, None).expect("none"), None);
        assert!(Endpoints::named(url(), url()).expect("both").is_some());
        for (rest, grpc) in [(url(), None), (None, url())] {
            let error = Endpoints::named(rest, grpc)
                .expect_err("only one")
                .to_string();
            assert!(
                error.contains(REST_VARIABLE) && error.contains(GRPC_VARIABLE),
                "{error}"
            );
        }
    }

    #[test]
    fn slash_at_the_end_of_an_endpoint_changes_nothing() {
        let dataset = Dataset::parse("bigquery://shop/demo").expect("a good URL");
        let endpoints = Endpoints {
            rest: "http://127.0.0.1:9050/".to_owned(),
            grpc: String::new(),
        };
        assert_eq!(
            endpoints.datasets(&dataset),
            "http://127.0.0.1:9050/bigquery/v2/projects/shop/datasets"
        );
    }
}
