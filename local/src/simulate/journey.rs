//! One visit, from the first page to the last, as the events that the tag would have sent.
//!
//! Pure: the start is given, time passes with what the shopper does, and the seeded generator decides.

use rand::Rng;
use shoptrail_schemas::{Consent, ConsentState, Event, EventType, Item, Property};

use super::shopper::{Intent, Line, Order, Shopper};
use super::world::{Campaign, Product, TrafficSource, World, included_tax, shipping};

/// The shop's name at the end of each page's title.
const SHOP: &str = "Pebble & Pine";

/// How likely a returning shopper sends an earlier order back.
const REFUND: f64 = 0.05;

/// How likely a link of a campaign leads to the campaign's own page.
const CAMPAIGN_PAGE: f64 = 0.7;

/// How likely other visits begin on the page of a product: seldom with those who only glance at the shop.
const PRODUCT_PAGE: f64 = 0.3;
const PRODUCT_PAGE_AT_A_GLANCE: f64 = 0.05;

/// How likely the rest begins on the page of a category, and not on the first page.
const CATEGORY_PAGE: f64 = 0.4;

/// The most products of a list that are visible, and so reported.
const LISTED: usize = 8;

/// Makes one visit of `shopper` that starts at `start`, milliseconds since the epoch. The shopper keeps what is in the
/// cart afterwards, the orders and the sign-in.
pub fn visit(world: &World, shopper: &mut Shopper, start: i64, rng: &mut impl Rng) -> Vec<Event> {
    let source = world.source(rng);
    let intent = shopper.intent(source.readiness, rng);
    let mut journey = Journey::begin(world, shopper, start, rng);
    journey.arrive(source, intent);
    journey.send_order_back();
    match intent {
        Intent::Glance => journey.glance(),
        Intent::Look => journey.look_at(1, 2),
        Intent::Compare => journey.look_at(3, 5),
        Intent::FillCart => journey.fill_cart(),
        Intent::AbandonCheckout => journey.check_out(false),
        Intent::Buy => journey.check_out(true),
    }
    journey.leave_page();
    journey.events
}

/// The page that is open.
#[derive(Clone, Default)]
struct OpenPage {
    url: String,
    title: String,
    referrer: Option<String>,
    opened: i64,
}

struct Journey<'a, R> {
    world: &'a World,
    shopper: &'a mut Shopper,
    rng: &'a mut R,
    now: i64,
    session_id: String,
    page: OpenPage,
    events: Vec<Event>,
}

impl<'a, R: Rng> Journey<'a, R> {
    fn begin(world: &'a World, shopper: &'a mut Shopper, start: i64, rng: &'a mut R) -> Self {
        let session_id = format!("{:032x}", rng.random::<u128>());
        Self {
            world,
            shopper,
            rng,
            now: start,
            session_id,
            page: OpenPage::default(),
            events: Vec::new(),
        }
    }

    // The parts of a visit.

    /// Opens the first page: the one that the campaign was made with, or one of the shop's.
    fn arrive(&mut self, source: &TrafficSource, intent: Intent) {
        self.page.url = source.referrer.to_owned();
        if let Some(campaign) = source.campaign
            && self.rng.random_bool(CAMPAIGN_PAGE)
        {
            return self.open_campaign(campaign, source.query);
        }
        let product_page = match intent {
            Intent::Glance => PRODUCT_PAGE_AT_A_GLANCE,
            _ => PRODUCT_PAGE,
        };
        if self.rng.random_bool(product_page) {
            let product = self.world.product(&self.shopper.taste, self.rng);
            self.open_product(product, source.query);
        } else if self.rng.random_bool(CATEGORY_PAGE) {
            self.open_category(source.query);
        } else {
            self.open(&address("/", source.query), "Good things for slow mornings");
            self.see_list(&self.world.listed(""), "catalogue", "Catalogue");
        }
    }

    fn glance(&mut self) {
        if self.rng.random_bool(0.35) {
            self.think(4, 25);
            self.browse();
        }
        self.think(2, 40);
    }

    fn look_at(&mut self, fewest: usize, most: usize) {
        for _ in 0..self.rng.random_range(fewest..=most) {
            self.find_product();
        }
    }

    fn fill_cart(&mut self) {
        for _ in 0..self.rng.random_range(1..=2) {
            let place = self.find_product();
            self.add_to_cart(place);
        }
        if self.rng.random_bool(0.6) {
            self.open_cart();
        }
    }

    fn check_out(&mut self, buys: bool) {
        self.fill_cart();
        self.open_cart();
        self.open("/checkout", "Checkout");
        self.push_lines(EventType::BeginCheckout, |_| {});
        self.sign_in();
        if !buys && self.rng.random_bool(0.5) {
            return;
        }
        self.think(15, 60);
        self.push_lines(EventType::AddShippingInfo, |event| {
            event.properties = properties("shipping_tier", "standard")
        });
        if !buys {
            return;
        }
        let payment = ["invoice", "paypal", "card"][self.rng.random_range(0..3)];
        self.think(6, 40);
        self.push_lines(EventType::AddPaymentInfo, |event| {
            event.payment_method = Some(payment.to_owned())
        });
        self.think(4, 20);
        self.purchase(payment);
    }

