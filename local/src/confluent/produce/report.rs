//! The report of a record, as its client gets it.

use chrono::{DateTime, SecondsFormat};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::{Delivery, DeliveryFuture};
use serde::Serialize;

use super::Gateway;
use crate::confluent::record::{PartKind, ProduceRecord, RecordPart};

/// A record whose report is not written yet.
pub(super) enum Pending {
    Refused(ProduceRefusal),
    Sent {
        delivery: DeliveryFuture,
        about: About,
    },
}

/// What the report of a delivered record repeats.
pub(super) struct About {
    topic: String,
    key: Option<Size>,
    value: Option<Size>,
}

/// The report of a record that was not written.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProduceRefusal {
    error_code: u32,
    message: String,
}

#[derive(Serialize)]
struct Accepted<'a> {
    error_code: u32,
    cluster_id: &'a str,
    topic_name: &'a str,
    partition_id: i32,
    offset: i64,
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Size>,
}

#[derive(Clone, Copy, Serialize)]
struct Size {
    #[serde(rename = "type")]
    kind: PartKind,
    size: usize,
}

impl Pending {
    /// Waits for the record's result and writes its report.
    pub(super) async fn settle(self, gateway: &Gateway) -> String {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::Sent { delivery, about } => match delivery.await {
                Ok(Ok(delivery)) => return about.accepted(&gateway.cluster_id, &delivery),
                Ok(Err((error, _))) => {
                    gateway.producer.renew_if_broken();
                    ProduceRefusal::of(&error, &about.topic)
                }
                Err(_) => {
                    ProduceRefusal::retriable("the producer was closed before the broker answered")
                }
            },
        };
        line(&refusal)
    }
}

impl From<ProduceRefusal> for Pending {
    fn from(refusal: ProduceRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl About {
    pub(super) fn new(topic: &str, record: &ProduceRecord) -> Self {
        let size = |part: &RecordPart| Size {
            kind: part.kind,
            size: part.size(),
        };
        Self {
            topic: topic.to_owned(),
            key: record.key.as_ref().map(size),
            value: record.value.as_ref().map(size),
        }
    }

    fn accepted(&self, cluster_id: &str, delivery: &Delivery) -> String {
        let timestamp = delivery
            .timestamp
            .to_millis()
            .and_then(DateTime::from_timestamp_millis);
        line(&Accepted {
            error_code: 200,
            cluster_id,
            topic_name: &self.topic,
            partition_id: delivery.partition,
            offset: delivery.offset,
            timestamp: timestamp.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            key: self.key,
            value: self.value,
        })
    }
}

impl ProduceRefusal {
    pub(super) fn bad_request(message: String) -> Self {
        Self {
            error_code: 400,
            message,
        }
    }

    pub(super) fn too_many_records() -> Self {
        let message =
            "Request rate limit exceeded: The rate limit of requests per second has been exceeded.";
        Self {
            error_code: 429,
            message: message.to_owned(),
        }
    }

    /// The Java client's words; it waits a minute before it says them.
    pub(super) fn unknown_topic(topic: &str) -> Self {
        Self {
            error_code: 40401,
            message: format!("Topic {topic} not present in metadata after 60000 ms."),
        }
    }

    /// In the Java client's words as well.
    pub(super) fn unknown_partition(topic: &str, partition: i32, partitions: i32) -> Self {
        let message = format!(
            "Partition {partition} of topic {topic} with partition count {partitions} is not present in metadata after 60000 ms."
        );
        Self {
            error_code: 40401,
            message,
        }
    }

    /// The broker could not be reached, or not in time: the record may be sent again.
    pub(super) fn retriable(reason: impl std::fmt::Display) -> Self {
        Self {
            error_code: 50003,
            message: format!("Retriable Kafka error: {reason}"),
        }
    }

    pub(super) fn of(error: &KafkaError, topic: &str) -> Self {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                Self::unknown_topic(topic)
            }
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Self::bad_request(
                "Bad Request: the message is larger than the broker accepts".to_owned(),
            ),
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Self {
                error_code: 40301,
                message: "Request is not authorized".to_owned(),
            },
            _ => Self::retriable(error),
        }
    }
}

/// One report per line.
fn line(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string(report).unwrap_or_else(|error| {
        // Numbers and strings always have a JSON form.
        format!(r#"{{"error_code":500,"message":"{error}"}}"#)
    });
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_errors_get_the_codes_of_the_rest_api() {
        let code = |code| ProduceRefusal::of(&KafkaError::MessageProduction(code), "t").error_code;
        assert_eq!(code(RDKafkaErrorCode::UnknownTopicOrPartition), 40401);
        assert_eq!(code(RDKafkaErrorCode::MessageSizeTooLarge), 400);
        assert_eq!(code(RDKafkaErrorCode::TopicAuthorizationFailed), 40301);
        assert_eq!(code(RDKafkaErrorCode::MessageTimedOut), 50003);
        assert_eq!(code(RDKafkaErrorCode::BrokerTransportFailure), 50003);
    }
}
