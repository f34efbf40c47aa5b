//! What of a household's plan can be known from what arrived: sessions, orders, refunds, and who is who.

use shoptrail_schemas::EventType;

use super::super::calendar::{Day, MINUTE};
use super::super::plan::{Household, Order, Step};
use super::session::{self, Session};

/// Longest pause within a session.
const PAUSE: i64 = 30 * MINUTE;

/// A household as far as it can be known.
pub struct Story<'a> {
    /// Its plan.
    pub household: &'a Household,
    /// Sessions of people and of programs, browser by browser.
    pub sessions: Vec<Session<'a>>,
    /// Orders of people.
    pub orders: Vec<KnownOrder<'a>>,
    /// What is known of each browser that people used.
    pub visitors: Vec<Visitor>,
}

/// An order of which a purchase event arrived.
pub struct KnownOrder<'a> {
    /// Its plan.
    pub order: &'a Order,
    /// The purchase event that is the order.
    pub step: &'a Step,
    /// The session of that event.
    pub session: usize,
    /// Whose order it is.
    pub customer: String,
    /// The customer's first, second, … order.
    pub number: i64,
    /// When the last purchase or refund event of it happened.
    pub last_event_at: i64,
    /// The refunds that count, and how much of each.
    pub refunds: Vec<(&'a Step, i64)>,
    /// Refunds in its currency beyond those, minor units.
    pub excess: i64,
    /// Refund events in other currencies.
    pub in_other_currencies: i64,
}

/// A browser that people used.
pub struct Visitor {
    /// The browser.
    pub browser: usize,
    /// The account last seen on it, and in which session.
    pub account: Option<(usize, usize)>,
    /// Its sessions, in order.
    pub sessions: Vec<usize>,
}

impl<'a> Story<'a> {
    /// What can be known of a household.
    pub fn of(household: &'a Household) -> Self {
        let mut sessions = cut(household);
        let visitors = visitors(household, &sessions);
        let mut orders = orders(household, &sessions);
        for (place, order) in orders.iter().enumerate() {
            sessions[order.session].orders.push(place);
        }
        for session in &mut sessions {
            session
                .orders
                .sort_by_key(|place| (orders[*place].step.at, orders[*place].order.id.clone()));
        }
        name_customers(household, &visitors, &mut orders);
        let mut story = Self {
            household,
            sessions,
            orders,
            visitors,
        };
        for place in 0..story.sessions.len() {
            story.sessions[place].sums = session::sums(&story, &story.sessions[place]);
        }
        story
    }

    /// Sessions of people.
    pub fn visits(&self) -> impl Iterator<Item = &Session<'a>> {
        self.sessions.iter().filter(|session| !session.is_program)
    }

    /// The order that an event is.
    pub fn order_of(&self, step: &Step) -> Option<&KnownOrder<'a>> {
        step.order?;
        self.orders.iter().find(|order| order.step.id == step.id)
    }

    /// Whether an event is a refund that counts.
    pub fn is_refund(&self, step: &Step) -> bool {
        let mut refunds = self.orders.iter().flat_map(|order| &order.refunds);
        step.kind == EventType::Refund && refunds.any(|(refund, _)| refund.id == step.id)
    }
}

impl KnownOrder<'_> {
    /// What was paid back, minor units.
    pub fn refunded(&self) -> i64 {
        self.refunds.iter().map(|(_, counted)| counted).sum()
    }

    /// What is left of its value, minor units.
    pub fn net(&self) -> i64 {
        self.order.value - self.refunded()
    }

    /// Its day.
    pub fn day(&self, household: &Household) -> Day {
        household.shop.day(self.step.at)
    }
}

/// The events that arrived, browser by browser and programs apart, cut where a pause is too long.
fn cut(household: &Household) -> Vec<Session<'_>> {
    let mut arrived: Vec<&Step> = household
        .steps
        .iter()
        .filter(|step| !step.way.is_lost)
        .collect();
    arrived.sort_by_key(|step| (step.browser, step.is_program(), step.place()));
    let continues = |left: &&Step, right: &&Step| {
        left.browser == right.browser
            && left.is_program() == right.is_program()
            && right.at - left.at <= PAUSE
    };
    let sessions = arrived.chunk_by(continues);
    sessions.filter_map(Session::new).collect()
}

