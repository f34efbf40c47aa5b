//! What there is in the world before anybody comes: shops with their currencies and products, devices, and what leads to
//! shops. Every fact that a table has of them stands here, beside the address or the number that says it.

use rand::Rng;

use super::calendar::{Day, HOUR};

/// A shop.
#[derive(Debug)]
pub struct Shop {
    /// Its id.
    pub id: &'static str,
    /// Its host; its pages are `https://HOST/…`.
    pub host: &'static str,
    /// Its time zone, which changes its clocks at no time of the world.
    pub zone: &'static str,
    /// How far the zone is ahead of UTC.
    ahead_ms: i64,
    /// What it sells in; the first one it reports in.
    pub currencies: &'static [Currency],
    /// Where its shoppers live.
    pub countries: &'static [Option<&'static str>],
}

/// A currency that a shop sells in.
#[derive(Debug, PartialEq)]
pub struct Currency {
    /// ISO 4217 code.
    pub code: &'static str,
    /// Decimals of its minor unit.
    pub digits: i32,
    /// Minor units for a hundred base units of a price.
    rate: i64,
}

const EUR: Currency = currency("EUR", 2, 100);
const CHF: Currency = currency("CHF", 2, 93);
const USD: Currency = currency("USD", 2, 117);
const JPY: Currency = currency("JPY", 0, 173);
const KWD: Currency = currency("KWD", 3, 359);

const fn currency(code: &'static str, digits: i32, rate: i64) -> Currency {
    Currency { code, digits, rate }
}

/// All shops. None of them has ids of its own: visitors, customers and orders of two shops may be called the same.
pub static SHOPS: [Shop; 3] = [
    Shop {
        id: "north",
        host: "north.example",
        zone: "Europe/Berlin",
        ahead_ms: HOUR,
        currencies: &[EUR, CHF],
        countries: &[Some("DE"), Some("AT"), Some("CH"), None],
    },
    Shop {
        id: "south",
        host: "south.example",
        zone: "America/New_York",
        ahead_ms: -5 * HOUR,
        currencies: &[USD, EUR],
        countries: &[Some("US"), Some("CA")],
    },
    Shop {
        id: "east",
        host: "east.example",
        zone: "Asia/Tokyo",
        ahead_ms: 9 * HOUR,
        currencies: &[JPY, KWD],
        countries: &[Some("JP"), Some("KW"), None],
    },
];

impl Shop {
    /// The day of an instant in the shop's zone.
    pub fn day(&self, ms: i64) -> Day {
        Day::of(ms + self.ahead_ms)
    }

    /// The currency of what has no amount.
    pub fn reporting_currency(&self) -> &'static str {
        self.currencies[0].code
    }
}

/// A product, the same in every shop.
#[derive(Debug)]
pub struct Product {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its brand, where it has one.
    pub brand: Option<&'static str>,
    /// Its category.
    pub category: &'static str,
    /// Its price in base units, of which each currency makes its own.
    base: i64,
    /// Whether it is sold by weight.
    pub by_weight: bool,
}

const fn product(
    id: &'static str,
    name: &'static str,
    category: &'static str,
    base: i64,
) -> Product {
    Product {
        id,
        name,
        brand: Some("Hollis & Daughter"),
        category,
        base,
        by_weight: false,
    }
}

/// All products, those that sell best first.
pub static PRODUCTS: [Product; 20] = [
    product("mug", "Enamel mug", "Kitchen", 1_450),
    product("kettle", "Gooseneck kettle", "Kitchen", 5_900),
    product("dripper", "Pour-over dripper", "Coffee and tea", 2_490),
    Product {
        by_weight: true,
        ..product("beans", "Coffee beans", "Coffee and tea", 2_790)
    },
    product("tea", "Black tea", "Coffee and tea", 1_190),
    product("pan", "Carbon steel pan", "Kitchen", 6_900),
    Product {
        brand: None,
        ..product("board", "Walnut board", "Kitchen", 4_433)
    },
    product("towel", "Linen towel", "Kitchen", 1_291),
    product("notebook", "Dot-grid notebook", "Desk", 1_690),
    product("pen", "Brass pen", "Desk", 3_951),
    product("mat", "Felt mat", "Desk", 3_400),
    product("candle", "Beeswax candle", "Light", 990),
    product("lamp", "Paper lamp", "Light", 7_900),
    product("clip", "Clip-on light", "Light", 2_990),
    product("rucksack", "Canvas rucksack", "Outdoors", 12_900),
    product("blanket", "Wool blanket", "Outdoors", 8_900),
    product("thermos", "Field thermos", "Outdoors", 3_200),
    Product {
        by_weight: true,
        ..product("rope", "Hemp rope", "Outdoors", 333)
    },
    product("axe", "Small axe", "Outdoors", 9_999),
    product("pin", "Enamel pin", "Desk", 7),
];

impl Product {
    /// The price of a unit, minor units.
    pub fn price(&self, currency: &Currency) -> i64 {
        (self.base * currency.rate / 100).max(1)
    }
}

