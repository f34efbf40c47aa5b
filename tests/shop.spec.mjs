// The demo shop in a real browser: what it shows, what it remembers, and what it tells Shoptrail. The tag itself is not
// loaded here; the calls wait in the queue a page has before the tag is there.

import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";

import { violations } from "./axe.mjs";
import { launchChromium } from "./browser.mjs";
import { serveWebDemo } from "./static-server.mjs";

const SHOP = new URL("../web-demo/shop/", import.meta.url);

describe("catalogue", async () => {
  const products = JSON.parse(await readFile(new URL("catalogue.json", SHOP), "utf8"));

  test("every_product_is_complete_and_has_a_picture", async () => {
    for (const product of products) {
      for (const field of ["item_id", "item_name", "item_brand", "item_category", "description"])
        assert.ok(product[field], field);
      assert.equal(product.currency, "EUR");
      assert.equal(Math.round(product.price * 100) / 100, product.price, product.item_id);
      await access(new URL(`img/${product.item_id}.svg`, SHOP));
    }
  });

  test("ids_are_unique", () =>
    assert.equal(new Set(products.map((product) => product.item_id)).size, products.length));
});

describe("shop", () => {
  let browser;
  let server;

  before(async () => {
    browser = await launchChromium();
    server = await serveWebDemo({ "/config.js": () => ({ script: "" }) });
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  async function openShop(path = "/", options = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(server.origin + path);
    await page.locator("#content > *").first().waitFor();
    return { page, problems };
  }

  /** The calls of the page so far, `[name, fields]` each. */
  const calls = (page) => page.evaluate(() => (window.shoptrail.q ?? []).map((call) => [...call]));
  const named = async (page, name) =>
    (await calls(page)).filter(([called]) => called === name).map(([, fields]) => fields);

  async function buy(page, id, quantity) {
    await page.goto(`${server.origin}/product/${id}`);
    await page.getByTestId("quantity").fill(String(quantity));
    await page.getByTestId("add-to-cart").click();
    await page.getByTestId("added").waitFor();
  }

  /** Waits for the page's script, which writes the number over what the document has. */
  const cartHolds = (page, items) =>
    page
      .getByTestId("cart-count")
      .filter({ hasText: new RegExp(`^${items}$`) })
      .waitFor();

  async function fillCheckout(page) {
    await page.getByTestId("email").fill("Ada@Example.com");
    await page.getByTestId("name").fill("Ada");
    await page.getByTestId("continue-contact").click();
    await page.getByTestId("street").fill("Weg 1");
    await page.getByTestId("postal-code").fill("10115");
    await page.getByTestId("city").fill("Berlin");
    await page.getByTestId("continue-shipping").click();
    await page.getByTestId("payment-paypal").check();
    await page.getByTestId("continue-payment").click();
  }

  test("links_change_the_route_without_loading_the_page", async () => {
    const { page, problems } = await openShop();
    await page.evaluate(() => (window.stillHere = true));
    await page.getByTestId("product-card").first().click();
    await page.getByTestId("product-name").waitFor();
    assert.equal(new URL(page.url()).pathname, "/product/pour-over-dripper");
    assert.equal(await page.evaluate(() => window.stillHere), true);
    assert.deepEqual((await named(page, "view_item"))[0].items[0].item_id, "pour-over-dripper");
    await page.goBack();
    await page.getByText("Good things for slow mornings").waitFor();
    assert.deepEqual(problems, []);
    await page.context().close();
  });

  test("search_is_a_new_page_and_reported_once", async () => {
    const { page } = await openShop();
    await page.getByTestId("search-input").fill("wool");
    await page.getByTestId("search-submit").click();
    await page.getByText("2 things for “wool”").waitFor();
    assert.deepEqual(await named(page, "search"), [{ search_term: "wool" }]);
    await page.goto(
      `${server.origin}/search?q=${encodeURIComponent("<img src=x onerror=alert(1)>")}`,
    );
    await page.getByText("Nothing for “<img src=x onerror=alert(1)>”").waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.context().close();
  });

  test("lists_carry_the_marks_of_their_products", async () => {
    const { page } = await openShop("/category/desk");
    const list = page.locator('[data-st-event="view_item_list"][data-st-on="view"]');
    assert.equal(await list.getAttribute("data-st-fields"), '{"currency":"EUR"}');
    const items = await list
      .locator('[data-st-event="select_item"]')
      .evaluateAll((cards) => cards.map((card) => JSON.parse(card.dataset.stItem)));
    assert.deepEqual(
      items.map((item) => item.index),
      [0, 1, 2],
    );
    assert.deepEqual(items[0], {
      item_id: "dot-grid-notebook",
      item_name: "Dot-grid notebook",
      item_brand: "Folio",
      item_category: "Desk",
      price: 16.9,
      index: 0,
      item_list_id: "desk",
      item_list_name: "Desk",
    });
    await page.context().close();
  });

  test("campaigns_have_pages_of_their_own", async () => {
    const { page, problems } = await openShop("/campaign/slow-mornings?utm_campaign=slow_mornings");
    await page.getByRole("heading", { name: "A slow morning, in six parts" }).waitFor();
    assert.equal(await page.getByTestId("product-card").count(), 6);
    await page.goto(`${server.origin}/campaign/toString`);
    await page.getByText("We do not have that").waitFor();
    assert.deepEqual(problems, []);
    await page.context().close();
  });

  test("the_cart_outlives_the_visit_and_reports_its_changes", async () => {
    const { page } = await openShop();
    await buy(page, "enamel-mug", 3);
    assert.equal((await named(page, "add_to_cart"))[0].value, 43.5);
    await page.goto(`${server.origin}/cart`);
    await cartHolds(page, 3);
    await page.getByTestId("line-quantity").fill("1");
    await page.getByTestId("line-quantity").blur();
    await page.getByTestId("cart-total").getByText("€14.50").waitFor();
    await page.getByTestId("remove").click();
    await page.getByTestId("cart-empty").waitFor();
    assert.equal((await named(page, "view_cart"))[0].value, 43.5);
    assert.deepEqual(
      (await named(page, "remove_from_cart")).map(({ items }) => items[0].quantity),
      [2, 1],
    );
    await page.context().close();
  });

  test("a_purchase_reports_every_step_and_no_e_mail_address", async () => {
    const { page, problems } = await openShop();
    await buy(page, "brass-pen", 1);
    await buy(page, "pour-over-dripper", 2);
    await page.getByTestId("cart-link").click();
    await page.getByTestId("checkout-link").click();
    await fillCheckout(page);
    await page.getByTestId("place-order").click();
    const number = await page.getByTestId("order-number").textContent();

    const told = await calls(page);
    assert.deepEqual(
      told.map(([name]) => name),
      ["begin_checkout", "identify", "login", "add_shipping_info", "add_payment_info", "purchase"],
    );
    const [purchase] = await named(page, "purchase");
    assert.equal(purchase.transaction_id, number);
    assert.equal(purchase.value, 89.3);
    assert.equal(purchase.tax, 14.26);
    assert.equal(purchase.shipping, 0);
    assert.deepEqual(
      purchase.items.map(({ item_id, price, quantity }) => [item_id, price, quantity]),
      [
        ["brass-pen", 39.5, 1],
        ["pour-over-dripper", 24.9, 2],
      ],
    );
    assert.ok(!JSON.stringify(told).toLowerCase().includes("example.com"));
    assert.match((await named(page, "identify"))[0].user_id, /^C-\d{8}$/);

    await page.reload();
    await page.getByTestId("order-number").waitFor();
    assert.deepEqual(await named(page, "purchase"), [], "a reload does not buy again");
    await cartHolds(page, 0);
    assert.deepEqual(problems, []);
    await page.context().close();
  });

  test("a_customer_keeps_the_number", async () => {
    const { page } = await openShop();
    const numbers = [];
    for (const id of ["wool-blanket", "beeswax-candle"]) {
      await buy(page, id, 1);
      await page.goto(`${server.origin}/checkout`);
      await fillCheckout(page);
      numbers.push((await named(page, "identify")).at(-1).user_id);
    }
    assert.equal(numbers[0], numbers[1]);
    await page.context().close();
  });

  test("consent_is_asked_once_and_told_on_every_page", async () => {
    const { page } = await openShop();
    assert.deepEqual(await named(page, "consent"), []);
    await page.getByTestId("consent-accept").click();
    await page.getByTestId("consent-banner").waitFor({ state: "hidden" });
    await page.reload();
    await page.getByTestId("product-card").first().waitFor();
    assert.equal(await page.getByTestId("consent-banner").isVisible(), false);
    assert.deepEqual(await named(page, "consent"), [{ analytics: true, ads: true }]);
    await page.getByTestId("consent-settings").click();
    await page.getByTestId("consent-necessary").click();
    assert.deepEqual((await named(page, "consent")).at(-1), { analytics: false, ads: false });
    await page.context().close();
  });

  test("the_keyboard_reaches_the_content_and_the_phone_needs_no_sideways_scroll", async () => {
    const { page } = await openShop("/", { viewport: { width: 390, height: 844 } });
    await page.keyboard.press("Tab");
    assert.equal(
      await page.evaluate(() => document.activeElement.textContent),
      "Skip to the content",
    );
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "content");
    for (const path of ["/", "/product/enamel-mug", "/cart", "/search?q=mug"]) {
      await page.goto(server.origin + path);
      await page.locator("#content > *").first().waitFor();
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, path);
    }
    await page.context().close();
  });

  test("no_page_has_a_violation", async () => {
    const { page } = await openShop("/", { viewport: { width: 390, height: 844 } });
    const look = async (what) => assert.deepEqual(await violations(page), [], what);
    await look("home, with the question for consent");
    await page.getByTestId("consent-accept").click();
    for (const path of [
      "/category/light",
      "/campaign/november-letter",
      "/search?q=mug",
      "/nowhere",
    ]) {
      await page.goto(server.origin + path);
      await page.locator("#content > *").first().waitFor();
      await look(path);
    }
    await buy(page, "enamel-mug", 1);
    await look("product, put into the cart");
    await page.goto(`${server.origin}/cart`);
    await cartHolds(page, 1);
    await look("cart");
    await page.getByTestId("checkout-link").click();
    await fillCheckout(page);
    await page.getByTestId("place-order").waitFor();
    await look("checkout, overview");
    await page.getByTestId("place-order").click();
    await page.getByTestId("order-number").waitFor();
    await look("thanks");
    await page.context().close();
  });

  test("an_unknown_address_has_a_page", async () => {
    const { page } = await openShop("/product/no-such-thing");
    await page.getByText("We do not have that").waitFor();
    assert.deepEqual(await named(page, "view_item"), []);
    await page.context().close();
  });
});
