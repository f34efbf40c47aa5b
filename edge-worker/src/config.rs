//! The Worker's configuration: plain variables and a few secrets, set by `wrangler.toml`, `wrangler secret put`, or `--var`.
//!
//! What cannot be used is left out and named where the Worker can go on safely without it. Where it cannot, no event is taken: without
//! a way to Kafka, and when privacy rules are not as somebody meant them.

pub mod error;
pub mod rules;
pub mod shops;

use shoptrail_schemas::derive::Rules;

use crate::privacy::PrivacyRules;
pub use error::ConfigError;
pub use shops::{IdentityCookie, ShopConfig};

/// What one Worker is configured to do.
#[derive(Debug)]
pub struct Config {
    /// `SHOPTRAIL_SHOPS`: a JSON list of [`ShopConfig`].
    pub shops: Vec<ShopConfig>,
    /// What of the variables is not used, and why.
    pub problems: Vec<ConfigError>,
    /// Where events go.
    pub kafka: Kafka,
    /// `SHOPTRAIL_HAND_OVER`: `queue` (the default) or `direct`.
    pub hand_over: HandOver,
    /// `SHOPTRAIL_RATE_LIMITS`: `on` (the default) or `off`.
    pub has_rate_limits: bool,
    /// `SHOPTRAIL_PREFIX`: what stands before each path, `/st` for example. None unless set.
    pub prefix: String,
    /// `SHOPTRAIL_PRIVACY`, a JSON object, and `SHOPTRAIL_HASH_KEY`, a secret.
    pub privacy: PrivacyRules,
    /// `SHOPTRAIL_RULES`, a JSON object: own hosts, payment hosts and sources, of all shops and of single ones.
    pub rules: Rules,
    /// `SHOPTRAIL_MAX_AGE_DAYS`: how old an event may be, in milliseconds here. 7 days unless set.
    pub max_age_ms: i64,
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

impl Config {
    /// Reads the configuration; `lookup` returns a variable's value, if it is set.
    ///
    /// # Errors
    /// Returns an error for the first variable that is missing or cannot be used, if nothing safe can take its place.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = |name| lookup(name).filter(|value| !value.is_empty());
        let required = |name| text(name).ok_or_else(|| ConfigError::new(name, "is not set"));
        let (mut shops, mut problems) = shops::read(&required("SHOPTRAIL_SHOPS")?)?;
        let (rules, unused) =
            text("SHOPTRAIL_RULES").map_or_else(Default::default, |json| rules::read(&json));
        problems.extend(unused);
        problems.extend(rules_of_nobody(&rules, &shops));
        let privacy = PrivacyRules::read(
            text("SHOPTRAIL_PRIVACY").as_deref(),
            text("SHOPTRAIL_HASH_KEY").as_deref(),
        )?;
        if privacy.hashes_visitors() {
            shops::without_cookies(&mut shops, &mut problems);
        }
        Ok(Self {
            shops,
            kafka: kafka(required, text)?,
            hand_over: hand_over(text("SHOPTRAIL_HAND_OVER").as_deref(), &mut problems),
            has_rate_limits: rate_limits(text("SHOPTRAIL_RATE_LIMITS").as_deref(), &mut problems),
            prefix: prefix(text("SHOPTRAIL_PREFIX").as_deref())?,
            privacy,
            rules,
            max_age_ms: max_age_ms(text("SHOPTRAIL_MAX_AGE_DAYS").as_deref(), &mut problems),
            problems,
        })
    }
}

/// Names the shops that have rules and may send nothing: mostly a typing error.
fn rules_of_nobody(rules: &Rules, shops: &[ShopConfig]) -> Vec<ConfigError> {
    let unknown = rules
        .shops()
        .filter(|shop_id| shops.iter().all(|shop| shop.shop_id != *shop_id));
    unknown
        .map(|shop_id| {
            let problem = format!("`shops.{shop_id}` is of no shop in `SHOPTRAIL_SHOPS`");
            ConfigError::new("SHOPTRAIL_RULES", problem)
        })
        .collect()
}

