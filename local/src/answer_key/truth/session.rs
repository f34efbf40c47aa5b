//! `silver_sessions`: what each session comes to.

use anyhow::Result;
use shoptrail_schemas::EventType;

use super::super::csv::Csv;
use super::super::plan::{Page, Step};
use super::story::Story;

/// The columns of the file.
pub const COLUMNS: &str = "shop_id,session_key,day,session_start,session_end,anonymous_id,\
    user_id,duration_ms,engaged_ms,events,page_views,product_views,adds_to_cart,checkouts,\
    purchases,revenue_minor,orders_in_other_currencies,currency,funnel_step,entry_page,exit_page,\
    referrer_host,channel,utm_source,utm_medium,utm_campaign,device,browser,os,country,is_bounce,\
    is_engaged,is_bot";

/// Attention that makes a session engaged.
const ENGAGED_MS: i64 = 10_000;

/// A session.
pub struct Session<'a> {
    /// Its first event.
    pub key: u128,
    /// Its browser.
    pub browser: usize,
    /// Whether a program made it.
    pub is_program: bool,
    /// Its events, in order.
    pub steps: Vec<&'a Step>,
    /// The orders made in it, in order: places in [`Story::orders`].
    pub orders: Vec<usize>,
    /// What it comes to.
    pub sums: Sums,
}

/// What a session comes to.
#[derive(Default)]
pub struct Sums {
    /// Attention, milliseconds.
    pub engaged_ms: i64,
    /// Events of the types that are counted: page views, product views, adds to cart, checkouts.
    pub counts: [i64; 4],
    /// Orders.
    pub purchases: i64,
    /// Their value in `currency`, minor units.
    pub revenue: i64,
    /// Orders in other currencies.
    pub in_other_currencies: i64,
    /// The currency it counts under.
    pub currency: &'static str,
    /// The last step of the funnel it reached, from 1.
    pub funnel_step: i64,
}

impl Sums {
    /// Page views.
    pub fn page_views(&self) -> i64 {
        self.counts[0]
    }

    /// Adds to the cart.
    pub fn adds(&self) -> i64 {
        self.counts[2]
    }

    /// 10 seconds of attention, two page views or an order.
    pub fn is_engaged(&self) -> bool {
        self.engaged_ms >= ENGAGED_MS || self.page_views() >= 2 || self.purchases > 0
    }
}

impl<'a> Session<'a> {
    /// A session of these events, if there are any.
    pub fn new(steps: &[&'a Step]) -> Option<Self> {
        let first = steps.first()?;
        Some(Self {
            key: first.id,
            browser: first.browser,
            is_program: first.is_program(),
            steps: steps.to_vec(),
            orders: Vec::new(),
            sums: Sums::default(),
        })
    }

    /// Time of the first event.
    pub fn start(&self) -> i64 {
        self.steps.first().map_or(0, |step| step.at)
    }

    /// Time of the last event.
    pub fn end(&self) -> i64 {
        self.steps.last().map_or(0, |step| step.at)
    }

    /// The account of the last event that has one.
    pub fn account(&self) -> Option<usize> {
        self.steps.iter().rev().find_map(|step| step.account)
    }

    /// The first page.
    pub fn entry<'s>(&self, story: &Story<'s>) -> &'s Page {
        story.household.page(self.steps[0])
    }

    /// The channel of the first event.
    pub fn channel(&self, story: &Story<'_>) -> &'static str {
        self.entry(story).channel()
    }
}

/// Sums a session up.
pub fn sums(story: &Story<'_>, session: &Session<'_>) -> Sums {
    let of_type = |kind: EventType| {
        let events = session.steps.iter().filter(|step| step.kind == kind);
        i64::try_from(events.count()).unwrap_or_default()
    };
    let orders: Vec<_> = session
        .orders
        .iter()
        .map(|place| story.orders[*place].order)
        .collect();
    let first_order = orders.first().map(|order| order.currency.code);
    let mut seen = session.steps.iter().filter_map(|step| step.currency);
    let currency = first_order
        .or_else(|| seen.next().map(|currency| currency.code))
        .unwrap_or(story.household.shop.reporting_currency());
    let (mut revenue, mut in_other_currencies) = (0, 0);
    for order in &orders {
        match order.currency.code == currency {
            true => revenue += order.value,
            false => in_other_currencies += 1,
        }
    }
    let attention = session.steps.iter().filter_map(|step| step.engagement_ms);
    Sums {
        engaged_ms: attention.sum(),
        counts: [
            of_type(EventType::PageView),
            of_type(EventType::ViewItem),
            of_type(EventType::AddToCart),
            of_type(EventType::BeginCheckout),
        ],
        purchases: i64::try_from(orders.len()).unwrap_or_default(),
        revenue,
        in_other_currencies,
        currency,
        funnel_step: funnel_step(story, session),
    }
}

/// 1, and one for each step of the funnel that was taken, none before the one that leads to it.
fn funnel_step(story: &Story<'_>, session: &Session<'_>) -> i64 {
    let mut reached = 1;
    let mut since = session.start();
    for kind in [
        EventType::ViewItem,
        EventType::AddToCart,
        EventType::BeginCheckout,
        EventType::Purchase,
    ] {
        let counts = |step: &&&Step| {
            step.kind == kind
                && step.at >= since
                && (kind != EventType::Purchase || story.order_of(step).is_some())
        };
        let Some(step) = session.steps.iter().find(counts) else {
            break;
        };
        since = step.at;
        reached += 1;
    }
    reached
}

/// Writes the sessions of a household.
pub fn write(story: &Story<'_>, csv: &mut Csv, key: &mut String) -> Result<()> {
    let household = story.household;
    for session in &story.sessions {
        let sums = &session.sums;
        let browser = &household.browsers[session.browser];
        let entry = session.entry(story);
        let exit = session.steps.last().map(|step| household.page(step));
        let user = session
            .account()
            .map(|account| &household.accounts[account]);
        csv.text(household.shop.id)
            .text(super::id(session.key, key))
            .day(household.shop.day(session.start()))
            .instant(session.start())
            .instant(session.end())
            .text(&browser.id)
            .maybe(user.map(String::as_str))
            .number(session.end() - session.start())
            .number(sums.engaged_ms)
            .number(i64::try_from(session.steps.len())?)
            .numbers(sums.counts)
            .numbers([sums.purchases, sums.revenue, sums.in_other_currencies])
            .text(sums.currency)
            .number(sums.funnel_step)
            .text(&entry.path)
            .maybe(exit.map(|page| page.path.as_str()))
            .maybe(entry.referrer_host(household.shop))
            .text(entry.channel());
        for part in entry.campaign() {
            csv.maybe(part);
        }
        csv.text(browser.machine.device.as_str())
            .text(browser.machine.browser)
            .text(browser.machine.os)
            .maybe(browser.country)
            .flag(!sums.is_engaged())
            .flag(sums.is_engaged())
            .flag(session.is_program)
            .end()?;
    }
    Ok(())
}
