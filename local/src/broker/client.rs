//! How every client of the local broker is set up, and what it may say: a broker that is away is no error here, as it is
//! started beside its clients, and comes and goes in drills.

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, ClientContext};

/// Settings that every client of the local broker shares. Clients look for it twice a second.
#[must_use]
pub fn client(bootstrap_servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers)
        .set("client.id", "shoptrail-local")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "500")
        .set("log.connection.close", "false");
    config
}

/// Passes on what a client says of anything but a broker that is not there yet, or no longer.
#[derive(Clone, Copy, Debug)]
pub struct PatientContext;

impl ClientContext for PatientContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if matches!(
            level,
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical
        ) {
            tracing::error!("Kafka client: {facility} {message}");
        } else {
            // Whatever matters to a caller is the result of a call.
            tracing::debug!("Kafka client: {facility} {message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if is_away(&error) {
            tracing::debug!("Kafka client: {error}: {reason}");
        } else {
            tracing::error!("Kafka client: {error}: {reason}");
        }
    }
}

impl ConsumerContext for PatientContext {}

fn is_away(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broker_that_is_away_is_no_error() {
        let error = KafkaError::Global;
        assert!(is_away(&error(RDKafkaErrorCode::AllBrokersDown)));
        assert!(is_away(&error(RDKafkaErrorCode::BrokerTransportFailure)));
        assert!(!is_away(&error(RDKafkaErrorCode::Fatal)));
        assert!(!is_away(&error(RDKafkaErrorCode::Authentication)));
    }
}
