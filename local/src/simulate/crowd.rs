//! Who comes when: a bounded history of visits, and the next visitor of a live stream.

use rand::Rng;
use rand::seq::IndexedRandom;
use shoptrail_schemas::{Context, Event};

use super::journey::visit;
use super::shopper::Shopper;
use super::world::World;

const HOUR_MS: i64 = 3_600_000;

/// A pause that keeps two visits apart: the session's 30 minutes, and some.
const APART_MS: i64 = 40 * 60_000;

/// How busy the shop is at each hour of the day (UTC), relative to the busiest.
const BUSY: [f64; 24] = [
    0.15, 0.1, 0.06, 0.05, 0.06, 0.12, 0.25, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.65, 0.6, 0.62, 0.7,
    0.82, 0.95, 1.0, 0.92, 0.7, 0.45, 0.25,
];

/// How likely the next live visitor is one who has been there before.
const KNOWN: f64 = 0.3;

/// Most live visitors that are remembered.
const REMEMBERED: usize = 500;

/// One visit, with what its batches say about the browser.
pub struct Visit {
    /// The header `User-Agent`.
    pub user_agent: &'static str,
    /// Where the browser is, ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// What the browser says about itself.
    pub context: Context,
    /// In the order they happened.
    pub events: Vec<Event>,
}

impl Visit {
    fn make(world: &World, shopper: &mut Shopper, start: i64, rng: &mut impl Rng) -> Self {
        let events = visit(world, shopper, start, rng);
        Self {
            user_agent: shopper.device.user_agent,
            country: shopper.locale.country,
            context: shopper.context(),
            events,
        }
    }

    /// When the first event happened, milliseconds since the epoch.
    pub fn starts(&self) -> i64 {
        self.events.first().map_or(0, |event| event.event_timestamp)
    }

    fn ends(&self) -> i64 {
        self.events.last().map_or(0, |event| event.event_timestamp)
    }
}

/// Makes `sessions` visits that start between `from` and `to` (milliseconds since the epoch, `to` at least an hour later),
/// in the order they start.
pub fn history(
    world: &World,
    sessions: usize,
    from: i64,
    to: i64,
    rng: &mut impl Rng,
) -> Vec<Visit> {
    let mut visits = Vec::with_capacity(sessions);
    while visits.len() < sessions {
        let mut shopper = Shopper::new(world, rng);
        let mut next = Some(moment(from, to, rng));
        while let Some(start) = next.filter(|start| *start < to && visits.len() < sessions) {
            let visit = Visit::make(world, &mut shopper, start, rng);
            next = shopper.returns_after(rng).map(|away| visit.ends() + away);
            visits.push(visit);
        }
    }
    visits.sort_by_key(Visit::starts);
    visits
}

/// A moment between two, more often when the shop is busy.
fn moment(from: i64, to: i64, rng: &mut impl Rng) -> i64 {
    loop {
        let moment = rng.random_range(from..to);
        let hour = (moment / HOUR_MS).rem_euclid(24);
        let busy = usize::try_from(hour)
            .ok()
            .and_then(|hour| BUSY.get(hour))
            .unwrap_or(&1.0);
        if rng.random_bool(*busy) {
            return moment;
        }
    }
}

/// The people of a live stream.
#[derive(Default)]
pub struct Crowd {
    /// With the end of their last visit.
    known: Vec<(Shopper, i64)>,
}

