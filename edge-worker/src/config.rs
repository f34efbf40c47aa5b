//! The Worker's configuration: plain variables and two secrets, set by `wrangler.toml`, `wrangler secret put`, or `--var`.

use serde::Deserialize;

/// What one Worker is configured to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `SHOPTRAIL_SHOPS`: a JSON list of [`Shop`].
    pub shops: Vec<Shop>,
    /// Where events go.
    pub kafka: Kafka,
    /// `SHOPTRAIL_HAND_OVER`: `queue` (the default) or `direct`.
    pub hand_over: HandOver,
}

/// One shop that may send events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The public key that stands in the shop's pages.
    pub write_key: String,
    /// The shop's id in every table.
    pub shop_id: String,
    /// The origins whose pages may use the key, exact: `https://shop.example`.
    pub origins: Vec<String>,
}

/// The Kafka cluster, reached by Confluent's REST Produce v3.
#[derive(Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `SHOPTRAIL_KAFKA_REST_URL`: everything before `/v3`, without a slash at the end.
    pub rest_url: String,
    /// `SHOPTRAIL_KAFKA_CLUSTER_ID`.
    pub cluster_id: String,
    /// `SHOPTRAIL_KAFKA_TOPIC`, default `clickstream_event_v3`; dead letters go to this name and `.dlq`.
    pub topic: String,
    /// `SHOPTRAIL_SCHEMA_ID`: the id of the record's JSON Schema in Schema Registry.
    pub schema_id: u32,
    /// `SHOPTRAIL_KAFKA_API_KEY`, a secret.
    pub api_key: String,
    /// `SHOPTRAIL_KAFKA_API_SECRET`, a secret.
    pub api_secret: String,
}

/// How events leave the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Through the Cloudflare Queue, whose consumer merges many requests into one produce call.
    Queue,
    /// By one produce call for each request: enough for a small shop (Confluent allows 25 calls a second).
    Direct,
}

/// A variable that is missing or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with it and what to do; never its value.
    pub problem: String,
}

impl Config {
    /// Reads the configuration; `lookup` returns a variable's value, if it is set.
    ///
    /// # Errors
    /// The first variable that is missing or cannot be used.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = |name| lookup(name).filter(|value| !value.is_empty());
        let required = |name| text(name).ok_or_else(|| error(name, "is not set"));
        Ok(Self {
            shops: shops(&required("SHOPTRAIL_SHOPS")?)?,
            kafka: Kafka {
                rest_url: rest_url(&required("SHOPTRAIL_KAFKA_REST_URL")?)?,
                cluster_id: name("SHOPTRAIL_KAFKA_CLUSTER_ID", required)?,
                topic: match text("SHOPTRAIL_KAFKA_TOPIC") {
                    Some(_) => name("SHOPTRAIL_KAFKA_TOPIC", required)?,
                    None => "clickstream_event_v3".to_owned(),
                },
                schema_id: required("SHOPTRAIL_SCHEMA_ID")?.parse().map_err(|_| {
                    error(
                        "SHOPTRAIL_SCHEMA_ID",
                        "is not a number: take the id that Schema Registry gave the schema",
                    )
                })?,
                api_key: required("SHOPTRAIL_KAFKA_API_KEY")?,
                api_secret: required("SHOPTRAIL_KAFKA_API_SECRET")?,
            },
            hand_over: hand_over(text("SHOPTRAIL_HAND_OVER").as_deref())?,
        })
    }
}

fn error(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        variable,
        problem: problem.into(),
    }
}

fn shops(json: &str) -> Result<Vec<Shop>, ConfigError> {
    const VARIABLE: &str = "SHOPTRAIL_SHOPS";
    let shops: Vec<Shop> = serde_json::from_str(json)
        .map_err(|cause| error(VARIABLE, format!("is not a JSON list of shops: {cause}")))?;
    for (position, shop) in shops.iter().enumerate() {
        if shop.write_key.is_empty() || shop.shop_id.is_empty() {
            return Err(error(
                VARIABLE,
                format!("has an empty `write_key` or `shop_id` in entry {position}"),
            ));
        }
        if shops
            .iter()
            .skip(position.saturating_add(1))
            .any(|other| other.write_key == shop.write_key)
        {
            return Err(error(
                VARIABLE,
                format!("has the `write_key` of entry {position} twice"),
            ));
        }
        if !shop.origins.iter().all(|origin| is_origin(origin)) {
            let problem = format!(
                "has an entry of `origins` in entry {position} that is no origin like `https://shop.example`"
            );
            return Err(error(VARIABLE, problem));
        }
    }
    Ok(shops)
}