fn visitors(household: &Household, sessions: &[Session<'_>]) -> Vec<Visitor> {
    let of_browser = |browser: usize| {
        // They are in order already.
        let own = sessions.iter().enumerate();
        let own: Vec<usize> = own
            .filter(|(_, session)| session.browser == browser && !session.is_program)
            .map(|(place, _)| place)
            .collect();
        let known = own.iter().rev();
        let account = known
            .copied()
            .find_map(|place| Some((sessions[place].account()?, place)));
        (!own.is_empty()).then_some(Visitor {
            browser,
            account,
            sessions: own,
        })
    };
    (0..household.browsers.len())
        .filter_map(of_browser)
        .collect()
}

/// A purchase or refund event of an order, with its session.
type OfOrder<'a> = (&'a Step, usize);

fn orders<'a>(household: &'a Household, sessions: &[Session<'a>]) -> Vec<KnownOrder<'a>> {
    let mut events: Vec<Vec<OfOrder<'a>>> = vec![Vec::new(); household.orders.len()];
    for (place, session) in sessions.iter().enumerate() {
        for step in session.steps.iter().filter(|step| !step.is_program()) {
            if let Some(order) = step.order {
                events[order].push((step, place));
            }
        }
    }
    let orders = household.orders.iter().zip(&mut events);
    orders
        .filter_map(|(order, events)| known_order(order, events))
        .collect()
}

fn known_order<'a>(order: &'a Order, events: &mut [OfOrder<'a>]) -> Option<KnownOrder<'a>> {
    events.sort_by_key(|(step, _)| step.place());
    let is_purchase = |(step, _): &&OfOrder<'a>| step.kind == EventType::Purchase;
    let (step, session) = *events.iter().find(is_purchase)?;
    let mut known = KnownOrder {
        order,
        step,
        session,
        customer: String::new(),
        number: 0,
        last_event_at: events.last().map_or(step.at, |(last, _)| last.at),
        refunds: Vec::new(),
        excess: 0,
        in_other_currencies: 0,
    };
    let mut seen: Vec<(usize, i64)> = Vec::new();
    let mut left = order.value;
    for (refund, place) in events.iter().filter(|event| !is_purchase(event)) {
        let value = refund.value.unwrap_or_default();
        if refund.currency != Some(order.currency) {
            known.in_other_currencies += 1;
            continue;
        }
        // The same amount in the same session is the same refund, sent again.
        let is_repeated = seen.contains(&(*place, value));
        seen.push((*place, value));
        let counted = if is_repeated { 0 } else { value.min(left) };
        left -= counted;
        known.excess += value - counted;
        if counted > 0 {
            known.refunds.push((refund, counted));
        }
    }
    Some(known)
}

/// An order is the customer's who made it, else of the one last known on the browser, else of the browser.
fn name_customers(household: &Household, visitors: &[Visitor], orders: &mut [KnownOrder<'_>]) {
    for order in orders.iter_mut() {
        let browser = order.step.browser;
        let visitor = visitors.iter().find(|visitor| visitor.browser == browser);
        let last_known = visitor.and_then(|visitor| visitor.account);
        let account = order
            .step
            .account
            .or(last_known.map(|(account, _)| account));
        order.customer = match account {
            Some(account) => household.accounts[account].clone(),
            None => household.browsers[browser].id.clone(),
        };
    }
    orders.sort_by_key(|known| (known.step.at, known.order.id.clone()));
    for place in 0..orders.len() {
        let (before, rest) = orders.split_at_mut(place);
        let customer = &rest[0].customer;
        let earlier = before.iter().filter(|order| order.customer == *customer);
        rest[0].number = 1 + i64::try_from(earlier.count()).unwrap_or_default();
    }
}