/// The place of a product that somebody looks at; the first ones more often.
pub fn some_product(rng: &mut impl Rng) -> usize {
    let place = rng.random_range(0.0..1.0_f64).powi(2) * PRODUCTS.len() as f64;
    (place as usize).min(PRODUCTS.len() - 1)
}

/// What people search for, as they type it; and the term that the table has of it.
pub const TERMS: [(&str, &str); 8] = [
    ("mug", "mug"),
    ("Mug", "mug"),
    (" mug ", "mug"),
    ("kettle", "kettle"),
    ("KETTLE", "kettle"),
    ("coffee", "coffee"),
    ("Ärmel", "ärmel"),
    ("rope 5 m", "rope 5 m"),
];

/// A device with its browser.
#[derive(Debug)]
pub struct Machine {
    /// Kind of device.
    pub device: shoptrail_schemas::Device,
    /// Browser family.
    pub browser: &'static str,
    /// Operating system.
    pub os: &'static str,
}

const fn machine(
    device: shoptrail_schemas::Device,
    browser: &'static str,
    os: &'static str,
) -> Machine {
    Machine {
        device,
        browser,
        os,
    }
}

/// What people have.
pub static MACHINES: [Machine; 7] = [
    machine(shoptrail_schemas::Device::Mobile, "Safari", "iOS"),
    machine(shoptrail_schemas::Device::Mobile, "Chrome", "Android"),
    machine(shoptrail_schemas::Device::Mobile, "Firefox", "Android"),
    machine(shoptrail_schemas::Device::Desktop, "Chrome", "Windows"),
    machine(shoptrail_schemas::Device::Desktop, "Firefox", "Linux"),
    machine(shoptrail_schemas::Device::Desktop, "Safari", "macOS"),
    machine(shoptrail_schemas::Device::Tablet, "Safari", "iOS"),
];

/// What a program says it is.
pub static PROGRAM: Machine = machine(shoptrail_schemas::Device::Other, "other", "other");

/// What leads to a shop, and what tables have of it.
#[derive(Debug)]
pub struct Source {
    /// The parameters of the address, without the question mark.
    pub query: &'static str,
    /// The page before, empty when there is none.
    pub referrer: &'static str,
    /// Its host.
    pub referrer_host: Option<&'static str>,
    /// The channel.
    pub channel: &'static str,
    /// Source, medium and name of the campaign.
    pub campaign: [Option<&'static str>; 3],
}

const NO_CAMPAIGN: [Option<&str>; 3] = [None; 3];

const fn source(
    query: &'static str,
    referrer: &'static str,
    referrer_host: Option<&'static str>,
    channel: &'static str,
    campaign: [Option<&'static str>; 3],
) -> Source {
    Source {
        query,
        referrer,
        referrer_host,
        channel,
        campaign,
    }
}

/// All sources, the most frequent first.
pub static SOURCES: [Source; 10] = [
    source("", "", None, DIRECT, NO_CAMPAIGN),
    source(
        "",
        "https://www.google.com/",
        Some("google.com"),
        "Organic Search",
        NO_CAMPAIGN,
    ),
    source(
        "utm_source=newsletter&utm_medium=email&utm_campaign=november",
        "",
        None,
        "Email",
        [Some("newsletter"), Some("email"), Some("november")],
    ),
    source(
        "utm_source=instagram&utm_medium=paid_social&utm_campaign=slow_mornings",
        "https://l.instagram.com/",
        Some("l.instagram.com"),
        "Paid Social",
        [
            Some("instagram"),
            Some("paid_social"),
            Some("slow_mornings"),
        ],
    ),
    source(
        "utm_source=google&utm_medium=cpc&utm_campaign=brand",
        "https://www.google.com/",
        Some("google.com"),
        "Paid Search",
        [Some("google"), Some("cpc"), Some("brand")],
    ),
    source(
        "gclid=Cj0KCQiA",
        "https://www.google.com/",
        Some("google.com"),
        "Paid Search",
        [Some("google"), Some("cpc"), None],
    ),
    source(
        "",
        "https://duckduckgo.com/",
        Some("duckduckgo.com"),
        "Organic Search",
        NO_CAMPAIGN,
    ),
    source(
        "",
        "https://www.kettle-reviews.example/best",
        Some("kettle-reviews.example"),
        "Referral",
        NO_CAMPAIGN,
    ),
    source(
        "utm_source=partner&utm_medium=affiliate",
        "https://partner.example/",
        Some("partner.example"),
        "Affiliates",
        [Some("partner"), Some("affiliate"), None],
    ),
    source(
        "utm_source=poster&utm_medium=qr&utm_campaign=station",
        "",
        None,
        "Unassigned",
        [Some("poster"), Some("qr"), Some("station")],
    ),
];

/// The channel of who comes by themselves, and of every page but the first.
pub const DIRECT: &str = "Direct";

/// A source of a visit; the first ones more often.
pub fn some_source(rng: &mut impl Rng) -> &'static Source {
    let place = rng.random_range(0.0..1.0_f64).powf(1.5) * SOURCES.len() as f64;
    &SOURCES[(place as usize).min(SOURCES.len() - 1)]
}
