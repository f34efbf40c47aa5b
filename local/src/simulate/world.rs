//! The demo shop's products, and the sources that lead to it.

use anyhow::{Context, Result, anyhow};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde::Deserialize;
use shoptrail_schemas::{Item, money};

/// The demo shop's own catalogue, so that simulated and clicked products are the same.
const CATALOGUE: &str = include_str!("../../../web-demo/shop/catalogue.json");

/// Tax contained in the demo shop's prices, per cent.
const VAT_PERCENT: i64 = 19;

/// Goods of this worth ship free, minor units.
const FREE_SHIPPING_FROM: i64 = 8000;

/// Standard shipping, minor units.
const STANDARD_SHIPPING: i64 = 490;

/// The shop and its sources of traffic.
pub struct World {
    /// The shop's origin, such as `http://127.0.0.1:8080`.
    pub origin: String,
    /// The products, never empty, those that sell best first.
    pub products: Vec<Product>,
    /// The currency of all prices.
    pub currency: String,
}

/// A product of the catalogue.
pub struct Product {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    brand: String,
    /// Its category.
    pub category: String,
    /// Its price in minor units.
    pub price: i64,
    /// The campaigns whose page shows it.
    campaigns: Vec<String>,
}

/// A source of traffic.
pub struct TrafficSource {
    /// How often visits come from it, relative to the others.
    weight: f64,
    /// The campaign parameters of the address, without the question mark.
    pub query: &'static str,
    /// The page before, empty when there is none.
    pub referrer: &'static str,
    /// The page of the shop that most of its links lead to, if the campaign has one.
    pub campaign: Option<&'static Campaign>,
    /// How much more likely its visitors buy, as a factor.
    pub readiness: f64,
}

/// A page of the shop that was made for a campaign.
pub struct Campaign {
    /// As the page's address and the catalogue name it.
    pub id: &'static str,
    /// The page's title.
    pub title: &'static str,
}

/// The demo shop's own (`web-demo/shop/pages/campaign.js`).
const SLOW_MORNINGS: Campaign = Campaign {
    id: "slow-mornings",
    title: "A slow morning, in six parts",
};

/// The demo shop's own.
const NOVEMBER_LETTER: Campaign = Campaign {
    id: "november-letter",
    title: "Light for November",
};

const SOURCES: &[TrafficSource] = &[
    TrafficSource {
        weight: 34.0,
        query: "",
        referrer: "https://www.google.com/",
        campaign: None,
        readiness: 1.0,
    },
    TrafficSource {
        weight: 24.0,
        query: "",
        referrer: "",
        campaign: None,
        readiness: 1.2,
    },
    TrafficSource {
        weight: 14.0,
        query: "utm_source=instagram&utm_medium=paid_social&utm_campaign=slow_mornings",
        referrer: "https://l.instagram.com/",
        campaign: Some(&SLOW_MORNINGS),
        readiness: 0.5,
    },
    TrafficSource {
        weight: 11.0,
        query: "utm_source=newsletter&utm_medium=email&utm_campaign=november_letter",
        referrer: "",
        campaign: Some(&NOVEMBER_LETTER),
        readiness: 1.6,
    },
    TrafficSource {
        weight: 9.0,
        query: "utm_source=google&utm_medium=cpc&utm_campaign=brand",
        referrer: "https://www.google.com/",
        campaign: None,
        readiness: 1.2,
    },
    TrafficSource {
        weight: 4.0,
        query: "",
        referrer: "https://duckduckgo.com/",
        campaign: None,
        readiness: 1.0,
    },
    TrafficSource {
        weight: 4.0,
        query: "",
        referrer: "https://www.kettle-reviews.example/best-of",
        campaign: None,
        readiness: 1.3,
    },
];

#[derive(Deserialize)]
struct CatalogueEntry {
    item_id: String,
    item_name: String,
    item_brand: String,
    item_category: String,
    price: f64,
    currency: String,
    #[serde(default)]
    campaigns: Vec<String>,
}

impl World {
    /// The world around the shop at `origin`.
    ///
    /// # Errors
    /// Returns an error if the catalogue is empty, has two currencies, or a price that is no amount.
    pub fn around(origin: &str) -> Result<Self> {
        let entries: Vec<CatalogueEntry> =
            serde_json::from_str(CATALOGUE).context("cannot read the catalogue")?;
        let currency = entries
            .first()
            .map(|entry| entry.currency.clone())
            .context("the catalogue is empty")?;
        if entries.iter().any(|entry| entry.currency != currency) {
            return Err(anyhow!("the catalogue has more than one currency"));
        }
        let products: Result<Vec<Product>> = entries.into_iter().map(Product::read).collect();
        Ok(Self {
            origin: origin.trim_end_matches('/').to_owned(),
            products: products?,
            currency,
        })
    }