    // The steps.

    /// Finds a product by searching or browsing, and looks at its page. Returns its place in the catalogue.
    fn find_product(&mut self) -> usize {
        let world = self.world;
        let product = world.product(&self.shopper.taste, self.rng);
        self.think(4, 30);
        if self.rng.random_bool(self.shopper.persona.searches) {
            self.search(product);
        } else if self.rng.random_bool(0.5) {
            self.browse();
        }
        self.think(3, 20);
        self.push(EventType::SelectItem, |event| {
            event.currency = Some(world.currency.clone());
            event.items = Some(vec![product.item(world)]);
        });
        self.open_product(product, "");
        world
            .products
            .iter()
            .position(|other| other.id == product.id)
            .unwrap_or(0)
    }

    fn browse(&mut self) {
        self.open_category("");
    }

    fn open_product(&mut self, product: &Product, query: &str) {
        let world = self.world;
        let path = format!("/product/{}", product.id);
        self.open(&address(&path, query), &product.name);
        self.push(EventType::ViewItem, |event| {
            worth(event, world, product.price);
            event.items = Some(vec![product.item(world)]);
        });
        self.think(8, 90);
        if self.rng.random_bool(0.3) {
            self.push(EventType::Scroll, |event| {
                event.properties = properties("percent_scrolled", "90")
            });
        }
    }

    /// Opens the page of the favourite category.
    fn open_category(&mut self, query: &str) {
        let category = self.shopper.taste.clone();
        let id = category.to_lowercase().replace(' ', "-");
        self.open(&address(&format!("/category/{id}"), query), &category);
        self.see_list(&self.world.listed(&category), &id, &category);
    }

    fn open_campaign(&mut self, campaign: &Campaign, query: &str) {
        let path = format!("/campaign/{}", campaign.id);
        self.open(&address(&path, query), campaign.title);
        self.see_list(
            &self.world.advertised(campaign),
            campaign.id,
            campaign.title,
        );
    }

    fn search(&mut self, product: &Product) {
        let term = product.search_term(self.rng);
        self.open(
            &format!("/search?q={}", term.replace(' ', "+")),
            &format!("Search: {term}"),
        );
        self.push(EventType::Search, |event| event.search_term = Some(term));
    }

    fn see_list(&mut self, products: &[&Product], list_id: &str, list_name: &str) {
        let world = self.world;
        let place = |(index, product): (usize, &&Product)| Item {
            index: i64::try_from(index).ok(),
            item_list_id: Some(list_id.to_owned()),
            item_list_name: Some(list_name.to_owned()),
            ..product.item(world)
        };
        let items = products
            .iter()
            .take(LISTED)
            .enumerate()
            .map(place)
            .collect();
        self.push(EventType::ViewItemList, |event| {
            event.currency = Some(world.currency.clone());
            event.items = Some(items);
        });
    }

    fn add_to_cart(&mut self, place: usize) {
        let line = Line {
            place,
            quantity: if self.rng.random_bool(0.8) { 1 } else { 2 },
        };
        match self
            .shopper
            .cart
            .iter_mut()
            .find(|known| known.place == place)
        {
            Some(known) => known.quantity += line.quantity,
            None => self.shopper.cart.push(line),
        }
        self.think(2, 8);
        self.push_some(EventType::AddToCart, &[line], |_| {});
    }

    fn open_cart(&mut self) {
        self.think(2, 15);
        self.open("/cart", "Cart");
        self.push_lines(EventType::ViewCart, |_| {});
        if self.shopper.cart.len() > 1 && self.rng.random_bool(0.15) {
            self.think(3, 20);
            if let Some(removed) = self.shopper.cart.pop() {
                self.push_some(EventType::RemoveFromCart, &[removed], |_| {});
            }
        }
        self.think(4, 30);
    }

    fn sign_in(&mut self) {
        self.think(15, 70);
        if !self.shopper.signed_in {
            self.shopper.signed_in = true;
            self.push(EventType::Login, |event| {
                event.properties = properties("method", "email")
            });
        }
    }

    fn purchase(&mut self, payment: &str) {
        let random = self.rng.random::<u32>();
        // The time keeps numbers apart when a seed is used again.
        let transaction_id = format!("PP-{:08X}-{:04X}", random, self.now & 0xFFFF);
        let lines = std::mem::take(&mut self.shopper.cart);
        let (world, goods) = (self.world, goods(self.world, &lines));
        self.open("/thanks", "Thank you");
        self.push_some(EventType::Purchase, &lines, |event| {
            event.transaction_id = Some(transaction_id.clone());
            event.tax = Some(world.amount(included_tax(goods)));
            event.shipping = Some(world.amount(shipping(goods)));
            event.payment_method = Some(payment.to_owned());
        });
        self.shopper.orders.push(Order {
            transaction_id,
            lines,
        });
        self.think(3, 20);
    }

