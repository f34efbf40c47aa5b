// The whole road: what one person does in the shop, to the cent, in the tables and on the dashboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchChromium } from "./browser.mjs";
import { Shopper } from "./shopper.mjs";
import { Stack } from "./stack.mjs";
import { until } from "./until.mjs";

// 3 × 9.90 + 24.90, and express shipping. 19 % VAT is in the prices: 54.60 × 19 / 119 = 8.7176….
const CANDLE = { item_id: "beeswax-candle", quantity: 3, revenue_minor: 2970 };
const DRIPPER = { item_id: "pour-over-dripper", quantity: 1, revenue_minor: 2490 };
const GOODS_MINOR = 5460;
const TAX_MINOR = 872;
const SHIPPING_MINOR = 990;

let stack;
let browser;
let dashboard;
let shopper;
let visit;

/** The fields of `row` that `expected` names. */
const part = (row, expected) =>
  Object.fromEntries(Object.keys(expected).map((name) => [name, row[name]]));

const assertRow = (row, expected) => assert.deepEqual(part(row, expected), expected);

const sum = (rows, column) => rows.reduce((total, row) => total + row[column], 0);

/** What the dashboard shows for a key figure: the text, and the exact value behind it. */
async function figure(name) {
  const element = dashboard.getByTestId(`kpi-${name}`);
  return {
    text: await element.textContent(),
    value: Number(await element.getAttribute("data-value")),
  };
}

/** Does it all: looks around, searches, fills the cart, leaves, comes back, buys. */
async function shop() {
  shopper = await Shopper.arrive(
    browser,
    stack.addresses.shop,
    "/?utm_source=newsletter&utm_medium=email&utm_campaign=november_letter",
  );
  await shopper.browse("Kitchen");
  await shopper.lookAt("linen-tea-towel");
  await shopper.search("candle");
  await shopper.lookAt(CANDLE.item_id);
  await shopper.addToCart(CANDLE.quantity);
  await shopper.leave();

  await shopper.comeBack();
  const kept = await shopper.inCart();
  await shopper.lookAt(DRIPPER.item_id);
  await shopper.addToCart(DRIPPER.quantity);
  await shopper.checkOut({ email: "ada@example.com", shipping: "express", payment: "paypal" });
  const clicked = Date.now();
  const order = await shopper.placeOrder();
  return {
    kept,
    clicked,
    order,
    customer: await shopper.customerNumber(),
    anonymousId: await shopper.anonymousId(),
  };
}