impl Crowd {
    /// The next visit, starting now: someone new, or someone who left long enough ago.
    pub fn next(&mut self, world: &World, now: i64, rng: &mut impl Rng) -> Visit {
        let away: Vec<usize> = (0..self.known.len())
            .filter(|at| now - self.known[*at].1 > APART_MS)
            .collect();
        let back = away.choose(rng).copied().filter(|_| rng.random_bool(KNOWN));
        let mut shopper = match back {
            Some(at) => self.known.swap_remove(at).0,
            None => Shopper::new(world, rng),
        };
        let visit = Visit::make(world, &mut shopper, now, rng);
        if self.known.len() == REMEMBERED {
            self.known.remove(0);
        }
        self.known.push((shopper, visit.ends()));
        visit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use shoptrail_schemas::EventType::{
        self, AddToCart, BeginCheckout, Purchase, Refund, ViewItem,
    };
    use shoptrail_schemas::{Clock, money, validate};

    use super::*;

    const DAY_MS: i64 = 24 * HOUR_MS;
    const START: i64 = 1_795_392_000_000;

    fn days(sessions: usize, days: i64, seed: u64) -> Vec<Visit> {
        let world = World::around("http://127.0.0.1:8080").expect("the catalogue is whole");
        history(
            &world,
            sessions,
            START,
            START + days * DAY_MS,
            &mut StdRng::seed_from_u64(seed),
        )
    }

    fn share(visits: &[Visit], event_type: EventType) -> f64 {
        let has = |visit: &&Visit| {
            visit
                .events
                .iter()
                .any(|event| event.event_type == event_type)
        };
        visits.iter().filter(has).count() as f64 / visits.len() as f64
    }

    #[test]
    fn every_event_of_a_day_is_valid() {
        for event in days(200, 1, 1).iter().flat_map(|visit| &visit.events) {
            let json = serde_json::to_string(event).expect("an event is JSON");
            let clock = Clock::new(event.event_timestamp, event.event_timestamp);
            let valid = validate::event(&json, Some(&clock)).expect("valid");
            assert_eq!(valid.text(), json, "nothing to repair");
            assert_eq!(&valid.to_event().expect("an event"), event);
        }
    }

    #[test]
    fn same_seed_makes_the_same_events() {
        let events = |seed| {
            days(50, 1, seed)
                .into_iter()
                .flat_map(|visit| visit.events)
                .collect::<Vec<_>>()
        };
        assert_eq!(events(7), events(7));
        assert_ne!(events(7), events(8));
    }

    #[test]
    fn numbers_within_a_session_have_no_holes_and_times_do_not_go_back() {
        for visit in days(300, 7, 2) {
            let numbers: Vec<i64> = visit.events.iter().map(|event| event.seq).collect();
            assert!(
                numbers
                    .iter()
                    .copied()
                    .eq(1..=i64::try_from(numbers.len()).expect("a few"))
            );
            assert!(visit.events.is_sorted_by_key(|event| event.event_timestamp));
            assert!(
                visit.ends() - visit.starts() < HOUR_MS,
                "a visit of {} ms",
                visit.ends() - visit.starts()
            );
            assert!(visit.events.len() <= 100, "{} events", visit.events.len());
        }
    }

    #[test]
    fn ids_are_unique() {
        let visits = days(500, 7, 3);
        let events: Vec<&Event> = visits.iter().flat_map(|visit| &visit.events).collect();
        let ids: BTreeSet<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
        assert_eq!(ids.len(), events.len());
        let purchases = events.iter().filter(|event| event.event_type == Purchase);
        let orders: Vec<&str> = purchases
            .filter_map(|event| event.transaction_id.as_deref())
            .collect();
        assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), orders.len());
    }

    #[test]
    fn funnel_is_that_of_a_shop() {
        let visits = days(6_000, 14, 4);
        for (event_type, least, most) in [
            (ViewItem, 0.55, 0.65),
            (AddToCart, 0.20, 0.30),
            (BeginCheckout, 0.10, 0.16),
            (Purchase, 0.08, 0.10),
        ] {
            let share = share(&visits, event_type);
            assert!((least..=most).contains(&share), "{event_type}: {share}");
        }
    }

    #[test]
    fn visits_come_from_many_countries_and_begin_on_many_pages() {
        let visits = days(1_000, 7, 9);
        let countries: BTreeSet<&str> = visits.iter().map(|visit| visit.country).collect();
        assert_eq!(countries.len(), 5);
        let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
        for visit in &visits {
            let url = visit.events[0].page_url.as_str();
            let path = url
                .strip_prefix("http://127.0.0.1:8080/")
                .expect("the shop's");
            let kind = path
                .split(['/', '?'])
                .next()
                .expect("a split has a first part");
            *begun.entry(kind).or_default() += 1;
        }
        for kind in ["", "campaign", "category", "product"] {
            assert!(
                begun.get(kind).is_some_and(|times| *times > 50),
                "{begun:?}"
            );
        }
    }

    #[test]
    fn visits_of_one_shopper_are_far_enough_apart_to_be_sessions() {
        let visits = days(2_000, 14, 5);
        let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
        let mut returning = 0;
        for visit in &visits {
            let shopper = visit.events[0].anonymous_id.as_str();
            if let Some(end) = ends.insert(shopper, visit.ends()) {
                assert!(visit.starts() - end > APART_MS);
                returning += 1;
            }
        }
        assert!(returning > 200, "{returning} returning visits");
    }

    #[test]
    fn purchases_are_worth_their_items_and_refunds_belong_to_earlier_orders() {
        let visits = days(3_000, 30, 6);
        let mut orders = BTreeMap::new();
        let mut refunds = 0;
        for event in visits.iter().flat_map(|visit| &visit.events) {
            let minor =
                |amount: f64| money::minor_units(amount, "EUR").expect("an amount in euros");
            let value = event.value.map_or(0, minor);
            let items = event.items.iter().flatten();
            let goods: i64 = items
                .filter_map(|item| {
                    let price = minor(item.price.unwrap_or(0.0));
                    money::line_total(price, item.quantity.unwrap_or(1.0))
                })
                .sum();
            let order = event.transaction_id.clone().unwrap_or_default();
            match event.event_type {
                Purchase => {
                    assert_eq!(value, goods);
                    orders.insert(order, value);
                }
                Refund => {
                    assert!(value <= orders[&order]);
                    refunds += 1;
                }
                _ => {}
            }
        }
        assert!(
            refunds > 0 && refunds * 10 < orders.len(),
            "{refunds} refunds of {} orders",
            orders.len()
        );
    }

    #[test]
    fn live_visitors_come_back_only_when_they_were_away() {
        let world = World::around("http://127.0.0.1:8080").expect("the catalogue is whole");
        let (mut crowd, mut rng) = (Crowd::default(), StdRng::seed_from_u64(8));
        let mut ends: BTreeMap<String, i64> = BTreeMap::new();
        for minute in 0..300 {
            let visit = crowd.next(&world, START + minute * 60_000, &mut rng);
            let before = ends.insert(visit.events[0].anonymous_id.clone(), visit.ends());
            assert!(before.is_none_or(|end| visit.starts() - end > APART_MS));
        }
        assert!(ends.len() < 300, "nobody came back");
    }
}
