// The tracker as built, in a real Chromium: pages that tell Google Analytics 4 what the usual plugins of shops tell it. The pages
// are ours; what they push, with which fields, in which order and types, is what these programs push:
//
// - GTM4WP 2 (github.com/duracelltomi/gtm4wp, `src/Modules/WooCommerce` and `js/frontend`): objects in the data layer, with
//   amounts now as numbers, now as texts, fields of its own, and the customer's address beside them;
// - Google Analytics for WooCommerce (github.com/woocommerce/woocommerce-google-analytics-integration,
//   `assets/js/src/tracker`): calls of `gtag()`, without a currency where a product is seen or put into the cart;
// - Google's own documentation (developers.google.com/analytics/devguides/collection/ga4/ecommerce), by which a theme calls
//   `gtag()` and an app pushes the same into the data layer.
//
// Shopify's documentation has its events pushed in the frame of a custom pixel, under names of Shopify's: they are not in the
// shop's page, and docs/install-tag.md has a pixel for them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { assertComplete, once, visit } from "./visit.mjs";

/** What Google's tag manager does with a data layer that it finds: it takes `push` over, numbers what is pushed, tells how far
 *  the page is, and calls back. */
const MANAGER = `<script>
  dataLayer.push({ "gtm.start": Date.now(), event: "gtm.js" });
  setTimeout(() => {
    const { push } = dataLayer;
    let number = 0;
    dataLayer.push = (...entries) => {
      for (const entry of entries) {
        if (entry.event) entry["gtm.uniqueEventId"] = ++number;
      }
      const result = push.apply(dataLayer, entries);
      for (const { eventCallback } of entries) eventCallback?.("GTM-XXXX");
      return result;
    };
    dataLayer.push({ event: "gtm.dom" }, { event: "gtm.load" });
  });
</script>`;

const script = (work, ...given) =>
  `<script>(${work})(${given.map((value) => JSON.stringify(value))})</script>`;

/**
 * What GTM4WP says of a product.
 * @returns {any}
 */
const gtm4wpItem = (number, more = {}) => ({
  item_id: `${number}`,
  item_name: `Mug ${number}`,
  sku: `MUG-${number}`,
  price: 12.5,
  stocklevel: null,
  stockstatus: "instock",
  google_business_vertical: "retail",
  item_category: "Kitchen",
  item_category2: "Cups",
  id: number,
  ...more,
});

/** The page's own fields of GTM4WP, which are about a person. */
const CUSTOMER = {
  visitorLoginState: "logged-in",
  visitorEmail: "anna@example.com",
  pagePostType: "product",
  customerTotalOrders: 3,
  customerBillingEmail: "anna@example.com",
};

function gtm4wpPage(customer, pushes) {
  window.dataLayer = window.dataLayer || [];
  window.dataLayer.push(customer);
  window.pushEcommerce = (event, ecommerce, more) => {
    window.dataLayer.push({ ecommerce: null });
    window.dataLayer.push({ event, ecommerce, ...more });
  };
  for (const [event, ecommerce, more] of pushes) window.pushEcommerce(event, ecommerce, more);
}

/** A page of a shop with GTM4WP, which pushes this while it loads. */
const gtm4wp = (...pushes) => ({
  tag: "data-ga4",
  body: script(gtm4wpPage, CUSTOMER, pushes) + MANAGER,
});

const CURRENCY = "EUR";

/** What the shop told Google, in the order it came. */
const told = (edge) =>
  once(edge.events).filter(
    ({ event_type }) => !/^(page_view|page_ping|web_vital)$/.test(event_type),
  );

const typesOf = (events) => events.map(({ event_type }) => event_type);