    /// Rarely, an earlier order is returned: all of it, or its first line.
    fn send_order_back(&mut self) {
        if self.shopper.orders.is_empty() || !self.rng.random_bool(REFUND) {
            return;
        }
        let order = self.shopper.orders.remove(0);
        let whole = self.rng.random_bool(0.5);
        let lines = if whole {
            &order.lines[..]
        } else {
            &order.lines[..1]
        };
        self.think(10, 60);
        self.push_some(EventType::Refund, lines, |event| {
            event.transaction_id = Some(order.transaction_id.clone())
        });
    }

    // How pages and events are made.

    fn open(&mut self, path: &str, title: &str) {
        self.leave_page();
        let before = std::mem::take(&mut self.page.url);
        self.page = OpenPage {
            url: format!("{}{path}", self.world.origin),
            title: format!("{title} · {SHOP}"),
            referrer: Some(before).filter(|url| !url.is_empty()),
            opened: self.now,
        };
        self.push(EventType::PageView, |_| {});
        self.now += self.rng.random_range(20..120);
    }

    /// Reports how long the page had the shopper's attention: most of the time it was open.
    fn leave_page(&mut self) {
        let open = self.now - self.page.opened;
        if self.events.is_empty() || open < 1_000 {
            return;
        }
        let attention = open * self.rng.random_range(60..=100) / 100;
        self.push(EventType::PagePing, |event| {
            event.engagement_time_msec = Some(attention)
        });
    }

    fn think(&mut self, least_seconds: i64, most_seconds: i64) {
        self.now += self
            .rng
            .random_range(least_seconds * 1_000..=most_seconds * 1_000);
    }

    fn push_lines(&mut self, event_type: EventType, fill: impl FnOnce(&mut Event)) {
        let lines = self.shopper.cart.clone();
        self.push_some(event_type, &lines, fill);
    }

    fn push_some(&mut self, event_type: EventType, lines: &[Line], fill: impl FnOnce(&mut Event)) {
        let world = self.world;
        let item = |line: &Line| Item {
            quantity: Some(line.quantity as f64),
            ..world.product_at(line.place).item(world)
        };
        let items = lines.iter().map(item).collect();
        let goods = goods(world, lines);
        self.push(event_type, |event| {
            worth(event, world, goods);
            event.items = Some(items);
            fill(event);
        });
    }

    fn push(&mut self, event_type: EventType, fill: impl FnOnce(&mut Event)) {
        let mut event = self.event(event_type);
        fill(&mut event);
        self.events.push(event);
        self.now += self.rng.random_range(1..30);
    }

    fn event(&mut self, event_type: EventType) -> Event {
        let account = self.shopper.signed_in.then(|| self.shopper.account.clone());
        let (user_id, demographics) = account
            .map(|account| (account.user_id, account.demographics))
            .unzip();
        let random: [u8; 10] = self.rng.random();
        let id =
            uuid::Builder::from_unix_timestamp_millis(self.now.unsigned_abs(), &random).into_uuid();
        Event {
            event_id: id.to_string(),
            event_type,
            event_timestamp: self.now,
            seq: i64::try_from(self.events.len()).unwrap_or(i64::MAX - 1) + 1,
            anonymous_id: self.shopper.anonymous_id.clone(),
            session_id: self.session_id.clone(),
            user_id,
            page_url: self.page.url.clone(),
            page_title: Some(self.page.title.clone()),
            referrer_url: self.page.referrer.clone(),
            items: None,
            currency: None,
            value: None,
            transaction_id: None,
            tax: None,
            shipping: None,
            coupon: None,
            payment_method: None,
            search_term: None,
            link_url: None,
            event_name: None,
            engagement_time_msec: None,
            demographics,
            consent: Consent {
                analytics: ConsentState::Granted,
                ads: ConsentState::from_boolean(self.shopper.ads),
            },
            properties: None,
        }
    }
}

/// A path with the parameters that a link of a campaign adds.
fn address(path: &str, query: &str) -> String {
    match query {
        "" => path.to_owned(),
        _ => format!("{path}?{query}"),
    }
}

fn goods(world: &World, lines: &[Line]) -> i64 {
    lines
        .iter()
        .map(|line| world.product_at(line.place).price * line.quantity)
        .sum()
}

fn worth(event: &mut Event, world: &World, minor: i64) {
    event.currency = Some(world.currency.clone());
    event.value = Some(world.amount(minor));
}

fn properties(name: &str, value: &str) -> Option<std::collections::BTreeMap<String, Property>> {
    Some([(name.to_owned(), Property::Text(value.to_owned()))].into())
}
