//! Addresses: query parameters stay by an allow list, in the query and in a fragment that has some, and nobody's name or
//! password before the host.

use std::borrow::Cow;

use super::mask;

/// Parameters that stay by default: campaigns and click ids, and what shops use for searches, pages and variants. A name
/// that ends with `*` stands for all that begin so.
const ALLOWED: &[&str] = &[
    "utm_*",
    "gclid",
    "gclsrc",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "igshid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "srsltid",
    "epik",
    "sccid",
    "rdt_cid",
    "yclid",
    "irclickid",
    "mc_cid",
    "ref",
    "source",
    "campaign",
    "q",
    "query",
    "search",
    "s",
    "page",
    "p",
    "sort",
    "order",
    "category",
    "cat",
    "collection",
    "brand",
    "variant",
    "sku",
    "color",
    "colour",
    "size",
    "lang",
    "locale",
    "currency",
];

/// What ends a pair of a query. `&amp;` does too: then `amp` is a pair that nobody needs.
const fn ends_pair(character: char) -> bool {
    matches!(character, '&' | ';')
}

/// What begins pairs within a value, as it is or escaped.
const MARKS: &[u8] = b"?#&;";

/// Words before a secret in a fragment that has no pairs: `#token/s3cret`.
const SECRETS: [&str; 12] = [
    "token", "secret", "password", "passwd", "pwd", "jwt", "otp", "sid", "session", "apikey",
    "auth", "oauth",
];

/// What stands in an address for what was taken out.
const REDACTED: &str = "redacted";

/// Returns the address without what may not stay in it, or nothing if all may.
pub fn clean(address: &str, also_allowed: &[String], masks_texts: bool) -> Option<String> {
    // Most addresses have nothing to take out.
    let may_hold =
        address.contains(['?', '#', '@', '%', ';']) || (masks_texts && mask::may_find(address));
    if !may_hold || is_plain(address, also_allowed, masks_texts) {
        return None;
    }
    let (before, fragment) = split_at(address, '#');
    let (path, query) = split_at(before, '?');
    let mut cleaned = without_path_parameters(&without_user(without_hidden_pairs(path)));
    push_pairs(&mut cleaned, '?', query, also_allowed);
    match fragment.split_once('?') {
        // The route of a single-page app, with a query of its own.
        Some((route, query)) if !route.contains('=') => {
            cleaned.push('#');
            cleaned.push_str(&without_secrets(route));
            push_pairs(&mut cleaned, '?', query, also_allowed);
        }
        _ if holds_pairs(fragment) => push_pairs(&mut cleaned, '#', fragment, also_allowed),
        _ if before.len() < address.len() => {
            cleaned.push('#');
            cleaned.push_str(&without_secrets(fragment));
        }
        _ => {}
    }
    if masks_texts {
        if let Some(masked) = mask::clean_with(&cleaned, REDACTED, REDACTED) {
            cleaned = masked;
        }
        if cleaned.contains('%') {
            cleaned = without_escaped(&cleaned);
        }
    }
    (cleaned != address).then_some(cleaned)
}

/// Returns a text with every address in it cleaned, or nothing if all may stay.
pub fn clean_within(text: &str, also_allowed: &[String], masks_texts: bool) -> Option<String> {
    if text.starts_with(['?', '#']) && holds_pairs(text) {
        // What a page's script calls its search or its hash.
        return clean(text, also_allowed, masks_texts);
    }
    if !text.contains(['?', '#', '@']) || !text.contains('/') {
        return None;
    }
    let mut cleaned = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let (before, address) = word.split_at_checked(address_start(word))?;
        let changed = clean(address.trim_end(), also_allowed, masks_texts);
        let space = address.len().saturating_sub(address.trim_end().len());
        cleaned.push_str(before);
        match changed {
            Some(changed) => {
                cleaned.push_str(&changed);
                let end = address.len().saturating_sub(space);
                cleaned.push_str(address.get(end..).unwrap_or_default());
            }
            None => cleaned.push_str(address),
        }
    }
    (cleaned != text).then_some(cleaned)
}

/// Where in a word an address begins that may hold something: behind a bracket, a quote or an equals sign as well.
fn address_start(word: &str) -> usize {
    let Some(slash) = word.find('/') else {
        return word.len();
    };
    let marks = word.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    let has_pairs = marks.is_some_and(|mark| holds_pairs(word.get(mark..).unwrap_or_default()));
    if !has_pairs && !word.contains('@') {
        return word.len();
    }
    let before = word.get(..slash).unwrap_or_default();
    let is_opening = |byte| matches!(byte, b'(' | b'[' | b'<' | b'{' | b'"' | b'\'' | b'=');
    let opening = before.bytes().rposition(is_opening);
    opening.map_or(0, |opening| opening.saturating_add(1))
}

/// Whether there are names and values, as they are or with escapes.
fn holds_pairs(text: &str) -> bool {
    find_any(text, b"=").is_some()
}