describe("a shop with GTM4WP", () => {
  test(
    "has_its_way_from_the_list_to_the_order_told_once_and_nothing_of_the_person",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      const listed = [1, 2, 3].map((number) =>
        gtm4wpItem(number, {
          product_type: "simple",
          item_list_name: "General Product List",
          item_list_id: "general-product-list",
          index: number,
        }),
      );
      pages["/"] = gtm4wp(["view_item_list", { currency: CURRENCY, items: listed }]);
      pages["/mug"] = gtm4wp([
        "view_item",
        { currency: CURRENCY, value: 12.5, items: [gtm4wpItem(1, { quantity: 1 })] },
      ]);
      const inCart = [gtm4wpItem(1, { quantity: 2, discount: 1.25 })];
      pages["/cart"] = gtm4wp(["view_cart", { currency: CURRENCY, value: 25, items: inCart }]);
      pages["/checkout"] = gtm4wp([
        "begin_checkout",
        { currency: CURRENCY, value: 25, items: inCart },
      ]);
      const order = {
        currency: CURRENCY,
        transaction_id: "1042",
        affiliation: "",
        value: 29.9,
        tax: 3.99,
        shipping: 4.9,
        coupon: "summer, friend",
        items: inCart,
      };
      pages["/order-received"] = gtm4wp([
        "purchase",
        order,
        { user_data: { sha256_email_address: "hash-of-anna", address: { street: "1 Lane" } } },
      ]);

      await open();
      await takenOf("view_item_list");
      await page.evaluate(
        ([item, currency]) => {
          const goOn = () => document.dispatchEvent(new Event("go"));
          window.pushEcommerce(
            "select_item",
            { currency, items: [item] },
            { eventCallback: goOn, eventTimeout: 2000 },
          );
        },
        [listed[0], CURRENCY],
      );
      await takenOf("select_item");
      await open("/mug");
      await takenOf("view_item");
      await page.evaluate(
        ([item, currency]) =>
          // A variation: its id is a number, and the value a text.
          window.pushEcommerce("add_to_cart", { currency, value: "25.00", items: [item] }),
        [gtm4wpItem(7, { item_id: 7, quantity: 2, item_variant: "blue" }), CURRENCY],
      );
      await takenOf("add_to_cart");
      await open("/cart");
      await takenOf("view_cart");
      await open("/checkout");
      await takenOf("begin_checkout");
      await page.evaluate(
        ([items, currency]) => {
          window.pushEcommerce("add_shipping_info", {
            currency,
            shipping_tier: "flat_rate:1",
            value: 25,
            items,
          });
          window.pushEcommerce("add_payment_info", {
            currency,
            payment_type: "bacs",
            value: 25,
            items,
          });
        },
        [inCart, CURRENCY],
      );
      await takenOf("add_payment_info");
      await open("/order-received");
      await takenOf("purchase");

      const events = told(edge);
      assert.deepEqual(typesOf(events), [
        "view_item_list",
        "select_item",
        "view_item",
        "add_to_cart",
        "view_cart",
        "begin_checkout",
        "add_shipping_info",
        "add_payment_info",
        "purchase",
      ]);
      const [list, , view, added, , , shipping, payment, bought] = events;
      assert.deepEqual(
        list.items.map(({ item_id, index, item_list_id }) => [item_id, index, item_list_id]),
        listed.map(({ item_id, index, item_list_id }) => [item_id, index, item_list_id]),
      );
      assert.deepEqual([view.currency, view.value], [CURRENCY, 12.5]);
      assert.deepEqual([added.value, added.items[0].item_id], ["25.00", 7]);
      assert.deepEqual(shipping.properties, { shipping_tier: "flat_rate:1" });
      assert.equal(payment.payment_method, "bacs");
      assert.deepEqual(
        [bought.transaction_id, bought.value, bought.tax, bought.shipping, bought.coupon],
        ["1042", 29.9, 3.99, 4.9, "summer, friend"],
      );
      assert.deepEqual(bought.items[0].quantity, 2);
      assert.doesNotMatch(JSON.stringify(edge.batches), /anna|Lane/);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "has_a_long_list_told_as_far_as_google_takes_it",
    visit(async ({ pages, open, takenOf }) => {
      const items = [...Array(201).keys()].map((number) => gtm4wpItem(number));
      pages["/"] = gtm4wp(["view_item_list", { currency: CURRENCY, items }]);
      await open();
      const [list] = await takenOf("view_item_list");
      assert.equal(list.items.length, 200);
    }),
  );
});

/** What Google Analytics for WooCommerce says of a product. */
const wooItem = { item_id: 15, item_name: "Mug", item_category: "Kitchen", price: 12.5 };

function wooPage(events) {
  window.dataLayer = window.dataLayer || [];
  window.gtag = function () {
    window.dataLayer.push(arguments);
  };
  window.gtag("js", new Date());
  window.gtag("set", "developer_id.dOGY3NW", true);
  window.gtag("config", "G-XXXX", { logged_in: "no", linker: { domains: [] }, custom_map: {} });
  for (const [name, fields] of events) window.gtag("event", name, fields);
}

