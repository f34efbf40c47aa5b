//! The shops that may send events. Each entry stands on its own: one that cannot be used stops one shop, not all of them;
//! and so does each of its origins, and its cookie. What is left out always allows less.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use shoptrail_schemas::derive::is_public_suffix;

use super::ConfigError;

const VARIABLE: &str = "SHOPTRAIL_SHOPS";

/// Longest life of a cookie in days, Chromium's: longer ones are cut to it.
const MAX_COOKIE_DAYS: u32 = 400;

/// One shop that may send events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopConfig {
    /// The public key that stands in the shop's pages.
    pub write_key: String,
    /// The shop's id in every table.
    pub shop_id: String,
    /// The origins whose pages may use the key, exact: `https://shop.example`.
    pub origins: Vec<String>,
    /// Whether pages in an opaque origin may use the key: `Origin: null`, as in Shopify's custom pixels.
    pub allow_null_origin: bool,
    /// Whether requests without an `Origin` may use the key: programs, such as the shop's own server.
    pub allow_missing_origin: bool,
    /// The cookie that keeps a visitor's id, if the edge is to set it.
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

/// Reads the list. Returns the shops, and what is not used of it and why.
///
/// # Errors
/// Returns an error if the whole is not a JSON list.
pub fn read(json: &str) -> Result<(Vec<ShopConfig>, Vec<ConfigError>), ConfigError> {
    let entries: Vec<&RawValue> = serde_json::from_str(json).map_err(|cause| {
        let (line, column) = (cause.line(), cause.column());
        let problem = format!("is not a JSON list of shops: line {line}, column {column}");
        ConfigError::new(VARIABLE, problem)
    })?;
    let mut shops: Vec<ShopConfig> = Vec::new();
    let mut problems = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let mut unused = Vec::new();
        match shop(entry.get(), &shops, &mut unused) {
            Ok(shop) => shops.push(shop),
            Err(problem) => unused = vec![format!("is not used: {problem}")],
        }
        let named = unused
            .into_iter()
            .map(|problem| ConfigError::new(VARIABLE, format!("entry {position} {problem}")));
        problems.extend(named);
    }
    Ok((shops, problems))
}

/// Takes the cookies away where visitors' ids are hashed: the cookie would hold the hash, the tracker would send it as the id,
/// and each visit would be another visitor's.
pub fn without_cookies(shops: &mut [ShopConfig], problems: &mut Vec<ConfigError>) {
    for shop in shops {
        if shop.identity_cookie.take().is_some() {
            let problem = format!(
                "sets no cookie for `{}`: `SHOPTRAIL_PRIVACY` hashes `anonymous_id`",
                shop.shop_id
            );
            problems.push(ConfigError::new(VARIABLE, problem));
        }
    }
}

/// Reads one entry; what is wrong with it does not quote it. Adds what of it is not used.
fn shop(
    json: &str,
    earlier: &[ShopConfig],
    unused: &mut Vec<String>,
) -> Result<ShopConfig, String> {
    let mut fields: Fields<'_> =
        serde_json::from_str(json).map_err(|_| "it is not a JSON object".to_owned())?;
    let write_key = needed(&mut fields, "write_key")?;
    let shop_id = needed(&mut fields, "shop_id")?;
    if earlier.iter().any(|other| other.write_key == write_key) {
        return Err("its `write_key` is that of an earlier entry".to_owned());
    }
    let shop = ShopConfig {
        write_key,
        shop_id,
        origins: origins(fields.remove("origins"), unused),
        allow_null_origin: switch(&mut fields, "allow_null_origin", unused),
        allow_missing_origin: switch(&mut fields, "allow_missing_origin", unused),
        identity_cookie: fields
            .remove("identity_cookie")
            .and_then(|cookie| identity_cookie(cookie, unused)),
    };
    let unknown = fields.keys();
    unused.extend(unknown.map(|name| format!("has a field `{name}`, which no shop has")));
    Ok(shop)
}

