// The code of docs/install-tag.md as it stands there, in a real Chromium: each recipe in a page that has what its platform
// gives it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

import { ASSETS, until } from "./test-edge.mjs";
import { visit } from "./visit.mjs";

const GUIDE = await readFile(new URL("../../docs/install-tag.md", import.meta.url), "utf8");

/** The code of a language below a heading, for this edge. */
const codeOf = (edge, heading, language) => {
  const section = GUIDE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const [, code] = new RegExp("```" + language + "\n(.*?)```", "s").exec(section) ?? [];
  assert.ok(code, `${heading}: no ${language}`);
  return code.replaceAll("https://track.shop.example", edge.origin).replaceAll("pk_…", "pk_test");
};

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
      const pixel = codeOf(edge, "Shopify", "js");
      await context.addCookies([{ name: "st_id", value: "visitor-1", url: shop.origin }]);
      const frame = `<script>(${sandbox})(${JSON.stringify(COMPLETED)})</script><script>${pixel}</script>`;
      pages["/"] = {
        untagged: true,
        body: `<iframe sandbox="allow-scripts" srcdoc="${frame.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`,
      };
      await page.addInitScript(() => {
        if (window !== top) return;
        localStorage.setItem(
          "shoptrail.consent",
          JSON.stringify({ analytics: "granted", ads: "denied" }),
        );
        // What Shopify runs in the top frame for its pixels.
        addEventListener("message", ({ data, source, ports }) => {
          if (source === window) return;
          const value =
            data === "st_id"
              ? (/st_id=([^;]*)/.exec(document.cookie)?.[1] ?? "")
              : localStorage.getItem(data);
          ports[0].postMessage(value);
        });
      });
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

/** What a custom pixel finds in its frame. */
function sandbox(completed) {
  const ask = (name) =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => resolve(data);
      parent.postMessage(name, "*", [port2]);
    });
  Object.assign(window, {
    browser: { cookie: { get: ask }, localStorage: { getItem: ask } },
    analytics: {
      subscribe: (name, told) => name === completed.name && setTimeout(told, 0, completed),
    },
  });
}
