//! What is read from a request beside its body.

use worker::Request;

use crate::enrich::client_hints::ClientHints;
use crate::enrich::{Geography, RequestTraits};

/// Returns a header.
pub fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).ok().flatten()
}

/// Returns the host that was asked, without its port.
pub fn host(request: &Request) -> Option<String> {
    request.url().ok()?.host_str().map(str::to_owned)
}

/// Returns where the request came from, as far as the platform says.
pub fn geography(request: &Request) -> Geography {
    request
        .cf()
        .map_or_else(Geography::default, |cf| Geography {
            country: cf.country(),
            region: cf.region(),
            city: cf.city(),
        })
}

/// The headers, and what the platform knows, that tell one program from another.
#[derive(Debug)]
pub struct Headers {
    user_agent: Option<String>,
    brands: Option<String>,
    mobile: Option<String>,
    platform: Option<String>,
    language: Option<String>,
    fetch_site: Option<String>,
    gpc: Option<String>,
    network: Option<String>,
    human_score: Option<u8>,
    verified_bot: bool,
}

impl Headers {
    /// Reads them.
    pub fn read(request: &Request) -> Self {
        let cf = request.cf();
        let bots = cf.and_then(worker::Cf::bot_management);
        Self {
            user_agent: header(request, "User-Agent"),
            brands: header(request, "Sec-CH-UA"),
            mobile: header(request, "Sec-CH-UA-Mobile"),
            platform: header(request, "Sec-CH-UA-Platform"),
            language: header(request, "Accept-Language"),
            fetch_site: header(request, "Sec-Fetch-Site"),
            gpc: header(request, "Sec-GPC"),
            network: cf.and_then(worker::Cf::as_organization),
            human_score: bots
                .as_ref()
                .and_then(|bots| u8::try_from(bots.score()).ok()),
            verified_bot: bots.is_some_and(|bots| bots.verified_bot()),
        }
    }

    /// Returns them as enrichment takes them.
    pub fn traits(&self) -> RequestTraits<'_> {
        RequestTraits {
            user_agent: self.user_agent.as_deref(),
            hints: ClientHints {
                brands: self.brands.as_deref(),
                mobile: self.mobile.as_deref(),
                platform: self.platform.as_deref(),
            },
            language: self.language.as_deref(),
            fetch_site: self.fetch_site.as_deref(),
            network: self.network.as_deref(),
            human_score: self.human_score,
            gpc: self.gpc.as_deref().map(str::trim) == Some("1"),
            verified_bot: self.verified_bot,
        }
    }
}