/// An entry's fields, by their names.
type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn needed(fields: &mut Fields<'_>, name: &str) -> Result<String, String> {
    let Some(value) = fields.remove(name) else {
        return Err(format!("`{name}` is missing"));
    };
    match serde_json::from_str::<String>(value.get()) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(format!("`{name}` is empty")),
        Err(_) => Err(format!("`{name}` is not a text")),
    }
}

fn switch(fields: &mut Fields<'_>, name: &str, unused: &mut Vec<String>) -> bool {
    match fields.remove(name).map(RawValue::get) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            unused.push(format!(
                "has `{name}` off: it is neither `true` nor `false`"
            ));
            false
        }
    }
}

fn origins(list: Option<&RawValue>, unused: &mut Vec<String>) -> Vec<String> {
    let list = list.and_then(|list| serde_json::from_str::<Vec<&RawValue>>(list.get()).ok());
    let Some(list) = list else {
        unused.push("lets no page in: `origins` is no list".to_owned());
        return Vec::new();
    };
    let mut origins = Vec::with_capacity(list.len());
    for (position, origin) in list.into_iter().enumerate() {
        match serde_json::from_str::<String>(origin.get()) {
            Ok(origin) if is_origin(&origin) => origins.push(origin),
            _ => unused.push(format!(
                "does not use origin {position}: it is not as browsers write it, like `https://shop.example`, in lower case, without a path or a slash at the end"
            )),
        }
    }
    origins
}

fn identity_cookie(cookie: &RawValue, unused: &mut Vec<String>) -> Option<IdentityCookie> {
    let problem = match serde_json::from_str::<Option<IdentityCookie>>(cookie.get()) {
        Err(_) => "it has not `domain`, a text, and perhaps `days`, a number",
        Ok(None) => return None,
        Ok(Some(cookie)) if !is_domain(&cookie.domain) => {
            "`domain` is no domain like `shop.example`"
        }
        Ok(Some(cookie)) if is_public_suffix(&cookie.domain) => {
            "`domain` is not the shop's alone: browsers refuse the cookie"
        }
        Ok(Some(cookie)) if !(1..=MAX_COOKIE_DAYS).contains(&cookie.days) => {
            "`days` is not from 1 to 400"
        }
        Ok(cookie) => return cookie,
    };
    unused.push(format!("sets no cookie: `identity_cookie`: {problem}"));
    None
}

