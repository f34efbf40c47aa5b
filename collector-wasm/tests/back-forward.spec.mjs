// The tracker as built, in a real Chromium that has its back/forward cache: the tag does not keep a page out of it, and
// what happens around it is told once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, complete, once, visit } from "./visit.mjs";

const LINK = `<script>addEventListener("pageshow", ({ persisted }) => (window.persisted = persisted))</script>
<a href="/next">Next</a>`;

const withCache = (work) => visit(work, { backForwardCache: true });

const pathsOf = (views) => views.map(({ page_url }) => new URL(page_url).pathname);

/** Goes back, to the page as it was left. */
const goBackTo = async (page) => {
  await page.goBack({ waitUntil: "commit" });
  const { stillHere, reasons } = await until("the page as it was left", () =>
    page.evaluate(() => {
      /** @type {any} */
      const [navigation] = performance.getEntriesByType("navigation");
      const { persisted, stillHere } = window;
      return persisted && { stillHere, reasons: navigation.notRestoredReasons };
    }),
  );
  assert.deepEqual({ stillHere, reasons }, { stillHere: true, reasons: null });
};

describe("the back/forward cache", () => {
  for (const tag of ["", `data-consent="cookieless"`]) {
    test(
      `keeps_a_page_with_the_tag_${tag ? "without_storage_" : ""}and_its_return_is_one_page_view`,
      withCache(async ({ edge, page, pages, open, custom, names, taken, takenOf }) => {
        for (const path of ["/", "/next"]) pages[path] = { tag, body: LINK };
        await open();
        await taken(1);
        await page.evaluate(() => (window.stillHere = true));
        await custom("before");
        await page.click("a");
        await takenOf("page_view", 2);
        await goBackTo(page);
        await custom("after");
        const events = await complete(edge, "custom", 2);
        assert.deepEqual(pathsOf(events.filter(({ event_type }) => event_type === "page_view")), [
          "/",
          "/next",
          "/",
        ]);
        assert.deepEqual([...new Set(names())], ["before", "after"]);
        assertComplete(events);
      }),
    );
  }

  test(
    "keeps_a_page_that_leaves_while_a_request_is_in_flight",
    withCache(async ({ edge, page, pages, open, custom, names, taken, takenOf, settled }) => {
      for (const path of ["/", "/next"]) pages[path] = { body: LINK };
      await open();
      await taken(1);
      await page.evaluate(() => (window.stillHere = true));
      const answer = edge.hold();
      await custom("in_flight");
      await until("a request in flight", () => edge.requests.length === 2);
      await page.click("a");
      await until("the next page", () => page.url().endsWith("/next"));
      await goBackTo(page);
      answer();
      await takenOf("page_view", 2);
      await custom("after");
      await takenOf("custom", 2);
      await settled();
      assert.deepEqual([...new Set(names())], ["in_flight", "after"]);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "keeps_a_page_that_another_tab_has_the_pen_of",
    withCache(async ({ edge, shop, page, pages, newPage, open, custom, taken, takenOf }) => {
      for (const path of ["/", "/next"]) pages[path] = { body: LINK };
      await open();
      await taken(1);
      await page.evaluate(() => (window.stillHere = true));
      const other = await newPage();
      await other.goto(shop.origin);
      await takenOf("page_view", 2);
      await custom("before");
      await page.click("a");
      await takenOf("page_view", 3);
      await goBackTo(page);
      await custom("after");
      const events = await complete(edge, "custom", 2);
      assert.equal(events.filter(({ event_type }) => event_type === "page_view").length, 4);
      assertComplete(events);
    }),
  );
});
