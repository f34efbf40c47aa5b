//! Addresses: host, path and parameters of a URL, cut out of the text without a parser of all URLs.

use std::borrow::Cow;

use crate::derive::is_campaign_parameter;
use crate::placeholder::trimmed;

/// The parts of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// Without port and without a leading `www.`, in lower case.
    pub host: String,
    /// At least `/`.
    pub path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

/// Reads an address of a page or an app (`android-app://com.google.android.gm/`). `None` if it is none, or has no host.
pub(crate) fn parse(text: &str) -> Option<Address<'_>> {
    let (scheme, rest) = text.split_once("://")?;
    if !["https", "http", "android-app", "ios-app"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some(Address {
        host: host(authority)?,
        path: if path.is_empty() { "/" } else { path },
        query,
        fragment,
    })
}

fn host(authority: &str) -> Option<String> {
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.split_once(']') {
        // An IPv6 address has colons of its own.
        Some((address, _)) => address.strip_prefix('[')?,
        None if host.starts_with('[') => return None,
        None => host.split(':').next()?,
    };
    let mut host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.starts_with("www.") {
        host.drain(..4);
    }
    (!host.is_empty()).then_some(host)
}

impl<'a> Address<'a> {
    /// Returns the parameters as they are written: those of the query, then those after `#`, where pages with routes of
    /// their own have them (`#/sale?utm_source=…`).
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (_, of_fragment) = self.fragment.split_once('?').unwrap_or(("", self.fragment));
        [self.query, of_fragment]
            .into_iter()
            .flat_map(|parameters| parameters.split('&'))
            .filter_map(|parameter| {
                // Addresses that were copied out of HTML have `&amp;` between parameters.
                parameter
                    .strip_prefix("amp;")
                    .unwrap_or(parameter)
                    .split_once('=')
            })
    }
}

/// Escapes what no address has: spaces and control characters. What stands around it is left out.
pub(crate) fn escape_spaces(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in trimmed(text).chars() {
        match character {
            '\0'..=' ' | '\u{7f}' => {
                escaped.push('%');
                for digit in [u32::from(character) / 16, u32::from(character) % 16] {
                    escaped.extend(char::from_digit(digit, 16));
                }
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Decodes the value of an address's parameter: `+` is a space, `%20` too.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, escape(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the byte that two hexadecimal digits stand for.
fn escape(digits: &[u8]) -> Option<u8> {
    let digit = |position: usize| char::from(*digits.get(position)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Cuts an address to so many characters. The parameters of a campaign stay as long as they fit, all others go.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    let base_end = text.find(['?', '#']).unwrap_or(text.len());
    let base = text.get(..base_end).unwrap_or(text);
    let parameters = parse(text).map_or_else(String::new, |address| {
        let campaign = address
            .parameters()
            .filter(|(name, _)| is_campaign_parameter(name));
        let kept: Vec<String> = campaign
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        kept.join("&")
    });
    if parameters.is_empty() {
        return base.chars().take(max).collect();
    }
    // Without its campaign a long path is of no use: it gives way.
    let room = max.saturating_sub(parameters.chars().count() + 1);
    let base: String = base.chars().take(room.max(max / 2)).collect();
    let whole = format!("{base}?{parameters}");
    whole.chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String)> {
        parse(text).map(|address| (address.host, address.path.to_owned()))
    }

    #[test]
    fn host_and_path_are_cut_out() {
        for (text, host, path) in [
            ("https://shop.example", "shop.example", "/"),
            (
                "https://www.Shop.example:8443/a/b?c#d",
                "shop.example",
                "/a/b",
            ),
            ("http://user:pass@shop.example?x=/y", "shop.example", "/"),
            ("https://shop.example.#/route", "shop.example", "/"),
            ("http://[::1]:80/x", "::1", "/x"),
            ("https://127.0.0.1:8080/p", "127.0.0.1", "/p"),
            (
                "android-app://com.google.android.gm/",
                "com.google.android.gm",
                "/",
            ),
            ("HTTPS://www.www.example/", "www.example", "/"),
        ] {
            assert_eq!(
                parts(text),
                Some((host.to_owned(), path.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "",
            "nonsense",
            "https://",
            "https:///path",
            "about:blank",
            "ftp://a/",
            "://a",
            "http://[",
            "http://@:1",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn parameters_are_found_in_query_and_fragment() {
        for text in [
            "https://a/?x=1&utm_source=n",
            "https://a/?x=1&amp;utm_source=n",
            "https://a/#/sale?x=1&utm_source=n",
            "https://a/?x=1#utm_source=n",
        ] {
            let address = parse(text).unwrap();
            let found: Vec<_> = address.parameters().collect();
            assert_eq!(found, [("x", "1"), ("utm_source", "n")], "{text}");
        }
        let address = parse("https://a/?&&flag&=&empty=").unwrap();
        assert_eq!(
            address.parameters().collect::<Vec<_>>(),
            [("", ""), ("empty", "")]
        );
    }

    #[test]
    fn values_are_decoded() {
        for (text, decoded) in [
            ("plain", "plain"),
            ("social%20media", "social media"),
            ("a+b", "a b"),
            ("%C3%a4", "ä"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decode(text), decoded, "{text}");
        }
    }

    #[test]
    fn long_address_keeps_its_campaign() {
        let long = format!(
            "https://shop.example/p?q={}&utm_source=news&gclid=1",
            "x".repeat(3_000)
        );
        assert_eq!(
            shorten(&long, 2048),
            "https://shop.example/p?utm_source=news&gclid=1"
        );
        let path = format!("https://shop.example/{}?utm_source=news", "ä".repeat(3_000));
        let short = shorten(&path, 100);
        assert_eq!(short.chars().count(), 100);
        assert!(short.ends_with("?utm_source=news"));
        let campaign = format!("https://shop.example/?utm_source={}", "x".repeat(3_000));
        assert_eq!(shorten(&campaign, 100).chars().count(), 100);
        let plain = format!("https://shop.example/#{}", "x".repeat(3_000));
        assert_eq!(shorten(&plain, 100), "https://shop.example/");
    }
}
