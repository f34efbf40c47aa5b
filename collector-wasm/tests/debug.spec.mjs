// Debug mode in a real Chromium: what the contract says of each event stands in the page that sends it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, visit } from "./visit.mjs";

const ITEM = { item_id: "sku-1", price: 12.5 };

/** The panel's rows as they are read: titles with what stands below them. */
const rowsOf = (page) =>
  page.evaluate(() => {
    const [host] = document.querySelectorAll("html > [data-st-ignore]");
    const rows = host?.shadowRoot?.querySelectorAll("details > details") ?? [];
    return [...rows].map(({ children: [title, ...texts] }) => ({
      title: title.textContent,
      texts: texts.map(({ textContent }) => textContent),
    }));
  });

const rowOf = (page, start) =>
  until(`a row that begins with "${start}"`, async () =>
    (await rowsOf(page)).find(({ title }) => title.startsWith(start)),
  );

describe("debug mode", () => {
  test(
    "shows_each_event_with_the_contracts_verdict_and_the_edges_answer",
    visit(async ({ edge, page, pages, open, call, takenOf }) => {
      // Also where the page allows no style but its own files'.
      pages["/"] = {
        tag: `data-debug data-scroll="off" data-vitals="off" data-pings="off"`,
        csp: `default-src 'self'; script-src ${edge.origin} 'wasm-unsafe-eval'; connect-src ${edge.origin}`,
      };
      await open();
      const viewed = await rowOf(page, "1 page_view");
      assert.equal(viewed.title, "1 page_view: accepted");
      assert.deepEqual(
        viewed.texts.map((text) => JSON.parse(text)),
        await takenOf("page_view"),
      );
      await rowOf(page, "the edge answered 202");
      await call("add_to_cart", { currency: "EUR", value: "12.50", items: [ITEM] });
      const unusual = await rowOf(page, "2 add_to_cart");
      assert.equal(unusual.title, "2 add_to_cart: accepted with warnings");
      assert.match(unusual.texts[0], /^number_from_text at \/value: /);
      await call("add_to_cart", { currency: "EUR", value: 12.5 });
      const wrong = await rowOf(page, "3 add_to_cart");
      assert.equal(wrong.title, "3 add_to_cart: rejected");
      assert.match(wrong.texts[0], /^missing at \/items: /);
      const answered = await rowOf(page, "the edge answered 400");
      assert.match(answered.texts[0], /"rejected":1/);
      assert.equal(edge.rejections.splice(0).length, 1);
    }),
  );

  test(
    "shows_an_event_that_is_sent_again_once",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].tag = `data-debug data-scroll="off" data-vitals="off" data-pings="off"`;
      edge.answerOnce({ status: 503 });
      await open();
      await takenOf("page_view");
      await rowOf(page, "the edge answered 202");
      assert.deepEqual(
        (await rowsOf(page)).map(({ title }) => title),
        ["1 page_view: accepted", "the edge answered 503", "the edge answered 202"],
      );
    }),
  );

  test(
    "that_loads_slowly_does_not_cost_the_module_its_time",
    visit(async ({ edge, page, pages, open, tracked, takenOf }) => {
      pages["/"].tag = "data-debug";
      let release = () => {};
      const held = new Promise((resolve) => (release = () => resolve(undefined)));
      await page.route("**/t-panel-*.js", async (route) => {
        await held;
        await route.continue();
      });
      await page.clock.install();
      await open();
      await tracked();
      await page.clock.fastForward(6_000);
      release();
      await takenOf("page_view");
      assert.equal(edge.batches[0].tracker.name, "shoptrail-wasm");
    }),
  );

  test(
    "makes_no_events_of_its_own_clicks",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      pages["/"].tag = "data-debug";
      await open();
      await rowOf(page, "1 page_view");
      await page.locator("html > [data-st-ignore] >> summary").first().click();
      await custom("later");
      await takenOf("custom");
      assert.deepEqual(edge.eventsOf("click"), []);
    }),
  );

  test(
    "that_cannot_be_loaded_keeps_no_event_from_going",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      pages["/"].tag = "data-debug";
      await page.route("**/t-panel-*.js", (route) => route.abort());
      await open();
      await custom("sent");
      await takenOf("custom");
      assertComplete(edge.events);
    }),
  );

  test(
    "is_loaded_by_no_other_page",
    visit(async ({ edge, page, open, takenOf }) => {
      await open();
      await takenOf("page_view");
      await page.waitForLoadState("networkidle");
      assert.deepEqual(
        edge.files.filter((file) => /panel|debug/.test(file)),
        [],
      );
      assert.deepEqual(await rowsOf(page), []);
    }),
  );
});
