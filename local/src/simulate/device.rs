//! Shoppers' devices: user agents as real browsers send them, with the screens that go with them.

use rand::Rng;
use rand::seq::IndexedRandom;

/// A browser on a device.
pub struct ShopperDevice {
    weight: f64,
    /// The header `User-Agent`.
    pub user_agent: &'static str,
    /// Width and height of the screen, CSS pixels.
    pub screen: (i64, i64),
    /// Width and height of the page's window, CSS pixels.
    pub viewport: (i64, i64),
    /// How much more likely people buy on it, as a factor.
    pub readiness: f64,
}

/// A language with its place.
pub struct Locale {
    weight: f64,
    /// BCP 47.
    pub language: &'static str,
    /// IANA.
    pub time_zone: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
}

const fn desktop(weight: f64, user_agent: &'static str) -> ShopperDevice {
    ShopperDevice {
        weight,
        user_agent,
        screen: (1920, 1080),
        viewport: (1903, 969),
        readiness: 1.25,
    }
}

const fn tablet(weight: f64, user_agent: &'static str) -> ShopperDevice {
    ShopperDevice {
        weight,
        user_agent,
        screen: (820, 1180),
        viewport: (820, 1106),
        readiness: 1.0,
    }
}

const fn phone(weight: f64, user_agent: &'static str) -> ShopperDevice {
    ShopperDevice {
        weight,
        user_agent,
        screen: (390, 844),
        viewport: (390, 664),
        readiness: 0.8,
    }
}

const DEVICES: &[ShopperDevice] = &[
    phone(
        24.0,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    ),
    phone(
        24.0,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    ),
    phone(
        3.0,
        "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0",
    ),
    desktop(
        18.0,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    desktop(
        7.0,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    ),
    desktop(
        4.0,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    ),
    desktop(
        7.0,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    ),
    desktop(
        4.0,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    desktop(
        3.0,
        "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    ),
    tablet(
        4.0,
        "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
    ),
    tablet(
        2.0,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
];

const LOCALES: &[Locale] = &[
    Locale {
        weight: 60.0,
        language: "de-DE",
        time_zone: "Europe/Berlin",
        country: "DE",
    },
    Locale {
        weight: 12.0,
        language: "de-AT",
        time_zone: "Europe/Vienna",
        country: "AT",
    },
    Locale {
        weight: 10.0,
        language: "fr-FR",
        time_zone: "Europe/Paris",
        country: "FR",
    },
    Locale {
        weight: 10.0,
        language: "nl-NL",
        time_zone: "Europe/Amsterdam",
        country: "NL",
    },
    Locale {
        weight: 8.0,
        language: "sv-SE",
        time_zone: "Europe/Stockholm",
        country: "SE",
    },
];

/// A device, by how common it is.
pub fn device(rng: &mut impl Rng) -> &'static ShopperDevice {
    DEVICES
        .choose_weighted(rng, |device| device.weight)
        .unwrap_or(&DEVICES[0])
}

/// A language and place, by how common they are in the shop.
pub fn locale(rng: &mut impl Rng) -> &'static Locale {
    LOCALES
        .choose_weighted(rng, |locale| locale.weight)
        .unwrap_or(&LOCALES[0])
}
