//! Where Kafka is and how to reach it.

use std::fmt;

use clap::Args;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, ClientContext};

/// Flags and variables of the connection to Kafka.
#[derive(Args, Clone)]
#[command(next_help_heading = "Kafka")]
pub struct KafkaArgs {
    /// Brokers, HOST:PORT separated by commas
    #[arg(
        long,
        env = "SHOPTRAIL_KAFKA_BOOTSTRAP_SERVERS",
        default_value = "127.0.0.1:9092"
    )]
    pub bootstrap_servers: String,
    /// Topic of the events
    #[arg(
        long,
        env = "SHOPTRAIL_KAFKA_TOPIC",
        default_value = "clickstream_event_v3"
    )]
    pub topic: String,
    /// API key; with it the connection is SASL_SSL with PLAIN, as Confluent Cloud wants it
    #[arg(
        long,
        env = "SHOPTRAIL_KAFKA_API_KEY",
        hide_env_values = true,
        requires = "api_secret"
    )]
    pub api_key: Option<String>,
    /// Secret of the API key; only by its variable
    #[arg(
        long,
        env = "SHOPTRAIL_KAFKA_API_SECRET",
        hide = true,
        hide_env_values = true
    )]
    pub api_secret: Option<String>,
}

impl fmt::Debug for KafkaArgs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KafkaArgs")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("topic", &self.topic)
            .field("api_key", &self.api_key.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}

impl KafkaArgs {
    /// A client configuration that reaches these brokers.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "500");
        if let (Some(key), Some(secret)) = (&self.api_key, &self.api_secret) {
            config
                .set("security.protocol", "SASL_SSL")
                .set("sasl.mechanisms", "PLAIN")
                .set("sasl.username", key)
                .set("sasl.password", secret);
        }
        config
    }
}

/// What every consumer of ours does with errors: they are what its `poll` returns, the end of a partition among them, and
/// who polls says what they mean.
pub fn on_consumer_error(error: &KafkaError, reason: &str) {
    tracing::debug!(%error, "{reason}");
}

/// The context of a consumer that needs no other.
pub struct Consuming;

impl ClientContext for Consuming {
    fn error(&self, error: KafkaError, reason: &str) {
        on_consumer_error(&error, reason);
    }
}

impl ConsumerContext for Consuming {}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::BaseConsumer;

    use super::*;

    #[test]
    fn client_can_speak_as_confluent_cloud_wants_it() {
        let args = KafkaArgs {
            bootstrap_servers: "127.0.0.1:1".to_owned(),
            topic: "any".to_owned(),
            api_key: Some("key".to_owned()),
            api_secret: Some("secret".to_owned()),
        };
        let client = args.client().create::<BaseConsumer>();
        assert!(client.is_ok(), "{:?}", client.err());
    }
}
