// The code of docs/install-tag.md as it stands there, in a real Chromium: each recipe in a page that has what its platform
// gives it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

import { codeOf } from "./guide.mjs";
import { ASSETS, until } from "./test-edge.mjs";
import { visit } from "./visit.mjs";

describe("the recipe for", () => {
  test(
    "a_tag_manager_sends_once_the_visitor_chose_and_reads_the_data_layer",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      const html = codeOf(edge, "Tag manager", "html");
      // What tag managers do with a tag's HTML: its scripts are made again, with the attributes they know.
      const manager = (given) => {
        const found = document
          .createRange()
          .createContextualFragment(given)
          .querySelector("script");
        const script = document.createElement("script");
        script.async = true;
        script.src = found.src;
        document.head.append(script);
      };
      pages["/"] = {
        untagged: true,
        body: `<script>
          window.dataLayer = [];
          function gtag() { dataLayer.push(arguments); }
          gtag("consent", "default", { analytics_storage: "denied", ad_storage: "denied" });
          (${manager})(${JSON.stringify(html).replaceAll("</", "<\\/")});
        </script>`,
      };
      await open();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(edge.requests, []);
      await page.evaluate(() => {
        const { gtag } = /** @type {any} */ (window);
        gtag("consent", "update", { analytics_storage: "granted", ad_storage: "denied" });
        gtag("event", "search", { search_term: "mug" });
      });
      await takenOf("page_view");
      const [searched] = await takenOf("search");
      assert.equal(searched.search_term, "mug");
      assert.deepEqual(searched.consent, { analytics: "granted", ads: "denied" });
    }),
  );

  test(
    "shopifys_checkout_tells_the_order_of_the_visitor_of_the_shops_pages",
    visit(async ({ edge, page, pages, context, shop, open, takenOf }) => {
      await context.addCookies([{ name: "st_id", value: "visitor-1", url: shop.origin }]);
      await page.addInitScript(runPixels, "granted");
      pages["/"] = checkout(edge, COMPLETED);
      await open();
      const [{ event_id, session_id, ...purchase }] = await takenOf("purchase");
      assert.deepEqual(purchase, {
        event_type: "purchase",
        event_timestamp: Date.parse(COMPLETED.timestamp),
        seq: 1,
        anonymous_id: "visitor-1",
        user_id: "customer-7",
        page_url: "https://shop.example/checkouts/1/thank-you",
        consent: { analytics: "granted", ads: "denied" },
        transaction_id: "order-1",
        currency: "EUR",
        value: 20,
        tax: 3.99,
        shipping: 4.9,
        items: [
          { item_id: "sku-1", item_name: "Mug", item_variant: "blue", price: 10, quantity: 2 },
        ],
      });
      assert.notEqual(event_id, session_id);
      assert.deepEqual(
        edge.requests.map(({ headers }) => headers.origin),
        ["null"],
      );
    }),
  );

  test(
    "shopifys_checkout_tries_again_until_the_edge_itself_has_answered",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      await page.addInitScript(runPixels, "granted");
      pages["/"] = checkout(edge, COMPLETED);
      const answers = [
        { status: 503 },
        { status: 200, body: "<p>Back soon</p>", headers: { "content-type": "text/html" } },
      ];
      const answered = edge.answerWith(() => answers.shift());
      await open();
      const purchases = await takenOf("purchase");
      assert.equal(purchases.length, 1);
      assert.equal(answered.calls, 3);
      await until("an empty store", async () => (await unsentOf(page)) === "[]");
    }),
  );

  test(
    "shopifys_next_page_sends_the_order_that_the_checkout_could_not",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      await page.addInitScript(runPixels, "granted");
      pages["/"] = checkout(edge, COMPLETED);
      pages["/next"] = checkout(edge, { ...COMPLETED, name: "page_viewed" });
      edge.reply = { away: true };
      await open();
      await until("an attempt", () => edge.attempts > 0);
      const [{ event_id }] = JSON.parse(await unsentOf(page));
      await page.goto("about:blank");
      edge.reply = undefined;
      await open("/next");
      const [purchase] = await takenOf("purchase");
      assert.equal(purchase.event_id, event_id);
      await until("an empty store", async () => (await unsentOf(page)) === "[]");
    }),
  );

  test(
    "shopifys_checkout_keeps_and_tells_nothing_of_a_visitor_who_refused",
    visit(async ({ edge, page, pages, open }) => {
      await page.addInitScript(runPixels, "denied");
      pages["/"] = checkout(edge, COMPLETED);
      await open("/untagged");
      await page.evaluate(() => localStorage.setItem("shoptrail-pixel", '[{"event_id":"1"}]'));
      await open();
      await until("an empty store", async () => (await unsentOf(page)) === "[]");
      await page.waitForLoadState("networkidle");
      assert.equal(await unsentOf(page), "[]");
      assert.equal(edge.attempts, 0);
    }),
  );

  test(
    "a_content_security_policy_with_a_nonce_lets_the_tag_and_all_it_loads_in",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      const policy = codeOf(edge, "Content-Security-Policy", "http").trim();
      const tag = codeOf(edge, "Content-Security-Policy", "html");
      await page.addInitScript(() => {
        const refused = (window.refused = []);
        addEventListener("securitypolicyviolation", ({ blockedURI }) => refused.push(blockedURI));
      });
      pages["/"] = { untagged: true, csp: policy.replace(/^.*?: /, ""), body: tag };
      await open();
      await takenOf("page_view");
      await until("a late part", () => edge.files.some((file) => file.startsWith("t-behaviour-")));
      assert.equal(edge.batches[0].tracker.name, "shoptrail-wasm");
      assert.deepEqual(await page.evaluate(() => window.refused), []);
    }),
  );

  test(
    "subresource_integrity_loads_this_tracker_and_no_other",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      const program = await readFile(join(ASSETS, "t.js"));
      const hash = createHash("sha384").update(program).digest("base64");
      const tag = codeOf(edge, "Subresource integrity", "html");
      pages["/"] = { untagged: true, body: tag.replace("sha384-…", `sha384-${hash}`) };
      pages["/next"] = { untagged: true, body: tag.replace("sha384-…", "sha384-AAAA") };
      await open("/next");
      await page.waitForLoadState("networkidle");
      assert.equal(await page.evaluate(() => window.shoptrail), undefined);
      await open();
      const views = await takenOf("page_view");
      assert.deepEqual(
        views.map(({ page_url }) => new URL(page_url).pathname),
        ["/"],
      );
    }),
  );
});

