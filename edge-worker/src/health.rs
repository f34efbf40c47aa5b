//! Whether the Worker can do its work: load balancers and people ask.

use serde::Serialize;
use shoptrail_schemas::SCHEMA_VERSION;

use crate::config::{Config, ConfigError, HandOver};
use crate::reply::HttpReply;

/// The reply to `GET /health`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HealthBody<'a> {
    /// `ok`, `degraded` (some shops cannot be used), `failing` (hand-over failed last) or `misconfigured`.
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

/// Replies to `GET /health`. A configuration that cannot be used is named, as it is wrong for every request.
#[must_use]
pub fn health(config: Result<&Config, &ConfigError>, last: LastHandOver) -> HttpReply {
    let body = match config {
        Ok(config) => HealthBody {
            status: match last {
                LastHandOver::Failed => "failing",
                _ if config.disabled_shops.is_empty() => "ok",
                _ => "degraded",
            },
            schema_id: Some(config.kafka.schema_id),
            hand_over: Some(HandOverHealth {
                way: match config.hand_over {
                    HandOver::Queue => "queue",
                    HandOver::Direct => "direct",
                },
                last,
            }),
            problems: config
                .disabled_shops
                .iter()
                .map(ToString::to_string)
                .collect(),
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

impl Default for HealthBody<'_> {
    fn default() -> Self {
        Self {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            schema_version: SCHEMA_VERSION,
            schema_id: None,
            hand_over: None,
            problems: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn config(shops: &str) -> Config {
        Config::read(|name| {
            let value = match name {
                "SHOPTRAIL_SHOPS" => shops,
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
        let (status, body) = read(&health(Ok(&config("[]")), LastHandOver::Worked));
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "schema_version": SCHEMA_VERSION,
                "schema_id": 100001, "hand_over": {"way": "queue", "last": "worked"}})
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let (status, body) = read(&health(Ok(&config("[{}]")), LastHandOver::NoneYet));
        assert_eq!((status, &body["status"]), (200, &json!("degraded")));
        assert!(body["problems"][0].as_str().unwrap().contains("entry 0"));
        let (status, body) = read(&health(Ok(&config("[]")), LastHandOver::Failed));
        assert_eq!((status, &body["status"]), (503, &json!("failing")));
        let error = ConfigError::new("SHOPTRAIL_SHOPS", "is not set");
        let (status, body) = read(&health(Err(&error), LastHandOver::NoneYet));
        assert_eq!((status, &body["status"]), (500, &json!("misconfigured")));
        assert_eq!(body["problems"], json!(["`SHOPTRAIL_SHOPS` is not set"]));
    }
}
