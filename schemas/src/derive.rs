//! What one event tells by itself, derived once: at the edge, or where a record is landed that lacks it. So Confluent's
//! sink, SQL engines and polars start from the same columns, and none of them parses an address.

mod campaign;
mod channel;
mod domain;
mod memory;
mod referrer;
mod rules;
mod sorted;
mod source;

use serde::{Deserialize, Serialize};

use crate::address;
use crate::clock::Clock;
use crate::consent::ConsentState;
use crate::event::{Consent, Event};
use crate::money;
use memory::Memory;

pub(crate) use campaign::is_campaign_parameter;
pub use channel::Channel;
pub use domain::is_public_suffix;
pub use referrer::ReferrerKind;
pub use rules::{Rules, ShopRules, SourceCategory};

/// The version of what is derived: of the code, of GA4's source categories and of the public suffix list together.
pub const RULES_VERSION: u32 = 1;

/// How many buckets visitors are spread over.
pub const VISITOR_BUCKETS: u8 = 64;

/// What is derived from: an event's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts<'a> {
    /// The browser's id.
    pub anonymous_id: &'a str,
    /// When it happened by the browser's clock, in milliseconds since the epoch.
    pub event_timestamp: i64,
    /// The address of the page.
    pub page_url: &'a str,
    /// Where the shopper came from.
    pub referrer_url: Option<&'a str>,
    /// The currency of all amounts.
    pub currency: Option<&'a str>,
    /// What the event is worth, in the major unit.
    pub value: Option<f64>,
    /// The tax, in the major unit.
    pub tax: Option<f64>,
    /// The cost of shipping, in the major unit.
    pub shipping: Option<f64>,
    /// What the page said about consent.
    pub consent: Consent,
    /// The amounts of the products.
    pub items: Vec<ItemFacts>,
}

/// The amounts of one product, in the major unit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ItemFacts {
    /// What one piece costs.
    pub price: Option<f64>,
    /// The discount on one piece.
    pub discount: Option<f64>,
    /// How many pieces; absent means 1.
    pub quantity: Option<f64>,
}

/// What the edge knows about the request an event came in, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The shop.
    pub shop_id: &'a str,
    /// Whether the browser sent `Sec-GPC: 1`.
    pub gpc: bool,
    /// What the clocks said.
    pub clock: Clock,
}

/// What one event tells by itself. In a record these are fields of `edge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Derived {
    /// When it happened, in milliseconds since the epoch: the browser's clock, corrected where it is clearly off.
    #[cfg_attr(
        feature = "json-schema",
        schemars(range(min = 0, max = 253_402_300_799_999i64))
    )]
    pub event_time: i64,
    /// Whether the browser's clock was corrected.
    pub clock_corrected: bool,
    /// The visitor's bucket, 0 to 63: FNV-1a (64 bits) of shop, a byte 0x1f and visitor, its two halves XORed, modulo 64.
    #[cfg_attr(feature = "json-schema", schemars(range(max = 63)))]
    pub visitor_bucket: u8,
    /// The page's host in lower case, without port and without `www.`.
    pub page_host: String,
    /// The page's path without query, at least `/`.
    pub page_path: String,
    /// `utm_source`, or the platform that a click id names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_source: Option<String>,
    /// `utm_medium`, or what a click id stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_medium: Option<String>,
    /// `utm_campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_name: Option<String>,
    /// `utm_term`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_term: Option<String>,
    /// `utm_content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_content: Option<String>,
    /// The id that a platform gave the click.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id: Option<String>,
    /// The click id's name: `gclid`, `msclkid`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id_kind: Option<String>,
    /// The referrer's host, in the form of `page_host`; an app's name for an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_host: Option<String>,
    /// What kind of place the referrer is.
    pub referrer_kind: ReferrerKind,
    /// The channel, by GA4's default channel group.
    pub channel: Channel,
    /// `value` in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub value_minor: Option<i64>,
    /// `tax` in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub tax_minor: Option<i64>,
    /// `shipping` in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub shipping_minor: Option<i64>,
    /// The amounts of the products, in the order of `items`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item_amounts: Vec<ItemAmounts>,
    /// Consent to measuring visits, after Global Privacy Control.
    pub consent_analytics: ConsentState,
    /// Consent to advertising, after Global Privacy Control.
    pub consent_ads: ConsentState,
    /// The version of the rules that derived this.
    #[cfg_attr(feature = "json-schema", schemars(range(max = 1_000_000)))]
    pub rules_version: u32,
}