    /// The source of a visit.
    pub fn source(&self, rng: &mut impl Rng) -> &'static TrafficSource {
        SOURCES
            .choose_weighted(rng, |source| source.weight)
            .unwrap_or(&SOURCES[0])
    }

    /// A product that a shopper with this taste finds: popular ones, and those of the favourite category, more often.
    pub fn product(&self, taste: &str, rng: &mut impl Rng) -> &Product {
        let ranked: Vec<(usize, &Product)> = self.products.iter().enumerate().collect();
        let liking = |(rank, product): &(usize, &Product)| {
            let popularity = 1.0 / (1.0 + *rank as f64).sqrt();
            if product.category == taste {
                popularity * 3.0
            } else {
                popularity
            }
        };
        ranked
            .choose_weighted(rng, liking)
            .map_or(&self.products[0], |(_, product)| product)
    }

    /// A product of the catalogue by its place; places past the end start again at the first.
    pub fn product_at(&self, place: usize) -> &Product {
        &self.products[place % self.products.len()]
    }

    /// The products of a category, or all when it is empty.
    pub fn listed(&self, category: &str) -> Vec<&Product> {
        self.products
            .iter()
            .filter(|product| category.is_empty() || product.category == category)
            .collect()
    }

    /// The products that a campaign's page shows.
    pub fn advertised(&self, campaign: &Campaign) -> Vec<&Product> {
        self.products
            .iter()
            .filter(|product| product.campaigns.iter().any(|id| id == campaign.id))
            .collect()
    }

    /// Minor units as the number that shops send.
    pub fn amount(&self, minor: i64) -> f64 {
        // Correctly rounded, so its shortest text has no more decimals than the currency.
        minor as f64 / 10_f64.powi(money::digits(&self.currency).unwrap_or(0).cast_signed())
    }
}

impl Product {
    fn read(entry: CatalogueEntry) -> Result<Self> {
        let price = money::minor_units(entry.price, &entry.currency).with_context(|| {
            format!("the catalogue's price of `{}` is no amount", entry.item_id)
        })?;
        Ok(Self {
            id: entry.item_id,
            name: entry.item_name,
            brand: entry.item_brand,
            category: entry.item_category,
            price,
            campaigns: entry.campaigns,
        })
    }

    /// The product as an item of an event.
    pub fn item(&self, world: &World) -> Item {
        Item {
            item_id: self.id.clone(),
            item_name: Some(self.name.clone()),
            item_brand: Some(self.brand.clone()),
            item_category: Some(self.category.clone()),
            price: Some(world.amount(self.price)),
            ..Item::default()
        }
    }

    /// What a shopper types to find it: a word of its name, or its kind.
    pub fn search_term(&self, rng: &mut impl Rng) -> String {
        let words: Vec<&str> = self
            .name
            .split([' ', ',', '-'])
            .filter(|word| word.len() > 3)
            .collect();
        words
            .choose(rng)
            .unwrap_or(&self.category.as_str())
            .to_lowercase()
    }
}

/// The tax contained in goods of this worth, as the shop computes it.
pub fn included_tax(goods: i64) -> i64 {
    let whole = 100 + VAT_PERCENT;
    (2 * goods * VAT_PERCENT + whole) / (2 * whole)
}

/// What shipping costs for goods of this worth.
pub fn shipping(goods: i64) -> i64 {
    if goods >= FREE_SHIPPING_FROM {
        0
    } else {
        STANDARD_SHIPPING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_rounded_to_the_cent() {
        assert_eq!(included_tax(2490), 398);
        assert_eq!(included_tax(119), 19);
        assert_eq!(included_tax(0), 0);
    }

    #[test]
    fn amounts_are_the_catalogues_own_prices() {
        let world = World::around("http://127.0.0.1:8080/").expect("the catalogue is whole");
        assert_eq!(world.origin, "http://127.0.0.1:8080");
        assert_eq!(
            serde_json::to_string(&world.amount(2490)).expect("a number"),
            "24.9"
        );
        assert!(world.products.iter().all(|product| product.price > 0));
    }

    #[test]
    fn page_of_every_campaign_shows_products() {
        let world = World::around("http://127.0.0.1:8080/").expect("the catalogue is whole");
        let campaigns: Vec<&Campaign> = SOURCES
            .iter()
            .filter_map(|source| source.campaign)
            .collect();
        assert_eq!(campaigns.len(), 2);
        for campaign in campaigns {
            assert!(!world.advertised(campaign).is_empty(), "{}", campaign.id);
        }
    }
}
