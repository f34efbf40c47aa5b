//! What is known of a request beside its body: some of its headers, and what the platform says of it.

use std::ops::Range;

use crate::enrich::client_hints::ClientHints;
use crate::enrich::{Geography, RequestTraits};

/// How many facts there are.
const FACTS: usize = Fact::VerifiedBot as usize + 1;

/// What is known of a request, as `js/platform.js` writes it: a line each, `=` and the value, or nothing where there is none.
#[derive(Debug)]
pub struct RequestFacts {
    lines: String,
    /// Where each line is.
    places: [Range<usize>; FACTS],
}

/// One of the facts, in the order of the lines.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    /// The method.
    Method,
    /// The whole address.
    Url,
    /// `Content-Length`.
    ContentLength,
    /// `Origin`.
    Origin,
    /// `Cookie`.
    Cookie,
    /// `User-Agent`.
    UserAgent,
    /// `Sec-CH-UA`.
    Brands,
    /// `Sec-CH-UA-Mobile`.
    Mobile,
    /// `Sec-CH-UA-Platform`.
    Platform,
    /// `Accept-Language`.
    Language,
    /// `Sec-Fetch-Site`.
    FetchSite,
    /// `Sec-GPC`.
    Gpc,
    /// `CF-Connecting-IP`.
    Address,
    /// The country.
    Country,
    /// The region.
    Region,
    /// The city.
    City,
    /// The name of the network.
    Network,
    /// Bot Management's score.
    HumanScore,
    /// Whether Cloudflare knows it as a well-behaved program.
    VerifiedBot,
}

impl RequestFacts {
    /// Takes the lines.
    #[must_use]
    pub fn read(lines: String) -> Self {
        let mut places: [Range<usize>; FACTS] = Default::default();
        let mut start: usize = 0;
        for (place, line) in places.iter_mut().zip(lines.split('\n')) {
            let end = start.saturating_add(line.len());
            *place = start..end;
            start = end.saturating_add(1);
        }
        Self { lines, places }
    }

    /// Returns one of the facts.
    #[must_use]
    pub fn get(&self, fact: Fact) -> Option<&str> {
        let place = self.places.get(fact as usize)?.clone();
        self.lines.get(place)?.strip_prefix('=')
    }

    /// Returns the path that was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        let (_, path) = self.address();
        let end = path.find(['?', '#']).unwrap_or(path.len());
        match path.get(..end).unwrap_or_default() {
            "" => "/",
            path => path,
        }
    }

    /// Returns scheme and authority: what an address on the same host begins with.
    #[must_use]
    pub fn base(&self) -> &str {
        self.address().0
    }

    /// Returns the host that was asked, without its port.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let (_, authority) = self.base().split_once("://")?;
        match authority.split_once(']') {
            // An IPv6 address has colons of its own.
            Some((address, _)) => address.get(1..),
            None => authority.split(':').next(),
        }
    }

    /// The address in two: before its path, and from there on. The platform has made it regular.
    fn address(&self) -> (&str, &str) {
        let url = self.get(Fact::Url).unwrap_or_default();
        let authority = url.find("://").map_or(0, |found| found.saturating_add(3));
        let rest = url.get(authority..).unwrap_or_default();
        let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        url.split_at_checked(authority.saturating_add(length))
            .unwrap_or((url, ""))
    }

    /// Returns where the request came from, as far as the platform says.
    #[must_use]
    pub fn geography(&self) -> Geography {
        let owned = |fact| self.get(fact).map(str::to_owned);
        Geography {
            country: owned(Fact::Country),
            region: owned(Fact::Region),
            city: owned(Fact::City),
        }
    }

    /// Returns what tells one program from another.
    #[must_use]
    pub fn traits(&self) -> RequestTraits<'_> {
        RequestTraits {
            user_agent: self.get(Fact::UserAgent),
            hints: ClientHints {
                brands: self.get(Fact::Brands),
                mobile: self.get(Fact::Mobile),
                platform: self.get(Fact::Platform),
            },
            language: self.get(Fact::Language),
            fetch_site: self.get(Fact::FetchSite),
            network: self.get(Fact::Network),
            human_score: self
                .get(Fact::HumanScore)
                .and_then(|score| score.parse().ok()),
            gpc: self.get(Fact::Gpc).map(str::trim) == Some("1"),
            verified_bot: self.get(Fact::VerifiedBot) == Some("true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str) -> RequestFacts {
        RequestFacts::read(format!("=POST\n={url}\n\n=https://shop.example"))
    }

    #[test]
    fn facts_are_told_by_their_lines() {
        let facts = asked("https://track.shop.example/b");
        assert_eq!(facts.get(Fact::Method), Some("POST"));
        assert_eq!(facts.get(Fact::ContentLength), None);
        assert_eq!(facts.get(Fact::Origin), Some("https://shop.example"));
        assert_eq!(facts.get(Fact::VerifiedBot), None);
        assert_eq!(
            RequestFacts::read("=\n=".to_owned()).get(Fact::Url),
            Some("")
        );
    }

    #[test]
    fn address_has_base_host_and_path() {
        for (url, base, host, path) in [
            (
                "https://track.shop.example/st/b?x=/y#z",
                "https://track.shop.example",
                "track.shop.example",
                "/st/b",
            ),
            (
                "http://127.0.0.1:8787/b",
                "http://127.0.0.1:8787",
                "127.0.0.1",
                "/b",
            ),
            ("http://[::1]:80/", "http://[::1]:80", "::1", "/"),
            ("https://a.example", "https://a.example", "a.example", "/"),
        ] {
            let facts = asked(url);
            assert_eq!(facts.base(), base);
            assert_eq!(facts.host(), Some(host));
            assert_eq!(facts.path(), path);
        }
    }

    #[test]
    fn platforms_words_become_traits() {
        let mut lines = vec![""; 19];
        lines[Fact::Gpc as usize] = "= 1";
        lines[Fact::HumanScore as usize] = "=2";
        lines[Fact::VerifiedBot as usize] = "=true";
        lines[Fact::City as usize] = "=Bad Homburg";
        let facts = RequestFacts::read(lines.join("\n"));
        let traits = facts.traits();
        assert_eq!(
            (traits.gpc, traits.human_score, traits.verified_bot),
            (true, Some(2), true)
        );
        assert_eq!(traits.user_agent, None);
        assert_eq!(facts.geography().city.as_deref(), Some("Bad Homburg"));
    }
}
