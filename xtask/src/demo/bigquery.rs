//! BigQuery as the demo needs it: where the APIs answer, and the two calls that come before the tables.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shoptrail_local::warehouse_address::DatasetAddress;
use ureq::Agent;

/// Name the servers of BigQuery's APIs, for the demo as for `shoptrail`.
const REST_VARIABLE: &str = "SHOPTRAIL_BIGQUERY_ENDPOINT";
const GRPC_VARIABLE: &str = "SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT";

/// Longer than local-bigquery takes for its first answer on a busy machine.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// Already there.
const CONFLICT: u16 = 409;

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
    pub(super) fn answer(&self, dataset: &DatasetAddress) -> bool {
        agent()
            .get(self.datasets(dataset))
            .call()
            .is_ok_and(|reply| reply.status().is_success())
    }

    /// Creates the dataset, unless it is there.
    pub(super) fn create(&self, dataset: &DatasetAddress) -> Result<()> {
        let url = self.datasets(dataset);
        let body = json!({"datasetReference": {"projectId": dataset.project, "datasetId": dataset.dataset}});
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
            dataset.dataset
        )
    }

    fn datasets(&self, dataset: &DatasetAddress) -> String {
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
        let dataset = DatasetAddress {
            project: "shop".to_owned(),
            dataset: "demo".to_owned(),
        };
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