before(async () => {
  stack = await Stack.start();
  browser = await launchChromium();
  dashboard = await browser.newPage();
  await dashboard.goto(`${stack.addresses.dashboard}?period=all`);
  visit = await shop();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("cart_is_kept_while_the_shopper_is_away", () => {
  assert.equal(visit.kept, CANDLE.quantity);
  assert.equal(visit.order.paid, "€64.50");
});

test("order_appears_on_the_dashboard_by_itself", async (t) => {
  await until("the dashboard shows the order", async () => (await figure("orders")).value === 1);
  t.diagnostic(`place order → dashboard: ${((Date.now() - visit.clicked) / 1000).toFixed(1)} s`);
  assert.deepEqual(await figure("revenue"), { text: "€54.60", value: GOODS_MINOR });
  assert.deepEqual(await figure("orders"), { text: "1", value: 1 });
  assert.deepEqual(await figure("average_order_value"), { text: "€54.60", value: GOODS_MINOR });
  assert.deepEqual(await figure("sessions"), { text: "1", value: 1 });
  assert.deepEqual(await figure("conversion_rate"), { text: "100.0%", value: 1 });
  assert.match(await dashboard.getByTestId("net-revenue").textContent(), /€54\.60/);
  const customers = await dashboard.getByTestId("customers").locator("tbody tr").allTextContents();
  assert.equal(customers.length, 1);
  assert.ok(customers[0].includes(visit.customer) && customers[0].includes("€54.60"), customers[0]);
});

test("dashboard_is_light", async (t) => {
  const page = await browser.newPage();
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  let bytes = 0;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(stack.addresses.dashboard);
  await page.locator(".bars_marks path").first().waitFor({ state: "attached" });
  await page.close();
  t.diagnostic(`first load of the dashboard: ${bytes} bytes`);
  assert.ok(bytes > 100_000 && bytes <= 300_000, `${bytes} bytes`);
});

test("every_event_arrives_once_and_in_its_session", async () => {
  await shopper.leave();
  const events = await until(
    "all that came in is in silver, nothing is missing between",
    async () => {
      const [rows, good] = [await stack.rows("silver_events"), await stack.micro("good")];
      // A page that goes while a batch is under way sends it again: at least once on every hop.
      const cameIn = new Set(good.map(({ event }) => event.event_id));
      const numbers = rows.map(({ seq }) => seq).sort((a, b) => a - b);
      return (
        rows.length === cameIn.size && numbers.every((seq, index) => seq === index + 1) && rows
      );
    },
  );
  assert.equal((await stack.micro("all")).bad, 0);
  assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length);
  assert.deepEqual(
    [...new Set(events.map(({ anonymous_id }) => anonymous_id))],
    [visit.anonymousId],
  );
  assert.equal(new Set(events.map(({ session_key }) => session_key)).size, 1);

  const session = await until("the session has all events", async () =>
    (await stack.rows("silver_sessions")).find((row) => row.events === events.length),
  );
  assertRow(session, {
    anonymous_id: visit.anonymousId,
    user_id: visit.customer,
    shop_id: "demo",
    currency: "EUR",
    page_views: 10,
    product_views: 3,
    adds_to_cart: 2,
    checkouts: 1,
    purchases: 1,
    revenue_minor: GOODS_MINOR,
    entry_page: "/",
    exit_page: "/thanks",
    channel: "Email",
    utm_source: "newsletter",
    utm_medium: "email",
    utm_campaign: "november_letter",
    device: "desktop",
    browser: "Chrome",
    os: "Linux",
    is_bounce: false,
    is_engaged: true,
    is_bot: false,
  });
  assert.equal(
    session.duration_ms,
    Date.parse(session.session_end) - Date.parse(session.session_start),
  );
  assert.equal((await stack.rows("silver_sessions")).length, 1);
  const searches = events.filter(({ event_type }) => event_type === "search");
  assert.deepEqual(
    searches.map(({ search_term }) => search_term),
    ["candle"],
  );
});

test("order_has_its_amounts_to_the_cent", async () => {
  const orders = await stack.rows("silver_orders");
  assert.equal(orders.length, 1);
  assertRow(orders[0], {
    transaction_id: visit.order.number,
    shop_id: "demo",
    currency: "EUR",
    customer_id: visit.customer,
    user_id: visit.customer,
    anonymous_id: visit.anonymousId,
    gross_minor: GOODS_MINOR,
    tax_minor: TAX_MINOR,
    shipping_minor: SHIPPING_MINOR,
    refunds_minor: 0,
    net_minor: GOODS_MINOR,
    quantity: 4,
    payment_method: "paypal",
    order_number: 1,
    is_new_customer: true,
    channel: "Email",
  });
});

test("daily_kpis_count_the_visit", async () => {
  const days = await stack.gold("gold_daily_kpis");
  assert.equal(days.length, 1);
  assertRow(days[0], {
    shop_id: "demo",
    currency: "EUR",
    revenue_gross_minor: GOODS_MINOR,
    refunds_minor: 0,
    revenue_net_minor: GOODS_MINOR,
    orders: 1,
    average_order_value_minor: GOODS_MINOR,
    sessions: 1,
    visitors: 1,
    converted_sessions: 1,
    conversion_rate: 1,
    bounced_sessions: 0,
    bounce_rate: 0,
    cart_sessions: 1,
    abandoned_cart_sessions: 0,
    cart_abandonment_rate: 0,
    page_views: 10,
  });
});

test("products_have_their_views_and_sales", async () => {
  const products = await stack.gold("gold_product_performance");
  assert.equal(products.length, 3);
  for (const sold of [CANDLE, DRIPPER]) {
    const row = products.find(({ item_id }) => item_id === sold.item_id);
    assertRow(row, { ...sold, currency: "EUR", views: 1, carts: 1, purchases: 1 });
  }
  const onlySeen = products.find(({ item_id }) => item_id === "linen-tea-towel");
  assertRow(onlySeen, { views: 1, carts: 0, purchases: 0, quantity: 0, revenue_minor: 0 });
});

test("trending_products_have_each_sale_in_two_windows", async () => {
  const windows = await stack.gold("gold_trending_products");
  for (const { item_id, revenue_minor } of [CANDLE, DRIPPER]) {
    const rows = windows.filter((row) => row.item_id === item_id);
    assert.equal(sum(rows, "revenue_minor"), 2 * revenue_minor);
    assert.deepEqual([sum(rows, "views"), sum(rows, "carts"), sum(rows, "purchases")], [2, 2, 2]);
  }
});

test("funnel_has_the_visit_in_every_step", async () => {
  const rows = await stack.gold("gold_conversion_funnel");
  const steps = rows
    .filter(({ kind }) => kind === "step")
    .sort((a, b) => a.step_order - b.step_order);
  assert.deepEqual(
    steps.map(({ step, sessions }) => [step, sessions]),
    ["sessions", "view_item", "add_to_cart", "begin_checkout", "purchase"].map((step) => [step, 1]),
  );
  const count = (type) => rows.find(({ kind, step }) => kind === "event" && step === type).events;
  assert.deepEqual(
    ["page_view", "view_item", "add_to_cart", "search", "purchase"].map(count),
    [10, 3, 2, 1, 1],
  );
});

test("customer_and_device_have_the_revenue", async () => {
  const customers = await stack.gold("gold_customer_ltv");
  assert.equal(customers.length, 1);
  assertRow(customers[0], {
    customer_id: visit.customer,
    currency: "EUR",
    orders: 1,
    gross_minor: GOODS_MINOR,
    refunds_minor: 0,
    lifetime_value_minor: GOODS_MINOR,
    average_order_value_minor: GOODS_MINOR,
    first_channel: "Email",
  });
  const devices = await stack.gold("gold_device_trends");
  assert.equal(devices.length, 1);
  assertRow(devices[0], {
    device: "desktop",
    browser: "Chrome",
    os: "Linux",
    currency: "EUR",
    sessions: 1,
    converted_sessions: 1,
    conversion_rate: 1,
    purchases: 1,
    revenue_minor: GOODS_MINOR,
  });
});
