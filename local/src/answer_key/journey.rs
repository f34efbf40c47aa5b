//! What somebody does in one visit: looks around, searches, fills carts and leaves them, orders, sends back.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use shoptrail_schemas::EventType;

use super::calendar::{DAY, HOUR, MINUTE};
use super::market::{self, Currency, PRODUCTS, TERMS};
use super::people::Plan;
use super::plan::{self, Line, Order, Page, Step, Way};
use super::sending;

/// Tax contained in prices, per cent.
const TAX_PERCENT: i64 = 19;

/// How many orders are sent back in part or whole.
const REFUND: f64 = 0.15;

/// How many events are lost on their way.
const LOSS: f64 = 0.01;

/// A visit that is going on.
pub struct Visit<'a> {
    plan: &'a mut Plan,
    rng: &'a mut StdRng,
    browser: usize,
    currency: &'static Currency,
    bot_score: u8,
    now: i64,
    seq: i64,
    page: Option<usize>,
    page_opened: i64,
    first_step: usize,
}

impl<'a> Visit<'a> {
    /// Begins a visit.
    pub fn begin(
        plan: &'a mut Plan,
        browser: usize,
        at: i64,
        bot_score: u8,
        rng: &'a mut StdRng,
    ) -> Self {
        let currencies = plan.household.shop.currencies;
        plan.visits += 1;
        Self {
            browser,
            currency: &currencies[usize::from(rng.random_bool(0.15))],
            bot_score,
            now: at,
            seq: 0,
            page: None,
            page_opened: at,
            first_step: plan.household.steps.len(),
            plan,
            rng,
        }
    }

    /// What a program does: it goes from product to product, and at times through the checkout.
    pub fn crawl(mut self) {
        self.open("/");
        for _ in 0..self.rng.random_range(3..40) {
            let line = self.look_at_product();
            if self.rng.random_bool(0.1) {
                self.of_lines(EventType::AddToCart, vec![line]);
            }
        }
        if self.rng.random_bool(0.2) {
            let line = self.some_line();
            self.order(vec![line]);
        }
        self.end();
    }

    /// What a program does that opens the page that says thanks for the last order, as previews and translators do.
    pub fn tell_again(mut self) {
        self.open("/thanks");
        self.purchase();
        self.end();
    }

    /// What people do; returns when they left.
    pub fn shop_around(mut self) -> i64 {
        self.sign_in_or_out();
        self.open("/");
        match self.rng.random_range(0..100) {
            0..20 => self.think(2_000, 40_000),
            20..55 => self.look_around(),
            55..75 => self.fill_cart(),
            _ => self.check_out(),
        }
        self.leave_page();
        self.send_back();
        self.end()
    }

    fn look_around(&mut self) {
        if self.rng.random_bool(0.4) {
            self.search();
        }
        for _ in 0..self.rng.random_range(1..5) {
            self.look_at_product();
        }
    }

