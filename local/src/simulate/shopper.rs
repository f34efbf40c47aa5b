//! A person who shops: what they are like, what they own, and what they want from a visit.

use rand::Rng;
use rand::seq::IndexedRandom;
use shoptrail_schemas::{Context, Demographics};

use super::device::{self, Locale, ShopperDevice};
use super::world::World;

/// How far a visit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Looks at the first page, or a list.
    Glance,
    /// Looks at a product or two.
    Look,
    /// Looks at several products to choose among them.
    Compare,
    /// Fills the cart and leaves it.
    FillCart,
    /// Begins the checkout and leaves it.
    AbandonCheckout,
    /// Buys.
    Buy,
}

const INTENTS: [Intent; 6] = [
    Intent::Glance,
    Intent::Look,
    Intent::Compare,
    Intent::FillCart,
    Intent::AbandonCheckout,
    Intent::Buy,
];

/// A kind of shopper.
pub struct Persona {
    weight: f64,
    /// How likely each of [`INTENTS`] is, relative to the others.
    intents: [f64; 6],
    /// How likely they search instead of browsing.
    pub searches: f64,
    /// How likely they come back after a visit.
    returns: f64,
    /// How likely they have an account.
    registered: f64,
}

const PERSONAS: &[Persona] = &[
    // Here by accident.
    Persona {
        weight: 33.0,
        intents: [78.0, 19.0, 2.0, 1.0, 0.0, 0.0],
        searches: 0.1,
        returns: 0.1,
        registered: 0.0,
    },
    // Likes to look around.
    Persona {
        weight: 27.0,
        intents: [42.0, 34.0, 12.0, 7.0, 2.0, 3.0],
        searches: 0.2,
        returns: 0.35,
        registered: 0.1,
    },
    // Knows what to buy.
    Persona {
        weight: 18.0,
        intents: [26.0, 33.0, 15.0, 13.0, 4.0, 9.0],
        searches: 0.9,
        returns: 0.3,
        registered: 0.2,
    },
    // Compares products.
    Persona {
        weight: 10.0,
        intents: [18.0, 17.0, 38.0, 14.0, 5.0, 8.0],
        searches: 0.5,
        returns: 0.6,
        registered: 0.3,
    },
    // Knows the shop.
    Persona {
        weight: 12.0,
        intents: [15.0, 18.0, 12.0, 18.0, 9.0, 28.0],
        searches: 0.4,
        returns: 0.6,
        registered: 0.8,
    },
];

const AGE_GROUPS: [&str; 5] = ["18-24", "25-34", "35-44", "45-54", "55-64"];
const GENDERS: [&str; 3] = ["female", "male", "diverse"];

/// A product in a cart or an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the catalogue.
    pub place: usize,
    /// How many.
    pub quantity: i64,
}

/// An order that could be sent back.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number in the shop.
    pub transaction_id: String,
    /// What was bought.
    pub lines: Vec<Line>,
}

/// What the shop knows about a customer.
#[derive(Clone, Debug)]
pub struct Account {
    /// The customer number.
    pub user_id: String,
    /// What they told.
    pub demographics: Demographics,
}

/// One shopper over all visits.
pub struct Shopper {
    /// The browser's id, the same in every visit.
    pub anonymous_id: String,
    /// The account used for orders; known to events only while signed in.
    pub account: Account,
    /// Whether the shopper is signed in.
    pub signed_in: bool,
    /// Whether advertising was agreed to.
    pub ads: bool,
    /// What they use.
    pub device: &'static ShopperDevice,
    /// Where they are.
    pub locale: &'static Locale,
    /// What they are like.
    pub persona: &'static Persona,
    /// The category they like.
    pub taste: String,
    /// What is in the cart, from one visit to the next.
    pub cart: Vec<Line>,
    /// What was bought and kept so far.
    pub orders: Vec<Order>,
}

impl Shopper {
    /// Someone who has not been there before.
    pub fn new(world: &World, rng: &mut impl Rng) -> Self {
        let persona = PERSONAS
            .choose_weighted(rng, |persona| persona.weight)
            .unwrap_or(&PERSONAS[0]);
        let locale = device::locale(rng);
        let demographics = Demographics {
            age_group: AGE_GROUPS.choose(rng).map(|group| (*group).to_owned()),
            gender: GENDERS
                .choose_weighted(rng, |gender| if *gender == "diverse" { 1.0 } else { 20.0 })
                .ok()
                .map(|gender| (*gender).to_owned()),
            country: Some(locale.country.to_owned()),
        };
        Self {
            anonymous_id: format!("{:032x}", rng.random::<u128>()),
            account: Account {
                user_id: format!("C-{:08}", rng.random_range(0..100_000_000)),
                demographics,
            },
            signed_in: rng.random_bool(persona.registered),
            ads: rng.random_bool(0.6),
            device: device::device(rng),
            locale,
            persona,
            taste: world
                .product_at(rng.random_range(0..world.products.len()))
                .category
                .clone(),
            cart: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// What this visit is for; `readiness` makes the later steps more likely.
    pub fn intent(&self, readiness: f64, rng: &mut impl Rng) -> Intent {
        let readiness =
            readiness * self.device.readiness * if self.cart.is_empty() { 1.0 } else { 1.5 };
        let wish = |intent: &(Intent, f64)| match intent.0 {
            Intent::FillCart | Intent::AbandonCheckout | Intent::Buy => intent.1 * readiness,
            _ => intent.1,
        };
        let wishes: Vec<(Intent, f64)> = INTENTS.into_iter().zip(self.persona.intents).collect();
        wishes
            .choose_weighted(rng, wish)
            .map_or(Intent::Glance, |(intent, _)| *intent)
    }

    /// How long until the next visit, milliseconds, or `None` when this was the last.
    pub fn returns_after(&self, rng: &mut impl Rng) -> Option<i64> {
        const HOUR: f64 = 3_600_000.0;
        // Evenly over the orders of magnitude from two hours to six days.
        let away = HOUR * 2.0 * 72.0_f64.powf(rng.random::<f64>());
        rng.random_bool(self.persona.returns).then_some(away as i64)
    }

    /// What the browser says about itself.
    pub fn context(&self) -> Context {
        Context {
            language: Some(self.locale.language.to_owned()),
            time_zone: Some(self.locale.time_zone.to_owned()),
            screen_width: Some(self.device.screen.0),
            screen_height: Some(self.device.screen.1),
            viewport_width: Some(self.device.viewport.0),
            viewport_height: Some(self.device.viewport.1),
        }
    }
}
