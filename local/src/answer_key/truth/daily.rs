//! What is counted by day: `gold_daily_kpis`, `gold_device_trends`, `gold_landing_pages` and `gold_conversion_funnel`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::super::calendar::Day;
use super::super::csv::Csv;
use super::session::Session;
use super::story::Story;

const KPI_COLUMNS: &str = "day,shop_id,currency,revenue_gross_minor,refunds_minor,\
    revenue_net_minor,refunds_given_minor,orders,average_order_value_minor,sessions,visitors,\
    converted_sessions,conversion_rate,bounced_sessions,bounce_rate,session_duration_ms,\
    average_session_duration_ms,cart_sessions,abandoned_cart_sessions,cart_abandonment_rate,\
    page_views";
const DEVICE_COLUMNS: &str = "day,shop_id,device,browser,os,currency,sessions,converted_sessions,\
    conversion_rate,purchases,revenue_minor";
const LANDING_COLUMNS: &str = "day,shop_id,landing_page,channel,device,country,currency,sessions,\
    engaged_sessions,bounced_sessions,converted_sessions,session_duration_ms,page_views,orders,\
    new_customers,revenue_minor";
const FUNNEL_COLUMNS: &str = "day,shop_id,device,channel,kind,step,step_order,sessions,events";

/// The steps of the funnel, in order.
const STEPS: [&str; 5] = [
    "sessions",
    "view_item",
    "add_to_cart",
    "begin_checkout",
    "purchase",
];

/// A day, a shop, and what else it is counted under.
type Key<const N: usize> = (Day, &'static str, [&'static str; N]);

/// What is counted by day.
#[derive(Default)]
pub struct Daily {
    kpis: BTreeMap<Key<1>, Kpis>,
    /// By device, browser, operating system and currency: sessions, those with an order, orders, revenue.
    devices: BTreeMap<Key<4>, [i64; 4]>,
    /// By channel, device, country and currency, and by page.
    landing: BTreeMap<(Key<4>, String), [i64; 9]>,
    /// By device and channel: sessions that reached each step.
    steps: BTreeMap<Key<2>, [i64; 5]>,
    /// By device, channel and event type: sessions and events.
    types: BTreeMap<Key<3>, [i64; 2]>,
}

#[derive(Default)]
struct Kpis {
    gross: i64,
    refunds: i64,
    given: i64,
    orders: i64,
    sessions: i64,
    visitors: i64,
    converted: i64,
    bounced: i64,
    duration: i64,
    with_cart: i64,
    abandoned: i64,
    page_views: i64,
}

impl Daily {
    /// Adds a household.
    pub fn count(&mut self, story: &Story<'_>) {
        let mut seen = BTreeSet::new();
        for session in story.visits() {
            self.count_session(story, session, &mut seen);
            self.count_funnel(story, session);
        }
        self.count_orders(story);
    }

