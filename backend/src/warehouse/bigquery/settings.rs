//! What a BigQuery warehouse is told: its address, its limits, and another server than Google's.

use std::time::Duration;

use clap::Args;
use url::Url;

/// How BigQuery is used; of no effect on a lake.
#[derive(Args, Clone, Debug)]
pub struct BigQueryArgs {
    /// BigQuery: bytes that one query may be billed for, or one read may scan; more is refused before it costs
    #[arg(long, value_name = "BYTES", env = "SHOPTRAIL_BIGQUERY_MAX_BYTES_BILLED", default_value_t = 100 << 30)]
    pub max_bytes_billed: u64,
    /// BigQuery: table that Confluent's sink writes; builds then read it instead of what `shoptrail land` lands
    #[arg(long, value_name = "TABLE", env = "SHOPTRAIL_BIGQUERY_SINK_TABLE", value_parser = table_name)]
    pub sink_table: Option<String>,
    /// BigQuery: how far before its last look a build looks into the sink's table again, minutes; streamed rows take up to
    /// 90 to settle
    #[arg(
        long,
        value_name = "MINUTES",
        env = "SHOPTRAIL_BIGQUERY_SINK_OVERLAP_MINUTES",
        default_value_t = 120
    )]
    pub sink_overlap_minutes: u64,
    /// BigQuery: how long a call is tried again that a quota, a rate limit or an outage refused, seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SHOPTRAIL_BIGQUERY_RETRY_SECONDS",
        default_value_t = 120
    )]
    pub retry_seconds: u64,
    /// BigQuery: another server's REST address than Google's; credentials are left out then
    #[arg(
        long,
        value_name = "URL",
        env = "SHOPTRAIL_BIGQUERY_ENDPOINT",
        requires = "bigquery_grpc_endpoint"
    )]
    pub bigquery_endpoint: Option<Url>,
    /// BigQuery: another server's gRPC address than Google's, of the Storage Read API
    #[arg(
        long,
        value_name = "URL",
        env = "SHOPTRAIL_BIGQUERY_GRPC_ENDPOINT",
        requires = "bigquery_endpoint"
    )]
    pub bigquery_grpc_endpoint: Option<Url>,
}

impl BigQueryArgs {
    /// The same flags for a child process.
    pub fn to_args(&self) -> Vec<String> {
        let given = |flag: &str, value: &dyn ToString| [flag.to_owned(), value.to_string()];
        let mut args = Vec::new();
        args.extend(given("--max-bytes-billed", &self.max_bytes_billed));
        args.extend(given("--retry-seconds", &self.retry_seconds));
        args.extend(given("--sink-overlap-minutes", &self.sink_overlap_minutes));
        args.extend(
            self.sink_table
                .iter()
                .flat_map(|table| given("--sink-table", table)),
        );
        args.extend(
            self.bigquery_endpoint
                .iter()
                .flat_map(|url| given("--bigquery-endpoint", url)),
        );
        args.extend(
            self.bigquery_grpc_endpoint
                .iter()
                .flat_map(|url| given("--bigquery-grpc-endpoint", url)),
        );
        args
    }
}

/// A dataset and how to use it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project that owns the dataset and pays for jobs.
    pub project: String,
    /// The dataset that holds all tables.
    pub dataset: String,
    /// Another server than Google's; it gets no credentials.
    pub server: Option<Server>,
    /// Bytes that one query may be billed for, or one read may scan.
    pub max_bytes_billed: u64,
    /// The table of Confluent's sink, when builds read that.
    pub sink_table: Option<String>,
    /// How far before its last look a build looks into that table again.
    pub sink_overlap: Duration,
    /// How long a refused call is tried again.
    pub retry_for: Duration,
}

/// Another server than Google's.
#[derive(Clone, Debug)]
pub struct Server {
    /// Base of its REST API, without path.
    pub rest: Url,
    /// Address of its gRPC services.
    pub grpc: Url,
}

impl Settings {
    /// Reads what stands after `bigquery:` in a warehouse's address.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn new(place: &str, args: &BigQueryArgs) -> Result<Self, &'static str> {
        let (project, dataset) = place
            .strip_prefix("//")
            .and_then(|path| path.split_once('/'))
            .ok_or("is not of the form `bigquery://PROJECT/DATASET`")?;
        // Both go into SQL between backticks, so nothing else may pass.
        let in_project = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
        if project.is_empty() || !project.bytes().all(in_project) {
            return Err("names no project: letters, digits and `-`");
        }
        if table_name(dataset).is_err() {
            return Err("names no dataset: letters, digits and `_`");
        }
        let server = args
            .bigquery_endpoint
            .clone()
            .zip(args.bigquery_grpc_endpoint.clone());
        Ok(Self {
            project: project.to_owned(),
            dataset: dataset.to_owned(),
            server: server.map(|(rest, grpc)| Server { rest, grpc }),
            max_bytes_billed: args.max_bytes_billed,
            sink_table: args.sink_table.clone(),
            sink_overlap: Duration::from_secs(args.sink_overlap_minutes * 60),
            retry_for: Duration::from_secs(args.retry_seconds),
        })
    }
}

/// The names that Confluent's sink and we give to tables; BigQuery allows more.
fn table_name(name: &str) -> Result<String, &'static str> {
    let fits = !name.is_empty() && name.len() <= 1_024;
    if fits
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        Ok(name.to_owned())
    } else {
        Err("a name consists of letters, digits and `_`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(place: &str) -> Result<(String, String), &'static str> {
        let args = BigQueryArgs {
            max_bytes_billed: 1,
            sink_table: None,
            sink_overlap_minutes: 1,
            retry_seconds: 1,
            bigquery_endpoint: None,
            bigquery_grpc_endpoint: None,
        };
        Settings::new(place, &args).map(|settings| (settings.project, settings.dataset))
    }

    #[test]
    fn address_is_project_and_dataset_and_nothing_that_sql_could_mistake() {
        assert_eq!(
            read("//my-shop/clicks_1"),
            Ok(("my-shop".to_owned(), "clicks_1".to_owned()))
        );
        assert_eq!(
            read("//example.com:shop/clicks"),
            Ok(("example.com:shop".to_owned(), "clicks".to_owned()))
        );
        for wrong in [
            "my-shop/clicks",
            "//my-shop",
            "///clicks",
            "//my-shop/",
            "//p/d/t",
            "//p/d`; DROP",
            "//p`/d",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
