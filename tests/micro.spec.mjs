// The page of what came in, in a real browser, over canned answers of the local stack.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launchChromium } from "./browser.mjs";

const ORIGIN = "http://127.0.0.1:1";
const FILES = {
  "/micro/": "micro/index.html",
  "/micro/style.css": "micro/style.css",
  "/micro/micro.js": "micro/micro.js",
  "/dashboard/icon.svg": "dashboard/icon.svg",
};
const HOSTILE = '<img src=x onerror="window.broken = true">';

const good = (offset, event_type) => ({
  event: {
    event_type,
    page_url: "http://shop.example/product/mug",
    items: [{ item_id: "mug", item_name: HOSTILE }],
    value: 12.5,
    currency: "EUR",
  },
  batch: { sent_at: 1 },
  edge: { received_at: 1_795_392_000_123, shop_id: "demo" },
  schema_id: 100_001,
  kafka: {
    topic: "clickstream_event_v3",
    partition: 0,
    offset,
    timestamp: 1_795_392_000_200,
    key: "visitor-1",
  },
});
const bad = (offset) => ({
  code: "missing",
  pointer: "/currency",
  message: HOSTILE,
  received_at: 1_795_392_000_123,
  shop_id: "demo",
  rejections: [
    { code: "missing", pointer: "/currency", message: HOSTILE },
    { code: "too_long", pointer: "/coupon", message: "too long" },
  ],
  original: `{"coupon":"${HOSTILE.replaceAll('"', "'")}"}`,
  original_encoding: "text",
  kafka: {
    topic: "clickstream_event_v3.dlq",
    partition: 0,
    offset,
    timestamp: 1_795_392_000_200,
    key: null,
  },
});

describe("page of what came in", () => {
  let browser, page, lists;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());
  beforeEach(async () => {
    lists = { good: [good(1, "purchase"), good(0, "page_view")], bad: [bad(0)] };
    await page?.close();
    page = await browser.newPage();
    await page.route("**/*", answer);
    await page.goto(`${ORIGIN}/micro/`);
    await count("good", 2);
  });

  function answer(route) {
    const { pathname } = new URL(route.request().url());
    if (FILES[pathname])
      return route.fulfill({
        path: fileURLToPath(new URL(`../web-demo/${FILES[pathname]}`, import.meta.url)),
      });
    const counts = () => ({
      total: lists.good.length + lists.bad.length,
      good: lists.good.length,
      bad: lists.bad.length,
    });
    if (pathname === "/micro/reset") lists = { good: [], bad: [] };
    return route.fulfill({
      json:
        pathname === "/micro/all" || pathname === "/micro/reset"
          ? counts()
          : lists[pathname.split("/").pop()],
    });
  }

  const count = (kind, wanted) =>
    page.waitForFunction(
      ([kind, wanted]) => document.getElementById(`${kind}-count`).textContent === wanted,
      [kind, String(wanted)],
    );

  test("what_strangers_sent_is_shown_as_text", async () => {
    for (const summary of await page.locator("summary").all()) await summary.click();
    assert.match(await page.locator("#good .about").first().textContent(), /<img src=x/);
    assert.deepEqual(await page.locator("#bad .reasons li").allTextContents(), [
      `missing /currency ${HOSTILE}`,
      "too_long /coupon too long",
    ]);
    assert.match(await page.locator("#bad pre").first().textContent(), /"coupon": "<img/);
    assert.equal(await page.locator("li img").count(), 0);
    assert.equal(await page.evaluate(() => window.broken), undefined);
  });

  test("open_event_stays_open_when_new_ones_come", async () => {
    await page.locator("#good summary").last().press("Enter");
    lists.good.unshift(good(2, "search"));
    await count("good", 3);
    assert.deepEqual(await page.locator("#good .what").allTextContents(), [
      "search",
      "purchase",
      "page_view",
    ]);
    assert.deepEqual(
      await page.locator("#good details").evaluateAll((all) => all.map((one) => one.open)),
      [false, false, true],
    );
  });

  test("search_hides_what_does_not_contain_it", async () => {
    await page.locator("#search").fill("Purchase");
    assert.deepEqual(await page.locator("#good li:visible .what").allTextContents(), ["purchase"]);
    assert.equal(await page.locator("#bad li:visible").count(), 0);
  });

  test("reset_empties_both_lists", async () => {
    await page.locator("#reset").click();
    await count("good", 0);
    assert.equal(await page.locator("li").count(), 0);
    assert.equal(await page.locator(".empty:visible").count(), 2);
  });
});