/// Where the first of some marks stands, as it is or escaped, however often.
fn find_any(text: &str, marks: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|start| {
        let rest = bytes.get(*start..).unwrap_or_default();
        mask::escaped(rest).is_some_and(|(byte, _)| marks.contains(&byte))
    })
}

/// Cuts a path off where an escaped mark begins pairs: `/x%3Ftoken=1`.
fn without_hidden_pairs(path: &str) -> &str {
    let found = path.find('%').and_then(|escape| {
        let rest = path.get(escape..)?;
        let start = escape.saturating_add(find_any(rest, MARKS)?);
        holds_pairs(path.get(start..)?).then_some(start)
    });
    found.and_then(|start| path.get(..start)).unwrap_or(path)
}

/// Cuts a fragment off behind a word that says that a secret follows.
fn without_secrets(fragment: &str) -> String {
    let is_secret = |word: &str| SECRETS.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut kept = 0_usize;
    for part in fragment.split_inclusive(|character: char| !character.is_ascii_alphanumeric()) {
        kept = kept.saturating_add(part.len());
        if is_secret(part.trim_end_matches(|end: char| !end.is_ascii_alphanumeric())) {
            break;
        }
    }
    match fragment.split_at_checked(kept) {
        Some((before, secret)) if !secret.is_empty() => format!("{before}{REDACTED}"),
        _ => fragment.to_owned(),
    }
}

/// Puts a word for each part of an address that tells a person when its escapes are read.
fn without_escaped(address: &str) -> String {
    let is_end = |character| matches!(character, '/' | '?' | '&' | '=' | '#');
    let parts = address.split_inclusive(is_end).map(|part| {
        let (value, end) = match part.strip_suffix(is_end) {
            Some(value) => (value, part.get(value.len()..).unwrap_or_default()),
            None => (part, ""),
        };
        let hides = value.contains('%') && mask::clean(&decoded(value)).is_some();
        [if hides { REDACTED } else { value }, end]
    });
    parts.flatten().collect()
}

/// Reads the escapes of a part of an address, also of one that was escaped several times.
pub fn decoded(part: &str) -> String {
    const MOST: usize = 5;
    let mut text = part.to_owned();
    for _ in 0..MOST {
        match shoptrail_schemas::decode_parameter(&text) {
            Cow::Borrowed(_) => break,
            Cow::Owned(read) => text = read,
        }
    }
    text
}

/// Whether there is nothing before the host and nothing behind `#`, all parameters stay, and nothing is to be masked.
fn is_plain(address: &str, also_allowed: &[String], masks_texts: bool) -> bool {
    let all_stay = address.split_once('?').is_none_or(|(_, query)| {
        let mut pairs = query.split(ends_pair);
        pairs.all(|pair| is_allowed(pair, also_allowed) && without_address(pair) == pair)
    });
    let (path, _) = split_at(address, '?');
    all_stay
        && !address.contains(['#', '@', ';'])
        && without_hidden_pairs(path).len() == path.len()
        && !(masks_texts && mask::may_find(address))
}

fn split_at(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

/// Takes `user:password@` out of `https://user:password@host/`.
fn without_user(path: &str) -> String {
    let Some((scheme, rest)) = path.split_once("//") else {
        return path.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}//{host}{tail}")
}

/// Takes parameters out of the parts of a path: `/p;jsessionid=1/q`.
fn without_path_parameters(path: &str) -> String {
    let mut is_parameter = false;
    let stays = |character: &char| {
        is_parameter = *character == ';' || (is_parameter && *character != '/');
        !is_parameter
    };
    path.chars().filter(stays).collect()
}

/// Adds the pairs that may stay; the separator only if there are any, or if nothing stood behind it.
fn push_pairs(cleaned: &mut String, separator: char, query: &str, also_allowed: &[String]) {
    let mut separator = separator;
    for pair in query
        .split(ends_pair)
        .filter(|pair| is_allowed(pair, also_allowed))
    {
        cleaned.push(separator);
        cleaned.push_str(without_address(pair));
        separator = '&';
    }
}

/// Cuts off the query or fragment of an address that is a parameter's value, or pairs of its own, as it is or with escapes.
fn without_address(pair: &str) -> &str {
    let (name, _) = split_at(pair, '=');
    let value = pair.get(name.len()..).unwrap_or_default();
    let Some(start) = find_any(value, MARKS) else {
        return pair;
    };
    let query = value.get(start..).unwrap_or_default();
    // A question has no parameters.
    match holds_pairs(query) {
        true => pair.get(..name.len().saturating_add(start)).unwrap_or(name),
        false => pair,
    }
}

fn is_allowed(pair: &str, also_allowed: &[String]) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let fits = |allowed: &str| match allowed.strip_suffix('*') {
        Some(start) => name
            .get(..start.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(start)),
        None => name.eq_ignore_ascii_case(allowed),
    };
    // What masking would change in a name would make another parameter of it.
    !name.is_empty()
        && !mask::may_find(name)
        && (ALLOWED.iter().any(|allowed| fits(allowed))
            || also_allowed.iter().any(|allowed| fits(allowed)))
}

#[cfg(test)]
mod tests;