    fn fill_cart(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            let line = self.look_at_product();
            if self.rng.random_bool(0.7) {
                self.cart().push(line);
                self.of_lines(EventType::AddToCart, vec![line]);
            }
        }
        if self.rng.random_bool(0.4) {
            self.open("/cart");
            let lines = self.cart().clone();
            self.of_lines(EventType::ViewCart, lines);
        }
        if self.rng.random_bool(0.15)
            && let Some(line) = self.cart().pop()
        {
            self.of_lines(EventType::RemoveFromCart, vec![line]);
        }
    }

    fn check_out(&mut self) {
        // Who has left a cart may come back for it alone.
        if self.cart().is_empty() || self.rng.random_bool(0.5) {
            self.fill_cart();
        }
        if self.cart().is_empty() {
            return;
        }
        let lines = self.cart().clone();
        self.open("/checkout");
        self.of_lines(EventType::BeginCheckout, lines.clone());
        self.log_in();
        self.of_lines(EventType::AddShippingInfo, lines.clone());
        if self.rng.random_bool(0.2) {
            return;
        }
        self.of_lines(EventType::AddPaymentInfo, lines.clone());
        if self.rng.random_bool(0.1) {
            return;
        }
        self.cart().clear();
        self.order(lines);
    }

    /// Places an order. At times the page that says thanks is opened again, and tells of the order again.
    fn order(&mut self, lines: Vec<Line>) {
        let household = &mut self.plan.household;
        let value = plan::value(&lines, self.currency);
        household.orders.push(Order {
            id: format!("T-{:x}-{}", household.number, household.orders.len()),
            tax: value * TAX_PERCENT / (100 + TAX_PERCENT),
            shipping: if value % 3 == 0 { 0 } else { 490 },
            coupon: self.rng.random_bool(0.1).then_some("WELCOME"),
            payment: ["invoice", "paypal", "card"][self.rng.random_range(0..3)],
            currency: self.currency,
            value,
            lines,
        });
        self.open("/thanks");
        self.purchase();
        if self.rng.random_bool(0.05) {
            self.think(MINUTE, 2 * HOUR);
            self.purchase();
        }
    }

    /// Tells of the last order.
    fn purchase(&mut self) {
        let Some(order) = self.plan.household.orders.len().checked_sub(1) else {
            return;
        };
        let Order { lines, value, .. } = &self.plan.household.orders[order];
        let (lines, value) = (lines.clone(), *value);
        let currency = Some(self.currency);
        self.push(EventType::Purchase, |step| {
            step.order = Some(order);
            step.lines = lines;
            step.currency = currency;
            step.value = Some(value);
        });
    }

    /// Now and then the last order is sent back some days later, if its purchase is known.
    fn send_back(&mut self) {
        let steps = &self.plan.household.steps;
        let is_known = |step: &&Step| step.kind == EventType::Purchase && !step.way.is_lost;
        let of_visit = steps[self.first_step..].iter();
        let Some(order) = of_visit.filter(is_known).find_map(|step| step.order) else {
            return;
        };
        if !self.rng.random_bool(REFUND) {
            return;
        }
        self.finish_sending();
        let waited = self.rng.random_range(HOUR..20 * DAY);
        self.now += waited;
        self.seq = 0;
        self.plan.visits += 1;
        self.page = None;
        self.first_step = self.plan.household.steps.len();
        self.open("/account");
        self.refund(order);
    }

    fn refund(&mut self, order: usize) {
        let Order {
            lines,
            value,
            currency,
            ..
        } = &self.plan.household.orders[order];
        let (lines, value, currency) = (lines.clone(), *value, *currency);
        let part = vec![lines[0]];
        let part_value = plan::value(&part, currency);
        match self.rng.random_range(0..10) {
            0..3 => self.give_back(order, lines, value, currency),
            3..6 => self.give_back(order, part, part_value, currency),
            // Money without products.
            6 => self.give_back(order, Vec::new(), value / 3, currency),
            // The same once more in the same visit.
            7 => {
                self.give_back(order, part.clone(), part_value, currency);
                self.give_back(order, part, part_value, currency);
            }
            // More than was paid, in two parts.
            8 => {
                self.give_back(order, lines, value, currency);
                self.give_back(order, part, part_value + 100, currency);
            }
            _ => {
                let currencies = self.plan.household.shop.currencies;
                let other = currencies.iter().find(|other| *other != currency);
                self.give_back(order, Vec::new(), 100, other.unwrap_or(currency));
            }
        }
    }

    fn give_back(
        &mut self,
        order: usize,
        lines: Vec<Line>,
        value: i64,
        currency: &'static Currency,
    ) {
        self.think(1_000, 30_000);
        self.push(EventType::Refund, |step| {
            step.order = Some(order);
            step.lines = lines;
            step.value = Some(value);
            step.currency = Some(currency);
        });
    }

    // Smaller things.

    fn cart(&mut self) -> &mut Vec<Line> {
        &mut self.plan.carts[self.browser]
    }

    fn sign_in_or_out(&mut self) {
        match self.rng.random_range(0..10) {
            0 => self.plan.signed_in[self.browser] = None,
            1 => self.plan.signed_in[self.browser] = self.some_account(),
            _ => {}
        }
    }

    fn some_account(&mut self) -> Option<usize> {
        let accounts: Vec<usize> = (0..self.plan.household.accounts.len()).collect();
        accounts.choose(self.rng).copied()
    }

    fn log_in(&mut self) {
        if self.plan.signed_in[self.browser].is_some() || !self.rng.random_bool(0.6) {
            return;
        }
        if let Some(account) = self.some_account() {
            self.plan.signed_in[self.browser] = Some(account);
            self.push(EventType::Login, |_| {});
        }
    }

    fn search(&mut self) {
        for _ in 0..self.rng.random_range(1..3) {
            self.open("/search");
            let term = self.rng.random_range(0..TERMS.len());
            self.push(EventType::Search, |step| step.term = Some(term));
            self.think(2_000, 20_000);
        }
    }

    /// Finds a product in a list and looks at its page; returns as much of it as somebody would buy.
    fn look_at_product(&mut self) -> Line {
        if self.rng.random_bool(0.3) {
            self.open("/list");
            let first = self.rng.random_range(0..PRODUCTS.len() - 4);
            let listed = (first..first + 4).map(one_of).collect();
            self.push_lines(EventType::ViewItemList, listed, None);
        }
        let line = self.some_line();
        if self.rng.random_bool(0.5) {
            self.push_lines(EventType::SelectItem, vec![one_of(line.product)], None);
        }
        self.open(&format!("/product/{}", PRODUCTS[line.product].id));
        self.of_lines(EventType::ViewItem, vec![one_of(line.product)]);
        if self.rng.random_bool(0.3) {
            self.push(EventType::Scroll, |_| {});
        }
        self.think(2_000, 90_000);
        line
    }

    fn some_line(&mut self) -> Line {
        let product = market::some_product(self.rng);
        let thousandths = match PRODUCTS[product].by_weight {
            true => self.rng.random_range(50..3_000),
            false => 1_000 * *[1, 1, 1, 2, 3].choose(self.rng).unwrap_or(&1),
        };
        Line {
            product,
            thousandths,
        }
    }

    fn open(&mut self, path: &str) {
        self.leave_page();
        let source = match (self.page, path) {
            (None, "/account") => Some(&market::SOURCES[0]),
            (None, _) => Some(market::some_source(self.rng)),
            (Some(_), _) => None,
        };
        let pages = &mut self.plan.household.pages;
        pages.push(Page {
            path: path.to_owned(),
            source,
            before: self.page,
        });
        self.page = Some(pages.len() - 1);
        self.page_opened = self.now;
        self.push(EventType::PageView, |_| {});
    }

    /// Reports how long the page had attention; programs do not.
    fn leave_page(&mut self) {
        let open = self.now - self.page_opened;
        if self.page.is_none() || open < 1_000 || self.rng.random_bool(0.3) {
            return;
        }
        let attention = (open * self.rng.random_range(40..=100) / 100).min(20 * MINUTE);
        self.push(EventType::PagePing, |step| {
            step.engagement_ms = Some(attention)
        });
    }

    fn think(&mut self, least: i64, most: i64) {
        self.now += match self.rng.random_range(0..1_000) {
            // Around what ends a session.
            0..3 => 30 * MINUTE,
            3..6 => 30 * MINUTE + 1,
            6..16 => self.rng.random_range(10 * MINUTE..40 * MINUTE),
            _ => self.rng.random_range(least..most),
        };
    }

    fn of_lines(&mut self, kind: EventType, lines: Vec<Line>) {
        let value = plan::value(&lines, self.currency);
        self.push_lines(kind, lines, Some(value));
    }

    fn push_lines(&mut self, kind: EventType, lines: Vec<Line>, value: Option<i64>) {
        let currency = Some(self.currency);
        self.push(kind, |step| {
            step.lines = lines;
            step.value = value;
            step.currency = currency;
        });
    }

    fn push(&mut self, kind: EventType, fill: impl FnOnce(&mut Step)) {
        self.seq += 1;
        let mut step = Step {
            id: self.id(),
            at: self.now,
            browser: self.browser,
            visit: self.plan.visits,
            seq: self.seq,
            kind,
            page: self.page.unwrap_or_default(),
            account: self.plan.signed_in[self.browser],
            lines: Vec::new(),
            currency: None,
            value: None,
            order: None,
            term: None,
            engagement_ms: None,
            bot_score: self.bot_score,
            way: Way {
                is_lost: self.rng.random_bool(LOSS),
                ..Way::default()
            },
        };
        fill(&mut step);
        self.plan.household.steps.push(step);
        self.now += self.rng.random_range(5..3_000);
    }

    /// A UUIDv7 of the time that the browser's clock shows.
    fn id(&mut self) -> u128 {
        let shown = self.now + self.plan.household.browsers[self.browser].clock_ahead_ms;
        let random = self.rng.random::<u128>() >> 48;
        let random = random & !(0xF << 76) & !(0x3 << 62);
        u128::from(shown.unsigned_abs()) << 80 | 0x7 << 76 | 0x2 << 62 | random
    }

    fn finish_sending(&mut self) {
        let browser = &self.plan.household.browsers[self.browser];
        let steps = &mut self.plan.household.steps[self.first_step..];
        sending::plan(browser, steps, self.rng);
    }

    fn end(mut self) -> i64 {
        self.finish_sending();
        self.now
    }
}

fn one_of(product: usize) -> Line {
    Line {
        product,
        thousandths: 1_000,
    }
}