    fn count_session(
        &mut self,
        story: &Story<'_>,
        session: &Session<'_>,
        seen: &mut BTreeSet<(usize, Day, &'static str)>,
    ) {
        let shop = story.household.shop;
        let sums = &session.sums;
        let day = shop.day(session.start());
        let duration = session.end() - session.start();
        let converted = i64::from(sums.purchases > 0);
        let engaged = i64::from(sums.is_engaged());
        let kpis = self
            .kpis
            .entry((day, shop.id, [sums.currency]))
            .or_default();
        kpis.sessions += 1;
        kpis.visitors += i64::from(seen.insert((session.browser, day, sums.currency)));
        kpis.converted += converted;
        kpis.bounced += 1 - engaged;
        kpis.duration += duration;
        kpis.with_cart += i64::from(sums.adds() > 0);
        kpis.abandoned += i64::from(sums.adds() > 0 && sums.purchases == 0);
        kpis.page_views += sums.page_views();
        let devices = self
            .devices
            .entry((day, shop.id, machine(story, session.browser, sums.currency)))
            .or_default();
        add(devices, [1, converted, 0, 0]);
        let landing = self
            .landing
            .entry(landing(story, session, day, sums.currency));
        let page_views = sums.page_views();
        add(
            landing.or_default(),
            [
                1,
                engaged,
                1 - engaged,
                converted,
                duration,
                page_views,
                0,
                0,
                0,
            ],
        );
    }

    fn count_orders(&mut self, story: &Story<'_>) {
        let household = story.household;
        let shop = household.shop;
        for known in &story.orders {
            let (value, currency) = (known.order.value, known.order.currency.code);
            let day = known.day(household);
            let kpis = self.kpis.entry((day, shop.id, [currency])).or_default();
            kpis.gross += value;
            kpis.refunds += known.refunded();
            kpis.orders += 1;
            for (refund, counted) in &known.refunds {
                let key = (shop.day(refund.at), shop.id, [currency]);
                self.kpis.entry(key).or_default().given += counted;
            }
            let machine = machine(story, known.step.browser, currency);
            let devices = self.devices.entry((day, shop.id, machine)).or_default();
            add(devices, [0, 0, 1, value]);
            let session = &story.sessions[known.session];
            let landing = self.landing.entry(landing(story, session, day, currency));
            let is_new = i64::from(known.number == 1);
            add(landing.or_default(), [0, 0, 0, 0, 0, 0, 1, is_new, value]);
        }
    }

    fn count_funnel(&mut self, story: &Story<'_>, session: &Session<'_>) {
        let shop = story.household.shop;
        let browser = &story.household.browsers[session.browser];
        let device = browser.machine.device.as_str();
        let channel = session.channel(story);
        let day = shop.day(session.start());
        let steps = self
            .steps
            .entry((day, shop.id, [device, channel]))
            .or_default();
        for (order, step) in (1..).zip(steps) {
            *step += i64::from(session.sums.funnel_step >= order);
        }
        let mut events: BTreeMap<(Day, &'static str), i64> = BTreeMap::new();
        for step in &session.steps {
            *events
                .entry((shop.day(step.at), step.kind.as_str()))
                .or_default() += 1;
        }
        for ((day, kind), events) in events {
            let key = (day, shop.id, [device, channel, kind]);
            add(self.types.entry(key).or_default(), [1, events]);
        }
    }

    /// Writes the files; returns how many rows they have.
    pub fn write(&self, folder: &Path) -> Result<u64> {
        Ok(self.write_kpis(folder)?
            + self.write_devices(folder)?
            + self.write_landing(folder)?
            + self.write_funnel(folder)?)
    }

    fn write_kpis(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_daily_kpis", KPI_COLUMNS)?;
        for ((day, shop, [currency]), of) in &self.kpis {
            csv.day(*day)
                .text(shop)
                .text(currency)
                .numbers([
                    of.gross,
                    of.refunds,
                    of.gross - of.refunds,
                    of.given,
                    of.orders,
                ])
                .average(of.gross, of.orders)
                .numbers([of.sessions, of.visitors, of.converted])
                .ratio(of.converted, of.sessions)
                .number(of.bounced)
                .ratio(of.bounced, of.sessions)
                .number(of.duration)
                .average(of.duration, of.sessions)
                .numbers([of.with_cart, of.abandoned])
                .ratio(of.abandoned, of.with_cart)
                .number(of.page_views)
                .end()?;
        }
        csv.finish()
    }

    fn write_devices(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_device_trends", DEVICE_COLUMNS)?;
        for (key, [sessions, converted, orders, revenue]) in &self.devices {
            under(&mut csv, key)
                .numbers([*sessions, *converted])
                .ratio(*converted, *sessions)
                .numbers([*orders, *revenue])
                .end()?;
        }
        csv.finish()
    }

    fn write_landing(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_landing_pages", LANDING_COLUMNS)?;
        for (((day, shop, [channel, device, country, currency]), page), sums) in &self.landing {
            csv.day(*day).text(shop).text(page);
            for text in [channel, device, country, currency] {
                csv.text(text);
            }
            csv.numbers(*sums).end()?;
        }
        csv.finish()
    }

    fn write_funnel(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_conversion_funnel", FUNNEL_COLUMNS)?;
        for (key, steps) in &self.steps {
            for ((order, step), sessions) in (1..).zip(STEPS).zip(steps) {
                under(&mut csv, key)
                    .text("step")
                    .text(step)
                    .numbers([order, *sessions, *sessions])
                    .end()?;
            }
        }
        for ((day, shop, [device, channel, kind]), [sessions, events]) in &self.types {
            under(&mut csv, &(*day, *shop, [*device, *channel]))
                .text("event")
                .text(kind)
                .numbers([0, *sessions, *events])
                .end()?;
        }
        csv.finish()
    }
}

fn under<'c, const N: usize>(csv: &'c mut Csv, (day, shop, texts): &Key<N>) -> &'c mut Csv {
    csv.day(*day).text(shop);
    for text in texts {
        csv.text(text);
    }
    csv
}

fn machine(story: &Story<'_>, browser: usize, currency: &'static str) -> [&'static str; 4] {
    let machine = story.household.browsers[browser].machine;
    [
        machine.device.as_str(),
        machine.browser,
        machine.os,
        currency,
    ]
}

fn landing(
    story: &Story<'_>,
    session: &Session<'_>,
    day: Day,
    currency: &'static str,
) -> (Key<4>, String) {
    let browser = &story.household.browsers[session.browser];
    let texts = [
        session.channel(story),
        browser.machine.device.as_str(),
        browser.country.unwrap_or("unknown"),
        currency,
    ];
    let page = session.entry(story).path.clone();
    ((day, story.household.shop.id, texts), page)
}

fn add<const N: usize>(sums: &mut [i64; N], more: [i64; N]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}
