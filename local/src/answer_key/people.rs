//! Who comes, and when: plans households one after the other, each from its own seed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::calendar::{DAY, HOUR, MINUTE};
use super::journey::Visit;
use super::market::{MACHINES, PROGRAM, SHOPS, Shop};
use super::plan::{Browser, Household, Line};

/// When the world begins: 2025-11-03T00:00:00Z. No zone of its shops puts clocks forward or back within it.
const BEGIN: i64 = 1_762_128_000_000;
/// How long people come: longer than a path to an order and a cart's life, over the ends of two months and a year.
const LASTS: i64 = 60 * DAY;

/// The pause that still continues a session.
const SESSION_PAUSE: i64 = 30 * MINUTE;

/// A household that visits are added to.
pub struct Plan {
    /// What was planned so far.
    pub household: Household,
    /// What lies in the cart of each browser.
    pub carts: Vec<Vec<Line>>,
    /// Who is signed in on each browser.
    pub signed_in: Vec<Option<usize>>,
    /// Visits so far.
    pub visits: usize,
}

/// Plans the household of that number.
pub fn household(seed: u64, number: u64) -> Household {
    // Each household has a seed of its own, so that none depends on how many there are.
    let mut rng = StdRng::seed_from_u64(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let shops = SHOPS.len() as u64;
    let shop = &SHOPS[usize::try_from(number % shops).unwrap_or_default()];
    let number = number / shops;
    match rng.random_bool(0.04) {
        true => program(shop, number, &mut rng),
        false => people(shop, number, &mut rng),
    }
}

/// A program that looks at pages and fills carts.
fn program(shop: &'static Shop, number: u64, rng: &mut StdRng) -> Household {
    let browser = Browser {
        id: format!("v-{number:x}-0"),
        machine: &PROGRAM,
        country: None,
        clock_ahead_ms: 0,
    };
    let mut plan = Plan::new(shop, number, vec![browser], Vec::new());
    for _ in 0..rng.random_range(1..=3) {
        let at = BEGIN + rng.random_range(0..LASTS);
        let score = [50, 80, 100][rng.random_range(0..3)];
        Visit::begin(&mut plan, 0, at, score, rng).crawl();
    }
    plan.household
}

fn people(shop: &'static Shop, number: u64, rng: &mut StdRng) -> Household {
    let browsers = (0..1 + usize::from(rng.random_bool(0.3)) + usize::from(rng.random_bool(0.1)))
        .map(|place| browser(shop, number, place, rng))
        .collect();
    let accounts = [0, 0, 1, 1, 2][rng.random_range(0..5)];
    let accounts = (0..accounts).map(|place| format!("c-{number:x}-{place}"));
    let mut plan = Plan::new(shop, number, browsers, accounts.collect());
    let mut at = BEGIN + rng.random_range(0..LASTS);
    while at < BEGIN + LASTS {
        let browser = rng.random_range(0..plan.household.browsers.len());
        let score = rng.random_range(0..50_u8);
        let left = Visit::begin(&mut plan, browser, at, score, rng).shop_around();
        // Programs in the browser act under the visitor's id: while they are there, or after them.
        if rng.random_bool(0.02) {
            Visit::begin(&mut plan, browser, at + 700, 90, rng).crawl();
        }
        if rng.random_bool(0.05) {
            Visit::begin(&mut plan, browser, left + 5_000, 90, rng).tell_again();
        }
        if rng.random_bool(0.25) {
            break;
        }
        at = left + pause_between_visits(rng);
    }
    plan.household
}

fn browser(shop: &Shop, number: u64, place: usize, rng: &mut StdRng) -> Browser {
    Browser {
        id: format!("v-{number:x}-{place}"),
        machine: MACHINES.choose(rng).unwrap_or(&MACHINES[0]),
        country: shop.countries.choose(rng).copied().flatten(),
        clock_ahead_ms: clock_ahead(rng),
    }
}

/// Most clocks are right. The others are off by more than the two minutes that any clock may be.
fn clock_ahead(rng: &mut StdRng) -> i64 {
    if !rng.random_bool(0.04) {
        return 0;
    }
    let off = match rng.random_bool(0.5) {
        true => rng.random_range(3 * MINUTE..50 * MINUTE),
        false => rng.random_range(5 * HOUR..400 * DAY),
    };
    if rng.random_bool(0.5) { off } else { -off }
}

fn pause_between_visits(rng: &mut StdRng) -> i64 {
    match rng.random_range(0..100) {
        // Around what ends a session.
        0..3 => SESSION_PAUSE,
        3..6 => SESSION_PAUSE + 1,
        6..15 => rng.random_range(5 * MINUTE..SESSION_PAUSE),
        15..45 => rng.random_range(SESSION_PAUSE..20 * HOUR),
        45..90 => rng.random_range(DAY..10 * DAY),
        // Around the lives of carts and of paths to orders.
        _ => rng.random_range(25 * DAY..40 * DAY),
    }
}

impl Plan {
    fn new(
        shop: &'static Shop,
        number: u64,
        browsers: Vec<Browser>,
        accounts: Vec<String>,
    ) -> Self {
        Self {
            carts: vec![Vec::new(); browsers.len()],
            signed_in: vec![None; browsers.len()],
            visits: 0,
            household: Household {
                shop,
                number,
                browsers,
                accounts,
                pages: Vec::new(),
                orders: Vec::new(),
                steps: Vec::new(),
            },
        }
    }
}
