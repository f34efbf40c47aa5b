//! The shops that may send events. Each entry stands on its own: one that cannot be used stops one shop, not all of them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ConfigError;

const VARIABLE: &str = "SHOPTRAIL_SHOPS";

/// One shop that may send events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopConfig {
    /// The public key that stands in the shop's pages.
    pub write_key: String,
    /// The shop's id in every table.
    pub shop_id: String,
    /// The origins whose pages may use the key, exact: `https://shop.example`.
    pub origins: Vec<String>,
    /// Whether pages in an opaque origin may use the key: `Origin: null`, as in Shopify's custom pixels.
    #[serde(default)]
    pub allow_null_origin: bool,
    /// Whether requests without an `Origin` may use the key: programs, such as the shop's own server.
    #[serde(default)]
    pub allow_missing_origin: bool,
    /// The cookie that keeps a visitor's id, if the edge is to set it.
    #[serde(default)]
    pub identity_cookie: Option<IdentityCookie>,
}

/// The first-party cookie that the edge sets over HTTP, with consent only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityCookie {
    /// The shop's registrable domain, such as `shop.example`: all of its hosts share the cookie.
    pub domain: String,
    /// How long it lasts, in days, counted from the last visit.
    #[serde(default = "default_days")]
    pub days: u32,
}

/// Thirteen months, as the tracker's own.
fn default_days() -> u32 {
    395
}

/// Reads the list. Returns the shops, and what is wrong with the entries that are none.
///
/// # Errors
/// Returns an error if the whole is not a JSON list.
pub fn read(json: &str) -> Result<(Vec<ShopConfig>, Vec<ConfigError>), ConfigError> {
    let entries: Vec<&RawValue> = serde_json::from_str(json).map_err(|cause| {
        ConfigError::new(VARIABLE, format!("is not a JSON list of shops: {cause}"))
    })?;
    let mut shops: Vec<ShopConfig> = Vec::new();
    let mut disabled = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        match shop(entry.get(), &shops) {
            Ok(shop) => shops.push(shop),
            Err(problem) => disabled.push(ConfigError::new(
                VARIABLE,
                format!("entry {position} is not used: {problem}"),
            )),
        }
    }
    Ok((shops, disabled))
}

/// Reads one entry; what is wrong with it does not quote it.
fn shop(json: &str, earlier: &[ShopConfig]) -> Result<ShopConfig, String> {
    let shop: ShopConfig = serde_json::from_str(json).map_err(|cause| described(&cause))?;
    if shop.write_key.is_empty() || shop.shop_id.is_empty() {
        return Err("`write_key` or `shop_id` is empty".to_owned());
    }
    if earlier
        .iter()
        .any(|other| other.write_key == shop.write_key)
    {
        return Err("its `write_key` is that of an earlier entry".to_owned());
    }
    if !shop.origins.iter().all(|origin| is_origin(origin)) {
        return Err(
            "`origins` has an entry that is no origin like `https://shop.example`".to_owned(),
        );
    }
    match &shop.identity_cookie {
        Some(cookie) if !is_domain(&cookie.domain) => {
            Err("`identity_cookie.domain` is no domain like `shop.example`".to_owned())
        }
        _ => Ok(shop),
    }
}

/// serde's sentence, without the values that it quotes for a wrong type.
fn described(cause: &serde_json::Error) -> String {
    let sentence = cause.to_string();
    match sentence.split_once("invalid type") {
        Some(_) => format!("a value of the wrong type in column {}", cause.column()),
        None => sentence,
    }
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

/// Whether it is a host's name with a dot inside, in lower case.
fn is_domain(text: &str) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    text.bytes().all(is_plain)
        && text.split('.').count() > 1
        && text.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"write_key":"pk_a","shop_id":"a","origins":["https://a.example"]}"#;

    fn problem(entry: &str) -> String {
        let (shops, disabled) = read(&format!("[{GOOD},{entry}]")).unwrap();
        assert_eq!((shops.len(), disabled.len()), (1, 1), "{entry}");
        disabled[0].to_string()
    }

    #[test]
    fn entry_that_cannot_be_used_is_named_without_its_values() {
        for (entry, expected) in [
            (GOOD, "its `write_key` is that of an earlier entry"),
            (
                r#"{"write_key":"","shop_id":"b","origins":[]}"#,
                "`write_key` or `shop_id` is empty",
            ),
            (
                r#"{"write_key":"pk_secret","origins":[]}"#,
                "missing field `shop_id`",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":["https://pk_secret/"]}"#,
                "no origin like",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":["shop.example"]}"#,
                "no origin like",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":["https://"]}"#,
                "no origin like",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":["https://A.example"]}"#,
                "no origin like",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":"pk_secret"}"#,
                "wrong type",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":[],"identity_cookie":{"domain":"localhost"}}"#,
                "no domain",
            ),
            (
                r#"{"write_key":"k","shop_id":"b","origins":[],"identity_cookie":{"domain":"a..b"}}"#,
                "no domain",
            ),
            ("17", "wrong type"),
        ] {
            let problem = problem(entry);
            assert!(
                problem.starts_with("`SHOPTRAIL_SHOPS` entry 1 is not used: "),
                "{problem}"
            );
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("pk_secret"), "{problem}");
        }
    }

    #[test]
    fn strangers_are_refused_unless_a_key_says_otherwise() {
        let (shops, _) = read(&format!("[{GOOD}]")).unwrap();
        assert!(!shops[0].allow_null_origin && !shops[0].allow_missing_origin);
    }

    #[test]
    fn cookie_lasts_thirteen_months_unless_set() {
        let entry = r#"{"write_key":"k","shop_id":"b","origins":[],"identity_cookie":{"domain":"shop.co.uk"}}"#;
        let (shops, _) = read(&format!("[{entry}]")).unwrap();
        assert_eq!(shops[0].identity_cookie.as_ref().unwrap().days, 395);
    }
}
