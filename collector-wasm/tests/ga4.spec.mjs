// The tracker as built, in a real Chromium: a shop that tells Google Analytics 4 has its events without another call.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { assertComplete, visit } from "./visit.mjs";

/** Google's own snippet; its script need not be there. */
const GTAG = `<script>
  window.dataLayer = window.dataLayer || [];
  function gtag() { dataLayer.push(arguments); }
  gtag("js", new Date());
  gtag("config", "G-XXXXXXXXXX", { currency: "EUR", user_id: "customer-7" });
</script>`;

/** An item with every field that Google documents. */
const ITEM = {
  item_id: "SKU_12345",
  item_name: "Mug",
  affiliation: "Shop",
  coupon: "SUMMER",
  discount: 2.22,
  index: 0,
  item_brand: "Brand",
  item_category: "Kitchen",
  item_category2: "Table",
  item_category3: "Cups",
  item_category4: "Coffee",
  item_category5: "Large",
  item_list_id: "related_products",
  item_list_name: "Related products",
  item_variant: "green",
  location_id: "ChIJIQBpAG2ahYAR_6128GcTUEo",
  price: 10.01,
  quantity: 3,
  promotion_id: "P_12345",
  promotion_name: "Summer sale",
  creative_name: "banner",
  creative_slot: "top",
};

const typesOf = (events) =>
  events.map(({ event_type }) => event_type).filter((type) => type !== "page_view");

describe("what a shop tells Google", () => {
  test(
    "by_gtag_is_read_from_before_and_after_the_tag_is_there",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].tag = "data-ga4";
      pages["/"].body =
        GTAG + `<script>gtag("event", "view_item", ${JSON.stringify({ items: [ITEM] })})</script>`;
      await open();
      const [viewed] = await takenOf("view_item");
      assert.deepEqual(viewed.items, [ITEM]);
      assert.deepEqual([viewed.currency, viewed.value], ["EUR", 30.03]);
      assert.equal(viewed.user_id, "customer-7");
      await page.evaluate((item) => {
        window.gtag("event", "purchase", {
          transaction_id: 12345,
          value: "72.05",
          tax: 3.6,
          shipping: 5.99,
          currency: "USD",
          coupon: "SUMMER_SALE",
          affiliation: "Shop",
          customer_type: "new",
          send_to: "G-XXXXXXXXXX",
          email: "person@example.com",
          items: [item],
        });
      }, ITEM);
      const [bought] = await takenOf("purchase");
      assert.deepEqual(
        [bought.transaction_id, bought.value, bought.tax, bought.shipping, bought.currency],
        [12345, "72.05", 3.6, 5.99, "USD"],
      );
      assert.deepEqual(bought.properties, { affiliation: "Shop", customer_type: "new" });
      assert.ok(!JSON.stringify(bought).includes("person@example.com"));
      assertComplete(edge.events);
    }),
  );

  test(
    "in_a_data_layer_of_another_name_is_read_with_its_parameters",
    visit(async ({ edge, page, pages, open, taken, takenOf }) => {
      pages["/"].tag = `data-ga4="layer"`;
      await open();
      await taken(1);
      await page.evaluate((item) => {
        const push = (...entries) => (window.layer ??= []).push(...entries);
        push({ event: "gtm.js", "gtm.start": 1 }, { event: "add_to_cart_clicked" });
        push({ ecommerce: null });
        push({
          event: "add_payment_info",
          ecommerce: { currency: "EUR", value: 30.03, payment_type: "Credit Card", items: [item] },
        });
        push({
          event: "add_shipping_info",
          ecommerce: { currency: "EUR", value: 30.03, shipping_tier: "Ground", items: [item] },
        });
        push({
          event: "view_item_list",
          ecommerce: {
            item_list_id: "mugs",
            item_list_name: "Mugs",
            items: [{ item_id: 1 }, { item_name: "Nameless" }],
          },
        });
        push({
          event: "select_promotion",
          ecommerce: { promotion_id: "p", promotion_name: "Sale", creative_slot: "top" },
        });
        push({ event: "login", method: "Google" });
        push({ event: "search", search_term: "mug" });
        push({ ecommerce: { currency: "EUR", items: [item] } });
        push({ event: "begin_checkout" });
      }, ITEM);
      const [begun] = await takenOf("begin_checkout");
      assert.deepEqual(begun.items, [ITEM]);
      assert.equal(begun.value, 30.03);
      assert.deepEqual(typesOf(edge.events), [
        "add_payment_info",
        "add_shipping_info",
        "view_item_list",
        "select_promotion",
        "login",
        "search",
        "begin_checkout",
      ]);
      const [payment, shipping, list, promotion, login] = edge.events.slice(1);
      assert.equal(payment.payment_method, "Credit Card");
      assert.deepEqual(shipping.properties, { shipping_tier: "Ground" });
      assert.deepEqual(list.items, [
        { item_list_id: "mugs", item_list_name: "Mugs", item_id: 1 },
        {
          item_list_id: "mugs",
          item_list_name: "Mugs",
          item_name: "Nameless",
          item_id: "Nameless",
        },
      ]);
      assert.deepEqual(promotion.properties, {
        promotion_id: "p",
        promotion_name: "Sale",
        creative_slot: "top",
      });
      assert.deepEqual(login.properties, { method: "Google" });
      assertComplete(edge.events);
    }),
  );

  test(
    "twice_by_theme_and_app_is_one_event",
    visit(async ({ edge, page, pages, open, taken, custom, takenOf }) => {
      pages["/"].tag = "data-ga4";
      pages["/"].body = GTAG;
      await open();
      await taken(1);
      await page.evaluate(() => {
        const added = { currency: "EUR", value: 1, items: [{ item_id: "a" }] };
        window.gtag("event", "add_to_cart", added);
        window.dataLayer.push({ event: "add_to_cart", ecommerce: added });
        window.gtag("event", "add_to_cart", added); // a second piece
      });
      await custom("after");
      await takenOf("custom");
      assert.deepEqual(typesOf(edge.events), ["add_to_cart", "add_to_cart", "custom"]);
    }),
  );

  test(
    "reaches_google_as_before_and_odd_entries_harm_nothing",
    visit(async ({ edge, page, pages, open, taken, takenOf }) => {
      pages["/"].tag = "data-ga4";
      pages["/"].body = GTAG;
      await open();
      await taken(1);
      const length = await page.evaluate(() => {
        const cyclic = { event: "view_item", ecommerce: { items: [{ item_id: "a" }] } };
        cyclic.ecommerce.items[0].self = cyclic;
        window.dataLayer.push(
          null,
          undefined,
          7,
          "text",
          [],
          ["event", "purchase"],
          () => {},
          cyclic,
        );
        window.dataLayer.push({ event: "view_item", ecommerce: { items: "none" } });
        window.gtag("event");
        window.gtag("set", "currency", "USD");
        window.gtag("event", "view_cart", { value: 1 });
        return window.dataLayer.length;
      });
      assert.equal(length, 14);
      const [cart] = await takenOf("view_cart");
      assert.deepEqual([cart.currency, cart.value], ["USD", 1]);
      assert.equal(edge.rejections.splice(0).length, 1, "the event without items");
    }),
  );

  test(
    "is_not_read_unless_the_tag_says_so",
    visit(async ({ edge, pages, open, custom, takenOf }) => {
      pages["/"].body = GTAG + `<script>gtag("event", "login", { method: "email" })</script>`;
      await open();
      await custom("after");
      await takenOf("custom");
      assert.deepEqual(typesOf(edge.events), ["custom"]);
    }),
  );
});
