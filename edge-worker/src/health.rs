//! Whether the Worker can do its work: load balancers and people ask. Kafka's gateway is asked for the topic then, within
//! a bound, and not at each request: anybody may ask for our health.

use serde::Serialize;
use shoptrail_schemas::SCHEMA_VERSION;

use crate::config::{Config, ConfigError, HandOver};
use crate::reply::HttpReply;

/// The reply to `GET /health`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HealthBody<'a> {
    /// `ok`, `degraded` (something in the configuration is not used, or events wait in the queue for Kafka), `failing`
    /// (hand-over failed last, or cannot work) or `misconfigured`.
    pub status: &'a str,
    /// The Worker's version.
    pub version: &'a str,
    /// The version of the contract that it follows.
    pub schema_version: u32,
    /// The id of the record's schema in Schema Registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_id: Option<u32>,
    /// How events leave, and how that went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<HandOverHealth>,
    /// What Kafka's gateway said when it was asked for the events' topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaHealth>,
    /// What is wrong with the configuration; never a value from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// How events leave, and how that went.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HandOverHealth {
    /// `queue` or `direct`.
    pub way: &'static str,
    /// How the last hand-over of this instance of the Worker went.
    pub last: LastHandOver,
}

/// How the last hand-over went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LastHandOver {
    /// There was none yet.
    #[default]
    NoneYet,
    /// Something durable took the events, by the configured way.
    Worked,
    /// The queue refused; a direct call took the events.
    WentDirectly,
    /// Nothing durable took the events.
    Failed,
}

/// What Kafka's gateway said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KafkaHealth {
    /// The topic is there, and the key may see it.
    Reachable,
    /// The gateway refuses: the key, the cluster or the topic is not as configured.
    Refused,
    /// No answer in time, or one that says that it cannot answer.
    Unreachable,
}

impl KafkaHealth {
    /// How long an answer is good for, in milliseconds.
    const GOOD_FOR_MS: i64 = 10_000;

    /// Reads the status of an answer.
    #[must_use]
    pub const fn from_status(status: Option<u16>) -> Self {
        match status {
            // Too many calls: it is there, and busy.
            Some(200..=299 | 429) => Self::Reachable,
            Some(400..=499) => Self::Refused,
            _ => Self::Unreachable,
        }
    }

    /// Whether an answer that came at `asked_at` still holds `now`, both in milliseconds since the epoch.
    #[must_use]
    pub fn holds(asked_at: i64, now: i64) -> bool {
        (0..Self::GOOD_FOR_MS).contains(&now.saturating_sub(asked_at))
    }
}

/// Replies to `GET /health`. A configuration that cannot be used is named, as it is wrong for every request; then nobody
/// was asked.
#[must_use]
pub fn health(
    config: Result<(&Config, KafkaHealth), &ConfigError>,
    last: LastHandOver,
) -> HttpReply {
    let body = match config {
        Ok((config, kafka)) => HealthBody {
            status: status(config, kafka, last),
            kafka: Some(kafka),
            schema_id: Some(config.kafka.schema_id),
            hand_over: Some(HandOverHealth {
                way: match config.hand_over {
                    HandOver::Queue => "queue",
                    HandOver::Direct => "direct",
                },
                last,
            }),
            problems: config.problems.iter().map(ToString::to_string).collect(),
            ..HealthBody::default()
        },
        Err(error) => HealthBody {
            status: "misconfigured",
            problems: vec![error.to_string()],
            ..HealthBody::default()
        },
    };
    let (status, outcome) = match body.status {
        "misconfigured" => (500, "misconfigured"),
        "failing" => (503, "failing"),
        _ => (200, "healthy"),
    };
    HttpReply::json(status, outcome, &body)
}

fn status(config: &Config, kafka: KafkaHealth, last: LastHandOver) -> &'static str {
    let is_reachable = kafka == KafkaHealth::Reachable;
    match (last, config.hand_over) {
        (LastHandOver::Failed, _) => "failing",
        (_, HandOver::Direct) if !is_reachable => "failing",
        _ if is_reachable && config.problems.is_empty() => "ok",
        _ => "degraded",
    }
}