fn kafka(
    required: impl Fn(&'static str) -> Result<String, ConfigError>,
    text: impl Fn(&'static str) -> Option<String>,
) -> Result<Kafka, ConfigError> {
    Ok(Kafka {
        rest_url: rest_url(&required("SHOPTRAIL_KAFKA_REST_URL")?)?,
        cluster_id: name("SHOPTRAIL_KAFKA_CLUSTER_ID", &required)?,
        topic: match text("SHOPTRAIL_KAFKA_TOPIC") {
            Some(_) => name("SHOPTRAIL_KAFKA_TOPIC", &required)?,
            None => "clickstream_event_v3".to_owned(),
        },
        schema_id: required("SHOPTRAIL_SCHEMA_ID")?.parse().map_err(|_| {
            let problem = "is not a number: take the id that Schema Registry gave the schema";
            ConfigError::new("SHOPTRAIL_SCHEMA_ID", problem)
        })?,
        api_key: required("SHOPTRAIL_KAFKA_API_KEY")?,
        api_secret: required("SHOPTRAIL_KAFKA_API_SECRET")?,
    })
}

fn rest_url(url: &str) -> Result<String, ConfigError> {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(ConfigError::new(
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
        Err(ConfigError::new(
            variable,
            "may have letters, digits, `.`, `_` and `-` only",
        ))
    }
}

fn hand_over(value: Option<&str>, problems: &mut Vec<ConfigError>) -> HandOver {
    match value {
        None | Some("queue") => HandOver::Queue,
        Some("direct") => HandOver::Direct,
        Some(_) => {
            let problem = "is neither `queue` nor `direct`: events take the queue";
            problems.push(ConfigError::new("SHOPTRAIL_HAND_OVER", problem));
            HandOver::Queue
        }
    }
}

fn rate_limits(value: Option<&str>, problems: &mut Vec<ConfigError>) -> bool {
    match value {
        None | Some("on") => true,
        Some("off") => false,
        Some(_) => {
            let problem = "is neither `on` nor `off`: the limits are on";
            problems.push(ConfigError::new("SHOPTRAIL_RATE_LIMITS", problem));
            true
        }
    }
}

/// Days, as milliseconds. A tracker keeps events for seven; a hundred years are for tests.
fn max_age_ms(days: Option<&str>, problems: &mut Vec<ConfigError>) -> i64 {
    const DAY_MS: i64 = 86_400_000;
    const DEFAULT: i64 = 7;
    let days = match days.map_or(Ok(DEFAULT), str::parse::<i64>) {
        Ok(days @ 1..=36_500) => days,
        _ => {
            let problem = "is not a number of days from 1 to 36500: events may be 7 days old";
            problems.push(ConfigError::new("SHOPTRAIL_MAX_AGE_DAYS", problem));
            DEFAULT
        }
    };
    days.saturating_mul(DAY_MS)
}

/// Reads `SHOPTRAIL_PREFIX`. Routes need it also when the rest of the configuration cannot be used.
///
/// # Errors
/// Returns an error if it is no path.
pub fn prefix(value: Option<&str>) -> Result<String, ConfigError> {
    let prefix = value.unwrap_or_default().trim_end_matches('/');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    if prefix.is_empty() || (prefix.starts_with('/') && prefix.bytes().all(is_plain)) {
        Ok(prefix.to_owned())
    } else {
        Err(ConfigError::new(
            "SHOPTRAIL_PREFIX",
            "is not a path like `/st` of letters, digits, `/`, `_` and `-`",
        ))
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
    fn defaults_are_the_queue_the_contracts_topic_and_limits() {
        let config = read(&[]).unwrap();
        assert_eq!(config.hand_over, HandOver::Queue);
        assert_eq!(config.kafka.topic, "clickstream_event_v3");
        assert_eq!(config.kafka.rest_url, "https://pkc.example/kafka");
        assert_eq!(config.shops.len(), 1);
        assert_eq!((config.has_rate_limits, config.prefix.as_str()), (true, ""));
    }

    #[test]
    fn settings_are_read() {
        let config = read(&[
            ("SHOPTRAIL_HAND_OVER", "direct"),
            ("SHOPTRAIL_RATE_LIMITS", "off"),
            ("SHOPTRAIL_PREFIX", "/st/"),
            ("SHOPTRAIL_KAFKA_TOPIC", "other_topic"),
        ])
        .unwrap();
        assert_eq!(config.hand_over, HandOver::Direct);
        assert_eq!(
            (config.has_rate_limits, config.prefix.as_str()),
            (false, "/st")
        );
        assert_eq!(config.kafka.topic, "other_topic");
    }

    #[test]
    fn error_names_the_variable_and_not_its_value() {
        for (variable, value) in [
            ("SHOPTRAIL_SHOPS", "{pk_secret"),
            ("SHOPTRAIL_KAFKA_REST_URL", "pk_secret"),
            ("SHOPTRAIL_KAFKA_CLUSTER_ID", "pk_secret/../x"),
            ("SHOPTRAIL_KAFKA_TOPIC", "pk_secret?x"),
            ("SHOPTRAIL_SCHEMA_ID", "pk_secret"),
            ("SHOPTRAIL_PREFIX", "pk_secret"),
            ("SHOPTRAIL_PREFIX", "/pk_secret?"),
            ("SHOPTRAIL_PRIVACY", "pk_secret"),
            ("SHOPTRAIL_KAFKA_API_KEY", ""),
        ] {
            let error = read(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(!error.to_string().contains("pk_secret"), "{error}");
        }
    }

    #[test]
    fn variable_with_a_safe_default_stops_no_shop_and_is_named() {
        for (variable, value) in [
            ("SHOPTRAIL_HAND_OVER", "pk_secret"),
            ("SHOPTRAIL_RATE_LIMITS", "pk_secret"),
            ("SHOPTRAIL_RULES", "pk_secret"),
            ("SHOPTRAIL_MAX_AGE_DAYS", "pk_secret"),
            ("SHOPTRAIL_MAX_AGE_DAYS", "0"),
            ("SHOPTRAIL_SHOPS", r#"[{"write_key":"pk_secret"}]"#),
        ] {
            let config = read(&[(variable, value)]).unwrap();
            let [problem] = config.problems.as_slice() else {
                panic!("{variable}: {:?}", config.problems)
            };
            assert_eq!(problem.variable, variable);
            assert!(!problem.to_string().contains("pk_secret"), "{problem}");
            assert_eq!(config.hand_over, HandOver::Queue);
            assert!(config.has_rate_limits);
            assert_eq!(
                (config.rules, config.max_age_ms),
                (Rules::default(), 604_800_000)
            );
        }
        assert_eq!(read(&[]).unwrap().problems, Vec::new());
    }

    #[test]
    fn rules_of_a_shop_that_is_not_there_are_named() {
        let rules = r#"{"shops":{"demo":{},"demmo":{}}}"#;
        let config = read(&[("SHOPTRAIL_RULES", rules)]).unwrap();
        let problems: Vec<String> = config.problems.iter().map(ToString::to_string).collect();
        let expected = "`SHOPTRAIL_RULES` `shops.demmo` is of no shop in `SHOPTRAIL_SHOPS`";
        assert_eq!(problems, [expected]);
    }

    #[test]
    fn cookie_that_would_hold_a_hash_of_the_id_is_not_set() {
        let shops = r#"[{"write_key":"k","shop_id":"b","origins":[],"identity_cookie":{"domain":"b.example"}}]"#;
        let hashed = [
            ("SHOPTRAIL_SHOPS", shops),
            ("SHOPTRAIL_PRIVACY", r#"{"fields":{"anonymous_id":"hash"}}"#),
            ("SHOPTRAIL_HASH_KEY", "hush-hush-hush-hush-hush-hush-hush"),
        ];
        let config = read(&hashed).unwrap();
        assert_eq!(config.shops[0].identity_cookie, None);
        assert_eq!(config.problems.len(), 1);
        let config = read(&hashed[..1]).unwrap();
        assert!(config.shops[0].identity_cookie.is_some());
        assert_eq!(config.problems, Vec::new());
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let config = read(&[("SHOPTRAIL_HASH_KEY", "hush-hush-hush-hush-hush-hush-hush")]).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
