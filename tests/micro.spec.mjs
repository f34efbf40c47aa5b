// The page of events received, in a real browser, over canned answers of the local stack.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { violations } from "./axe.mjs";
import { launchChromium } from "./browser.mjs";
import { until } from "./until.mjs";

const ORIGIN = "http://127.0.0.1:1";
const FILES = {
  "/micro/": "micro/index.html",
  "/micro/style.css": "micro/style.css",
  "/micro/micro.js": "micro/micro.js",
  "/dashboard/icon.svg": "dashboard/icon.svg",
};
const HOSTILE = '<img src=x onerror="window.broken = true">';

const WARNINGS = [{ code: "rounded", pointer: "/value", message: "rounded to cents" }];

const good = (offset, event_type) => ({
  event: {
    event_type,
    page_url: "http://shop.example/product/mug",
    items: [{ item_id: "mug", item_name: HOSTILE }],
    value: 12.5,
    currency: "EUR",
  },
  batch: { sent_at: 1 },
  edge: { received_at: 1_795_392_000_123, shop_id: "demo", warnings: WARNINGS },
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

describe("page of events received", () => {
  let browser, page, lists, asked;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());
  beforeEach(async () => {
    lists = {
      good: [good(1, "purchase"), good(0, "page_view")],
      bad: [bad(0)],
      refusals: [],
    };
    asked = [];
    await page?.close();
    page = await browser.newPage();
    await page.route("**/*", answer);
    await page.goto(`${ORIGIN}/micro/`);
    await listed("good", 2);
    await listed("bad", 1);
  });

  function answer(route) {
    const { pathname, searchParams } = new URL(route.request().url());
    if (FILES[pathname])
      return route.fulfill({
        path: fileURLToPath(new URL(`../web-demo/${FILES[pathname]}`, import.meta.url)),
      });
    const [good, bad] = [lists.good.length, lists.bad.length];
    const counts = { total: good + bad, good, bad, refused_requests: lists.refusals.length };
    // The stream ends and is asked for again at once: so the page hears of what a test adds.
    if (pathname === "/micro/changes")
      return route.fulfill({
        contentType: "text/event-stream",
        body: `retry: 50\nevent: counts\ndata: ${JSON.stringify(counts)}\n\n`,
      });
    if (pathname === "/micro/reset") {
      lists = { good: [], bad: [], refusals: [] };
      return route.fulfill({ json: {} });
    }
    if (pathname === "/micro/refusals") return route.fulfill({ json: lists.refusals });
    asked.push(searchParams);
    const contains = searchParams.get("contains")?.toLowerCase() ?? "";
    const matching = lists[pathname.split("/").pop()].filter((entry) =>
      JSON.stringify(entry).toLowerCase().includes(contains),
    );
    const first = Number(searchParams.get("offset"));
    return route.fulfill({
      json: matching.slice(first, first + Number(searchParams.get("limit"))),
      headers: { "x-matched": String(matching.length) },
    });
  }

  const count = (kind, wanted) =>
    page.waitForFunction(
      ([kind, wanted]) => document.getElementById(`${kind}-count`).textContent === wanted,
      [kind, String(wanted)],
    );

  /** The list follows its count, when its answer has come. */
  const listed = (kind, wanted) =>
    page.waitForFunction(
      ([kind, wanted]) => document.querySelectorAll(`#${kind} > li`).length === wanted,
      [kind, wanted],
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

  test("no_state_has_a_violation_in_light_and_dark", async () => {
    for (const summary of await page.locator("summary").all()) await summary.click();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page), [], colorScheme);
    }
  });

  test("open_event_stays_open_when_new_ones_come", async () => {
    await page.locator("#good summary").last().press("Enter");
    lists.good.unshift(good(2, "search"));
    await listed("good", 3);
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

  test("answer_that_was_overtaken_is_not_shown", async () => {
    let release = () => {};
    const held = new Promise((resolve) => (release = () => resolve(undefined)));
    await page.route(/contains=view/, async (route) => {
      await held;
      await answer(route);
    });
    await page.locator("#filter-contains").fill("view");
    await page.waitForRequest(/good\?.*contains=view/);
    await page.locator("#filter-contains").fill("purchase");
    await listed("good", 1);
    const late = page.waitForResponse(/good\?.*contains=view/);
    release();
    await (await late).finished();
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.deepEqual(await page.locator("#good .what").allTextContents(), ["purchase"]);
  });

  test("filters_are_asked_of_the_stack", async () => {
    await page.locator("#filter-contains").fill("Purchase");
    await listed("good", 1);
    assert.deepEqual(await page.locator("#good .what").allTextContents(), ["purchase"]);
    await page.getByText("No bad event is like that.").waitFor();
    await page.locator("#filter-since").fill("2026-11-27T10:00:00");
    await page.locator("#filter-warnings").check();
    await until("the last filter is asked for", () => asked.at(-1).get("warnings") === "true");
    assert.equal(asked.at(-1).get("contains"), "Purchase");
    assert.ok(Number(asked.at(-1).get("since")) > 1.7e12);
    assert.match(
      await page.locator("#good-export").getAttribute("href"),
      /contains=Purchase.*jsonl/,
    );
  });

  test("warnings_of_a_good_event_are_shown", async () => {
    await page.locator("#good summary").first().click();
    assert.equal(await page.locator("#good .badge").first().textContent(), "1 warning");
    assert.deepEqual(await page.locator("#good .reasons").first().locator("li").allTextContents(), [
      "rounded /value rounded to cents",
    ]);
  });

  test("older_events_are_on_the_next_page", async () => {
    lists.good = Array.from({ length: 130 }, (_, number) => good(200 - number, "page_view"));
    await count("good", 130);
    await page.getByText("1 to 100 of 130").waitFor();
    await page.locator("#good-older").click();
    await page.getByText("101 to 130 of 130").waitFor();
    assert.equal(await page.locator("#good > li").count(), 30);
    assert.equal(await page.locator("#good-older").isDisabled(), true);
  });

  test("page_that_the_edge_turned_away_is_named_with_the_way_out", async () => {
    const refused = page.getByTestId("refused");
    assert.equal(await refused.isVisible(), false);
    lists.refusals = [
      {
        origin: HOSTILE,
        code: "origin_not_allowed",
        message: "the write key is not for this page's origin",
        requests: 2,
        last_at: 1_795_392_000_123,
      },
    ];
    await refused.waitFor();
    const text = await refused.textContent();
    assert.ok(text.includes(`Pages of ${HOSTILE}: 2 requests`), text);
    assert.ok(text.includes(`--origin ${HOSTILE}`), text);
    await page.locator("#reset").click();
    await refused.waitFor({ state: "hidden" });
  });

  test("reset_empties_both_lists", async () => {
    await page.locator("#reset").click();
    await count("good", 0);
    await page.waitForFunction(() => document.querySelectorAll("li").length === 0);
    assert.equal(await page.locator(".empty:visible").count(), 2);
  });
});