/** A completed checkout, in the form that Shopify documents. */
const COMPLETED = {
  name: "checkout_completed",
  timestamp: new Date().toISOString(),
  context: { document: { location: { href: "https://shop.example/checkouts/1/thank-you" } } },
  data: {
    checkout: {
      currencyCode: "EUR",
      order: { id: "order-1", customer: { id: "customer-7" } },
      subtotalPrice: { amount: 20, currencyCode: "EUR" },
      totalPrice: { amount: 28.89, currencyCode: "EUR" },
      totalTax: { amount: 3.99, currencyCode: "EUR" },
      shippingLine: { price: { amount: 4.9, currencyCode: "EUR" } },
      lineItems: [
        {
          title: "Mug",
          quantity: 2,
          variant: {
            title: "blue",
            price: { amount: 10, currencyCode: "EUR" },
            product: { id: "sku-1" },
          },
        },
      ],
    },
  },
};

/** A page with the pixel in its frame, where `completed` happens. */
function checkout(edge, completed) {
  const pixel = codeOf(edge, "Shopify", "js");
  const frame = `<script>(${sandbox})(${JSON.stringify(completed)})</script><script>${pixel}</script>`;
  const source = frame.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return {
    untagged: true,
    body: `<iframe sandbox="allow-scripts" srcdoc="${source}"></iframe>`,
  };
}

/** What a pixel has not sent yet. */
const unsentOf = (page) => page.evaluate(() => localStorage.getItem("shoptrail-pixel"));

/** What Shopify runs in the top frame for its pixels: their calls reach the shop's own store, where the visitor's choice
 *  is. */
function runPixels(analytics) {
  if (window !== top || origin === "null") return;
  localStorage.setItem("shoptrail.consent", JSON.stringify({ analytics, ads: "denied" }));
  const calls = {
    cookie: (name) => new RegExp(`${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "",
    getItem: (name) => localStorage.getItem(name),
    setItem: (name, value) => localStorage.setItem(name, value),
  };
  addEventListener("message", ({ data, source, ports }) => {
    if (source === window) return;
    const [call, ...given] = data;
    ports[0].postMessage(calls[call](...given));
  });
}

/** What a custom pixel finds in its frame. */
function sandbox(completed) {
  const ask =
    (call) =>
    (...given) =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => resolve(data);
        parent.postMessage([call, ...given], "*", [port2]);
      });
  Object.assign(window, {
    browser: {
      cookie: { get: ask("cookie") },
      localStorage: { getItem: ask("getItem"), setItem: ask("setItem") },
    },
    analytics: {
      subscribe: (name, told) => name === completed.name && setTimeout(told, 0, completed),
    },
  });
}
