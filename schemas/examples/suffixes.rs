//! Writes `data/public_suffixes.txt` from the public suffix list:
//! `cargo run -p shoptrail-schemas --example suffixes -- public_suffix_list.dat`.
//!
//! Top-level domains are left out, because every name without dots is one. Rules of three labels and more are left out too:
//! cities and regions of clouds, half of the list's bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = env::args().nth(1).ok_or("usage: suffixes LIST")?;
    let list = fs::read_to_string(list)?;
    let rules: BTreeSet<String> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .filter(|rule| rule.contains('.'))
        .filter(|rule| rule.starts_with(['*', '!']) || rule.matches('.').count() == 1)
        .map(ascii)
        .collect::<Result<_, _>>()?;
    let mut below: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, top) in rules.iter().filter_map(|rule| rule.rsplit_once('.')) {
        below.entry(top).or_default().insert(name);
    }
    let line = |(top, names): (&str, BTreeSet<&str>)| {
        let names: Vec<&str> = names.into_iter().collect();
        format!("{top} {}\n", names.join(" "))
    };
    let text: String = below.into_iter().map(line).collect();
    let target = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/public_suffixes.txt"
    ));
    fs::write(target, text)?;
    Ok(())
}

/// Writes a rule as browsers write hosts (RFC 3492).
fn ascii(rule: &str) -> Result<String, url::ParseError> {
    let (prefix, name) = rule
        .strip_prefix("*.")
        .map(|name| ("*.", name))
        .or_else(|| rule.strip_prefix('!').map(|name| ("!", name)))
        .unwrap_or(("", rule));
    let host = url::Host::parse(name)?;
    Ok(format!("{prefix}{host}"))
}