describe("a shop with Google Analytics for WooCommerce", () => {
  test(
    "has_its_events_told_in_the_currency_that_the_tag_names",
    visit(async ({ edge, pages, open, takenOf }) => {
      const inCart = { ...wooItem, quantity: 2 };
      const events = [
        [
          "view_item_list",
          { item_list_id: "mugs", item_list_name: "Mugs", items: [{ ...wooItem, index: 1 }] },
        ],
        ["select_content", { content_type: "product", content_id: 15 }],
        ["view_item", { items: [{ ...wooItem, item_list_name: "Mugs" }] }],
        ["add_to_cart", { items: [inCart] }],
        ["remove_from_cart", { items: [inCart] }],
        ["begin_checkout", { currency: "USD", value: 25, coupon: "summer", items: [inCart] }],
        [
          "purchase",
          {
            transaction_id: 1042,
            affiliation: "Shop",
            currency: "USD",
            value: 29.9,
            tax: 3.99,
            shipping: 4.9,
            items: [inCart],
          },
        ],
      ];
      pages["/"] = {
        tag: `data-ga4 data-ga4-currency="${CURRENCY}"`,
        body: script(wooPage, events),
      };
      await open();
      await takenOf("purchase");
      assert.deepEqual(
        told(edge).map(({ event_type, currency, value }) => [event_type, currency, value]),
        [
          ["view_item_list", CURRENCY, 12.5],
          ["view_item", CURRENCY, 12.5],
          ["add_to_cart", CURRENCY, 25],
          ["remove_from_cart", CURRENCY, 25],
          ["begin_checkout", "USD", 25],
          ["purchase", "USD", 29.9],
        ],
      );
      assertComplete(edge.events);
    }),
  );
});

/** Google's events of e-commerce, and those around them that become ours, with what each is told with. */
const DOCUMENTED = Object.entries({
  add_payment_info: { coupon: "SUMMER_FUN", payment_type: "Credit Card" },
  add_shipping_info: { coupon: "SUMMER_FUN", shipping_tier: "Ground" },
  add_to_cart: {},
  add_to_wishlist: {},
  begin_checkout: { coupon: "SUMMER_FUN" },
  purchase: { transaction_id: "T_12345_1", tax: 4.9, shipping: 5.99, coupon: "SUMMER_SALE" },
  refund: { transaction_id: "T_12345_1", tax: 4.9, shipping: 5.99, coupon: "SUMMER_SALE" },
  remove_from_cart: {},
  select_item: { item_list_id: "related_products", item_list_name: "Related products" },
  select_promotion: { promotion_id: "P_12345", promotion_name: "Summer Sale" },
  view_cart: {},
  view_item: {},
  view_item_list: { item_list_id: "related_products", item_list_name: "Related products" },
  view_promotion: { creative_name: "Summer Banner", creative_slot: "featured_app_1" },
}).map(([name, fields]) => [
  name,
  {
    currency: "USD",
    value: 30.03,
    ...fields,
    items: [{ item_id: "SKU_12345", item_name: "Stan and Friends Tee", price: 10.01, quantity: 3 }],
  },
]);

describe("a shop that keeps to Google's documentation", () => {
  test(
    "has_each_event_told_once_though_a_theme_calls_gtag_and_an_app_pushes_the_same",
    visit(async ({ edge, page, pages, open, taken, custom, takenOf }) => {
      pages["/"] = { tag: "data-ga4", body: script(wooPage, []) };
      await open();
      await taken(1);
      await page.evaluate((events) => {
        for (const [name, fields] of events) {
          window.gtag("event", name, fields);
          window.dataLayer.push({ ecommerce: null });
          window.dataLayer.push({ event: name, ecommerce: fields });
        }
      }, DOCUMENTED);
      await custom("after");
      await takenOf("custom");
      assert.deepEqual(typesOf(told(edge)), [...DOCUMENTED.map(([name]) => name), "custom"]);
      for (const { currency, value, items } of told(edge).slice(0, -1)) {
        assert.deepEqual([currency, value, items[0].quantity], ["USD", 30.03, 3]);
      }
      assertComplete(edge.events);
    }),
  );
});