/// Whether browsers would write an origin so: scheme and host in lower case, no path, no slash at the end.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b'/')
    })
}

fn rest_url(url: &str) -> Result<String, ConfigError> {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(error(
            "SHOPTRAIL_KAFKA_REST_URL",
            "does not start with `https://` or `http://`",
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// A name that becomes a segment of the URL's path as it is.
fn name(
    variable: &'static str,
    required: impl Fn(&'static str) -> Result<String, ConfigError>,
) -> Result<String, ConfigError> {
    let value = required(variable)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if value.bytes().all(is_plain) {
        Ok(value)
    } else {
        Err(error(
            variable,
            "may have letters, digits, `.`, `_` and `-` only",
        ))
    }
}

fn hand_over(value: Option<&str>) -> Result<HandOver, ConfigError> {
    match value {
        None | Some("queue") => Ok(HandOver::Queue),
        Some("direct") => Ok(HandOver::Direct),
        Some(_) => Err(error(
            "SHOPTRAIL_HAND_OVER",
            "is neither `queue` nor `direct`",
        )),
    }
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Kafka")
            .field("rest_url", &self.rest_url)
            .field("cluster_id", &self.cluster_id)
            .field("topic", &self.topic)
            .field("schema_id", &self.schema_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changed: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let shops =
            r#"[{"write_key":"pk_demo","shop_id":"demo","origins":["https://shop.example"]}]"#;
        Config::read(|name| {
            let default = match name {
                "SHOPTRAIL_SHOPS" => shops,
                "SHOPTRAIL_KAFKA_REST_URL" => "https://pkc.example/kafka/",
                "SHOPTRAIL_KAFKA_CLUSTER_ID" => "lkc-1",
                "SHOPTRAIL_SCHEMA_ID" => "100001",
                "SHOPTRAIL_KAFKA_API_KEY" => "key",
                "SHOPTRAIL_KAFKA_API_SECRET" => "hush",
                _ => "",
            };
            let changed = changed.iter().find(|(changed, _)| *changed == name);
            Some(changed.map_or(default, |(_, value)| value).to_owned())
        })
    }

    #[test]
    fn defaults_are_the_queue_and_the_contracts_topic() {
        let config = read(&[]).unwrap();
        assert_eq!(config.hand_over, HandOver::Queue);
        assert_eq!(config.kafka.topic, "clickstream_event_v3");
        assert_eq!(config.kafka.rest_url, "https://pkc.example/kafka");
        assert_eq!(config.shops.len(), 1);
    }

    #[test]
    fn error_names_the_variable_and_not_its_value() {
        for (variable, value) in [
            ("SHOPTRAIL_SHOPS", "{pk_secret"),
            (
                "SHOPTRAIL_SHOPS",
                r#"[{"write_key":"a","shop_id":"b","origins":["https://pk_secret/"]}]"#,
            ),
            ("SHOPTRAIL_KAFKA_REST_URL", "pk_secret"),
            ("SHOPTRAIL_KAFKA_CLUSTER_ID", "pk_secret/../x"),
            ("SHOPTRAIL_KAFKA_TOPIC", "pk_secret?x"),
            ("SHOPTRAIL_SCHEMA_ID", "pk_secret"),
            ("SHOPTRAIL_HAND_OVER", "pk_secret"),
            ("SHOPTRAIL_KAFKA_API_KEY", ""),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(!error.to_string().contains("pk_secret"), "{error}");
        }
    }

    #[test]
    fn two_shops_cannot_share_a_write_key() {
        let shop = r#"{"write_key":"a","shop_id":"b","origins":[]}"#;
        let error = read(&[("SHOPTRAIL_SHOPS", &format!("[{shop},{shop}]"))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`SHOPTRAIL_SHOPS` has the `write_key` of entry 0 twice"
        );
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        assert!(!format!("{:?}", read(&[]).unwrap()).contains("hush"));
    }
}