impl Default for HealthBody<'_> {
    fn default() -> Self {
        Self {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            schema_version: SCHEMA_VERSION,
            schema_id: None,
            hand_over: None,
            kafka: None,
            problems: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const REACHABLE: KafkaHealth = KafkaHealth::Reachable;

    fn config(shops: &str) -> Config {
        config_with(shops, "queue")
    }

    fn config_with(shops: &str, hand_over: &str) -> Config {
        Config::read(|name| {
            let value = match name {
                "SHOPTRAIL_SHOPS" => shops,
                "SHOPTRAIL_HAND_OVER" => hand_over,
                "SHOPTRAIL_KAFKA_REST_URL" => "https://pkc.example/kafka",
                "SHOPTRAIL_SCHEMA_ID" => "100001",
                "SHOPTRAIL_KAFKA_CLUSTER_ID"
                | "SHOPTRAIL_KAFKA_API_KEY"
                | "SHOPTRAIL_KAFKA_API_SECRET" => "x",
                _ => "",
            };
            Some(value.to_owned())
        })
        .unwrap()
    }

    fn read(reply: &HttpReply) -> (u16, Value) {
        (
            reply.status,
            serde_json::from_str(reply.body.as_deref().unwrap()).unwrap(),
        )
    }

    #[test]
    fn healthy_worker_says_its_versions_and_how_hand_over_went() {
        let (status, body) = read(&health(
            Ok((&config("[]"), REACHABLE)),
            LastHandOver::Worked,
        ));
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "schema_version": SCHEMA_VERSION,
                "schema_id": 100001, "hand_over": {"way": "queue", "last": "worked"}, "kafka": "reachable"})
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (status, body) = read(&health(
            Ok((&config("[{}]"), REACHABLE)),
            LastHandOver::NoneYet,
        ));
        assert_eq!((status, &body["status"]), (200, &json!("degraded")));
        assert!(body["problems"][0].as_str().unwrap().contains("entry 0"));
        let (status, body) = read(&health(
            Ok((&config("[]"), REACHABLE)),
            LastHandOver::Failed,
        ));
        assert_eq!((status, &body["status"]), (503, &json!("failing")));
        let error = ConfigError::new("SHOPTRAIL_SHOPS", "is not set");
        let (status, body) = read(&health(Err(&error), LastHandOver::NoneYet));
        assert_eq!((status, &body["status"]), (500, &json!("misconfigured")));
        assert_eq!(body["problems"], json!(["`SHOPTRAIL_SHOPS` is not set"]));
    }

    #[test]
    fn kafka_that_is_away_is_no_reason_to_turn_browsers_away_from_the_queue() {
        for (hand_over, kafka, status) in [
            ("queue", KafkaHealth::Unreachable, "degraded"),
            ("queue", KafkaHealth::Refused, "degraded"),
            ("direct", KafkaHealth::Refused, "failing"),
            ("direct", KafkaHealth::Reachable, "ok"),
        ] {
            let config = config_with("[]", hand_over);
            let (_, body) = read(&health(Ok((&config, kafka)), LastHandOver::NoneYet));
            assert_eq!(body["status"], status, "{hand_over} {kafka:?}");
        }
    }

    #[test]
    fn answer_of_the_gateway_is_read_by_its_status() {
        for (status, expected) in [
            (Some(200), KafkaHealth::Reachable),
            (Some(429), KafkaHealth::Reachable),
            (Some(401), KafkaHealth::Refused),
            (Some(404), KafkaHealth::Refused),
            (Some(503), KafkaHealth::Unreachable),
            (None, KafkaHealth::Unreachable),
        ] {
            assert_eq!(KafkaHealth::from_status(status), expected, "{status:?}");
        }
        assert!(KafkaHealth::holds(5, 5) && KafkaHealth::holds(5, 10_004));
        assert!(!KafkaHealth::holds(5, 10_005) && !KafkaHealth::holds(5, 4));
    }
}
