//! What a BigQuery warehouse is told: its address, its limits, and another server than Google's.

use std::time::Duration;

use clap::Args;
use shoptrail_local::warehouse_address::{DatasetAddress, table_name};
use url::Url;

/// How BigQuery is used; of no effect on a lake.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "BigQuery")]
pub struct BigQueryArgs {
    /// Bytes that one query may be billed for, or one read may scan; more is refused before it costs
    #[arg(long, value_name = "BYTES", env = "SHOPTRAIL_BIGQUERY_MAX_BYTES_BILLED", default_value_t = 100 << 30)]
    pub max_bytes_billed: u64,
    /// Table that Confluent's sink writes; builds then read it instead of what `shoptrail land` lands
    #[arg(long, value_name = "TABLE", env = "SHOPTRAIL_BIGQUERY_SINK_TABLE", value_parser = table_name)]
    pub sink_table: Option<String>,
    /// How far before the end of its last read a build reads the sink's rows again, in minutes; a row that is read
    /// twice counts once
    #[arg(
        long,
        value_name = "MINUTES",
        env = "SHOPTRAIL_BIGQUERY_SINK_OVERLAP_MINUTES",
        default_value_t = 10
    )]
    pub sink_overlap_minutes: u64,
    /// How long a call is tried again that a quota, a rate limit or an outage refused, seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SHOPTRAIL_BIGQUERY_RETRY_SECONDS",
        default_value_t = 120
    )]
    pub retry_seconds: u64,
    /// How long one query or load may take before it is cancelled, minutes
    #[arg(
        long,
        value_name = "MINUTES",
        env = "SHOPTRAIL_BIGQUERY_JOB_MINUTES",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub job_minutes: u64,
    /// Another server's REST address than Google's; credentials are left out then
    #[arg(
        long,
        value_name = "URL",
        env = "SHOPTRAIL_BIGQUERY_ENDPOINT",
        requires = "bigquery_grpc_endpoint"
    )]
    pub bigquery_endpoint: Option<Url>,
    /// Another server's gRPC address than Google's, of the Storage Read API
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
        args.extend(given("--job-minutes", &self.job_minutes));
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
    /// How long one job may take.
    pub job_for: Duration,
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
    /// What a dataset's address and the flags say.
    #[must_use]
    pub fn new(address: DatasetAddress, args: &BigQueryArgs) -> Self {
        let server = args
            .bigquery_endpoint
            .clone()
            .zip(args.bigquery_grpc_endpoint.clone());
        Self {
            project: address.project,
            dataset: address.dataset,
            server: server.map(|(rest, grpc)| Server { rest, grpc }),
            max_bytes_billed: args.max_bytes_billed,
            sink_table: args.sink_table.clone(),
            sink_overlap: Duration::from_secs(args.sink_overlap_minutes * 60),
            retry_for: Duration::from_secs(args.retry_seconds),
            job_for: Duration::from_secs(args.job_minutes * 60),
        }
    }
}