/// The amounts of one product, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct ItemAmounts {
    /// What one piece costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub price_minor: Option<i64>,
    /// The discount on one piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub discount_minor: Option<i64>,
    /// Price × quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(range(min = -10_000_000_000_000_000i64, max = 10_000_000_000_000_000i64)))]
    pub amount_minor: Option<i64>,
}

impl Event {
    /// Returns what is derived from.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        let items = self.items.iter().flatten().map(|item| ItemFacts {
            price: item.price,
            discount: item.discount,
            quantity: item.quantity,
        });
        Facts {
            anonymous_id: &self.anonymous_id,
            event_timestamp: self.event_timestamp,
            page_url: &self.page_url,
            referrer_url: self.referrer_url.as_deref(),
            currency: self.currency.as_deref(),
            value: self.value,
            tax: self.tax,
            shipping: self.shipping,
            consent: self.consent,
            items: items.collect(),
        }
    }
}

/// Derives what an event tells by itself.
#[must_use]
pub fn event(facts: &Facts<'_>, request: &Request<'_>, rules: &Rules) -> Derived {
    Deriver::new(*request, rules).event(facts)
}

/// Derives what the events of one request tell, each by itself.
#[derive(Debug)]
pub struct Deriver<'a> {
    request: Request<'a>,
    rules: &'a ShopRules,
    memory: Memory,
}

impl<'a> Deriver<'a> {
    /// Starts with the first event of a request.
    #[must_use]
    pub fn new(request: Request<'a>, rules: &'a Rules) -> Self {
        Self {
            rules: rules.of(request.shop_id),
            request,
            memory: Memory::default(),
        }
    }

    /// Derives what the next event tells.
    #[must_use]
    pub fn event(&mut self, facts: &Facts<'_>) -> Derived {
        let Self {
            request,
            rules,
            memory,
        } = self;
        let moment = request.clock.moment(facts.event_timestamp);
        let page = address::parse(facts.page_url);
        let campaign = page.as_ref().map(campaign::read).unwrap_or_default();
        let page_path = page.as_ref().map_or("/", |page| page.path).to_owned();
        let page_host = page.map(|page| page.host).unwrap_or_default();
        let referrer = memory.referrer(facts.referrer_url, &page_host, rules);
        let channel = memory.channel(&campaign, &referrer, rules);
        let digits = facts.currency.and_then(money::digits);
        let minor = |amount: Option<f64>| money::units(amount?, digits?);
        Derived {
            event_time: moment.ms,
            clock_corrected: moment.corrected,
            visitor_bucket: visitor_bucket(request.shop_id, facts.anonymous_id),
            page_host,
            page_path,
            campaign_source: campaign.source,
            campaign_medium: campaign.medium,
            campaign_name: campaign.name,
            campaign_term: campaign.term,
            campaign_content: campaign.content,
            click_id: campaign.click_id,
            click_id_kind: campaign.click_id_kind.map(str::to_owned),
            referrer_host: referrer.host,
            referrer_kind: referrer.kind,
            channel,
            value_minor: minor(facts.value),
            tax_minor: minor(facts.tax),
            shipping_minor: minor(facts.shipping),
            item_amounts: facts.items.iter().map(|item| item.amounts(minor)).collect(),
            consent_analytics: facts.consent.analytics.under_gpc(request.gpc),
            consent_ads: facts.consent.ads.under_gpc(request.gpc),
            rules_version: RULES_VERSION,
        }
    }
}

impl ItemFacts {
    fn amounts(&self, minor: impl Fn(Option<f64>) -> Option<i64>) -> ItemAmounts {
        let price_minor = minor(self.price);
        ItemAmounts {
            price_minor,
            discount_minor: minor(self.discount),
            amount_minor: price_minor
                .and_then(|price| money::line_total(price, self.quantity.unwrap_or(1.0))),
        }
    }
}

/// Returns a visitor's bucket. It never changes: tables are cut by it.
#[must_use]
pub fn visitor_bucket(shop_id: &str, anonymous_id: &str) -> u8 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = shop_id.bytes().chain([0x1f]).chain(anonymous_id.bytes());
    let hash = bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    let folded = (hash ^ (hash >> 32)) % u64::from(VISITOR_BUCKETS);
    u8::try_from(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests;