/// Whether browsers would write an origin so: scheme and host in lower case, a port if it is not the scheme's own, nothing
/// after it.
fn is_origin(text: &str) -> bool {
    let (host, own_port) = match text.split_once("://") {
        Some(("https", host)) => (host, ":443"),
        Some(("http", host)) => (host, ":80"),
        _ => return false,
    };
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
    };
    !host.is_empty() && host.bytes().all(is_plain) && !host.ends_with(own_port)
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

    #[test]
    fn entry_that_cannot_be_used_is_named_without_its_values() {
        for (entry, expected) in [
            (GOOD, "its `write_key` is that of an earlier entry"),
            (
                r#"{"write_key":"","shop_id":"pk_secret","origins":[]}"#,
                "`write_key` is empty",
            ),
            (
                r#"{"write_key":"pk_secret","origins":[]}"#,
                "`shop_id` is missing",
            ),
            (
                r#"{"write_key":["pk_secret"],"shop_id":"b","origins":[]}"#,
                "`write_key` is not a text",
            ),
            (r#""pk_secret""#, "it is not a JSON object"),
        ] {
            let (shops, problems) = read(&format!("[{GOOD},{entry}]")).unwrap();
            assert_eq!((shops.len(), problems.len()), (1, 1), "{entry}");
            let problem = problems[0].to_string();
            let expected = format!("`SHOPTRAIL_SHOPS` entry 1 is not used: {expected}");
            assert_eq!(problem, expected);
        }
    }

    /// A shop with changed fields, beside a good one.
    fn shop_with(fields: &str) -> (ShopConfig, Vec<String>) {
        let entry = format!(r#"{{"write_key":"k","shop_id":"b",{fields}}}"#);
        let (mut shops, problems) = read(&format!("[{GOOD},{entry}]")).unwrap();
        assert_eq!(shops.len(), 2, "{entry}");
        let problems = problems.iter().map(ToString::to_string).collect();
        (shops.remove(1), problems)
    }

    #[test]
    fn origin_that_cannot_be_used_takes_no_other_along() {
        for origin in [
            r#""https://pk-secret.example/""#,
            r#""shop.example""#,
            r#""https://""#,
            r#""https://A.example""#,
            r#""https://*.a.example""#,
            r#""https://a.example:443""#,
            r#""http://a.example:80""#,
            r#""null""#,
            "17",
        ] {
            let list = format!(r#""origins":["https://b.example:8443",{origin},"http://[::1]"]"#);
            let (shop, problems) = shop_with(&list);
            assert_eq!(shop.origins, ["https://b.example:8443", "http://[::1]"]);
            assert_eq!(problems.len(), 1);
            let expected = "`SHOPTRAIL_SHOPS` entry 1 does not use origin 1: ";
            assert!(problems[0].starts_with(expected), "{problems:?}");
            assert!(!problems[0].contains("secret"), "{problems:?}");
        }
    }

    #[test]
    fn cookie_that_cannot_be_set_takes_no_shop_along() {
        for (cookie, expected) in [
            (r#"{"domain":"localhost"}"#, "no domain"),
            (r#"{"domain":"a..b"}"#, "no domain"),
            (r#"{"domain":"co.uk"}"#, "browsers refuse"),
            (r#"{"domain":"b.example","days":0}"#, "from 1 to 400"),
            (r#"{"domain":"b.example","days":401}"#, "from 1 to 400"),
            (r#"{"domain":"b.example","day":9}"#, "perhaps `days`"),
            (r#""pk_secret""#, "`domain`, a text"),
        ] {
            let fields = format!(r#""origins":["https://b.example"],"identity_cookie":{cookie}"#);
            let (shop, problems) = shop_with(&fields);
            assert_eq!((shop.origins.len(), shop.identity_cookie), (1, None));
            assert_eq!(problems.len(), 1);
            assert!(
                problems[0].contains("entry 1 sets no cookie"),
                "{problems:?}"
            );
            assert!(problems[0].contains(expected), "{problems:?}");
            assert!(!problems[0].contains("pk_secret"), "{problems:?}");
        }
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_type_allows_nothing() {
        for (fields, expected) in [
            (
                r#""origins":[],"allow_null_origin":"true""#,
                "has `allow_null_origin` off",
            ),
            (
                r#""origins":[],"allow_missing_origin":1"#,
                "has `allow_missing_origin` off",
            ),
            (
                r#""origins":[],"alow_null_origin":true"#,
                "has a field `alow_null_origin`",
            ),
            (r#""origins":"https://b.example""#, "lets no page in"),
            (r#""allow_null_origin":false"#, "lets no page in"),
        ] {
            let (shop, problems) = shop_with(fields);
            assert!(shop.origins.is_empty());
            assert!(
                !shop.allow_null_origin && !shop.allow_missing_origin,
                "{fields}"
            );
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }

    #[test]
    fn strangers_are_refused_unless_a_key_says_otherwise() {
        let (shop, _) = shop_with(r#""origins":[]"#);
        assert!(!shop.allow_null_origin && !shop.allow_missing_origin);
        let (shop, problems) = shop_with(r#""origins":[],"allow_null_origin":true"#);
        assert!(shop.allow_null_origin && problems.is_empty());
    }

    #[test]
    fn cookie_lasts_thirteen_months_unless_set() {
        let (shop, problems) =
            shop_with(r#""origins":[],"identity_cookie":{"domain":"shop.co.uk"}"#);
        assert_eq!(shop.identity_cookie.unwrap().days, 395);
        assert!(problems.is_empty(), "{problems:?}");
        let (shop, problems) = shop_with(r#""origins":[],"identity_cookie":null"#);
        assert_eq!((shop.identity_cookie, problems), (None, Vec::new()));
    }
}
