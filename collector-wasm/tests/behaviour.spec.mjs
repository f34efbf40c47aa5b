// The tracker as built, in a real Chromium: what happens by itself once somebody uses a page, and how it is switched.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, once, visit } from "./visit.mjs";

const propertiesOf = (edge, type) => once(edge.eventsOf(type)).map(({ properties }) => properties);

/** The late part is there, and has run, when the browser has nothing more to load. */
const quiet = (page) => page.waitForLoadState("networkidle");

describe("without another call", () => {
  test(
    "each_new_depth_of_a_scroll_is_told_once",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      pages["/"].body = `<div style="height: 10000px">Long</div>`;
      await open();
      await quiet(page);
      const reach = (share) =>
        page.evaluate((part) => scrollTo(0, document.documentElement.scrollHeight * part), share);
      await reach(0.4);
      await takenOf("scroll", 1);
      await reach(0);
      await reach(0.3);
      await reach(1);
      await takenOf("scroll", 2);
      await custom("after");
      await takenOf("custom");
      assert.deepEqual(propertiesOf(edge, "scroll"), [
        { percent_scrolled: 25 },
        { percent_scrolled: 90 },
      ]);
      assertComplete(edge.events);
    }),
  );

  test(
    "forms_are_told_without_what_is_written_into_them",
    visit(async ({ edge, page, pages, shop, open, takenOf }) => {
      pages["/"].body = `
        <form id="contact" action="/send?who=anna" onsubmit="return false">
          <input name="id" value="Anna"><input name="action"><button>Send</button>
        </form>
        <form data-st-ignore onsubmit="return false"><input id="secret"><button id="hush">Send</button></form>`;
      await open();
      await quiet(page);
      await page.fill("input[name=id]", "Secret Person");
      await page.fill("input[name=action]", "more");
      await page.fill("#secret", "much more");
      await page.click("#hush");
      await page.click("#contact button");
      await takenOf("form_submit");
      const form = {
        form_id: "contact",
        form_destination: `${shop.origin}/send`,
      };
      assert.deepEqual(propertiesOf(edge, "form_start"), [form]);
      assert.deepEqual(propertiesOf(edge, "form_submit"), [form]);
      assert.ok(!JSON.stringify(edge.events).match(/Secret|Anna|anna|more/));
    }),
  );

  test(
    "search_in_the_shop_is_told_once_for_each_term",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      pages["/results"] = {};
      await open("/results?q=blue%20mug&sort=price");
      await takenOf("search", 1);
      await page.evaluate(() => (location.href = "/results?q=blue+mug&page=2"));
      await page.waitForURL("**page=2");
      await quiet(page);
      await page.evaluate(() => {
        for (const q of ["c", "cu", "cup"]) history.replaceState({}, "", `?q=${q}`);
      });
      await takenOf("search", 2);
      // A shop that tells its searches itself.
      await page.evaluate(() => {
        history.pushState({}, "", "?q=plate");
        window.shoptrail("search", { search_term: "plate" });
      });
      // Longer than a pause between two letters.
      const since = await page.evaluate(() => performance.now());
      const paused = (from) => performance.now() > from + 1500;
      await until("a pause", () => page.evaluate(paused, since));
      await custom("after");
      await takenOf("custom");
      const terms = once(edge.eventsOf("search")).map(({ search_term }) => search_term);
      assert.deepEqual(terms, ["blue mug", "cup", "plate"]);
    }),
  );

  test(
    "web_vitals_are_told_when_the_page_goes",
    visit(async ({ edge, page, pages, open, taken, takenOf }) => {
      pages["/"].body = `<h1>Large text of the shop</h1><button onclick="
        const end = performance.now() + 60; while (performance.now() < end);
      ">Slow</button>`;
      await open();
      await taken(1);
      await quiet(page);
      await page.click("button");
      // The browser measures an interaction by the next frame that it shows.
      await page.evaluate(
        () => new Promise((shown) => requestAnimationFrame(() => setTimeout(shown, 200))),
      );
      await page.goto("about:blank");
      await takenOf("web_vital", 3);
      const vitals = Object.fromEntries(
        propertiesOf(edge, "web_vital").map(({ name, value }) => [name, value]),
      );
      for (const { rating } of propertiesOf(edge, "web_vital")) {
        assert.match(rating, /^(good|needs-improvement|poor)$/);
      }
      assert.deepEqual(Object.keys(vitals).sort(), ["CLS", "INP", "LCP"]);
      assert.ok(vitals.LCP > 0 && vitals.INP >= 40 && vitals.CLS >= 0, JSON.stringify(vitals));
      assertComplete(once(edge.events));
    }),
  );

  test(
    "tab_that_was_opened_in_the_background_has_no_largest_paint",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body = "<h1>Large text of the shop</h1>";
      // Headless pages are always in sight: what the document says stands in for it.
      await page.addInitScript(() => {
        let state = "hidden";
        Object.defineProperty(document, "visibilityState", { get: () => state });
        Object.defineProperty(document, "hidden", { get: () => state === "hidden" });
        window.show = () => {
          state = "visible";
        };
      });
      await open();
      await takenOf("page_view");
      await page.evaluate(() => window.show());
      await quiet(page);
      await page.goto("about:blank");
      await takenOf("web_vital");
      assert.deepEqual(
        propertiesOf(edge, "web_vital").map(({ name }) => name),
        ["CLS"],
      );
    }),
  );

  test(
    "page_that_was_hidden_before_its_largest_paint_has_none",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body = "<h1>Large text of the shop</h1>";
      await page.addInitScript(() => {
        const { getEntriesByType } = performance;
        performance.getEntriesByType = (type) =>
          type === "visibility-state"
            ? [
                { name: "visible", startTime: 0 },
                { name: "hidden", startTime: 0.1 },
              ]
            : getEntriesByType.call(performance, type);
      });
      await open();
      await quiet(page);
      await page.goto("about:blank");
      await takenOf("web_vital");
      assert.deepEqual(
        propertiesOf(edge, "web_vital").map(({ name }) => name),
        ["CLS"],
      );
    }),
  );

  test(
    "largest_paint_of_a_prerendered_page_counts_from_when_it_was_shown",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body = "<h1>Large text of the shop</h1>";
      // Painted long before it was shown.
      await page.addInitScript(() =>
        Object.defineProperty(PerformanceNavigationTiming.prototype, "activationStart", {
          get: () => 1e6,
        }),
      );
      await open();
      await quiet(page);
      await page.goto("about:blank");
      await takenOf("web_vital", 2);
      assert.deepEqual(
        propertiesOf(edge, "web_vital").map(({ name, value }) => [name, value]),
        [
          ["LCP", 0],
          ["CLS", 0],
        ],
      );
    }),
  );

  test(
    "links_that_lead_elsewhere_are_outbound",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body =
        `<a id="out" href="https://other.example/" onclick="event.preventDefault()">Out</a>
        <a id="in" href="#here">In</a>`;
      await open();
      await page.click("#out");
      await page.click("#in");
      await takenOf("click", 2);
      assert.deepEqual(
        propertiesOf(edge, "click").map(({ id, outbound }) => [id, outbound]),
        [
          ["out", true],
          ["in", undefined],
        ],
      );
    }),
  );

  test(
    "middle_button_opens_links_and_nothing_else",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      const still = `onclick="event.preventDefault()" onauxclick="event.preventDefault()"`;
      pages["/"].body = `<a id="out" href="https://other.example/" ${still}>Out</a>
        <a id="in" href="/next" ${still}>In</a>
        <article data-st-event="select_item" data-st-item='{"item_id":"sku-1"}'>
          <a id="card" href="/next" ${still}>Mug</a><p>Blue</p>
          <button data-st-event="add_to_cart">Add</button>
        </article>
        <button id="plain">Plain</button>`;
      await open();
      for (const place of ["#out", "#in", "#card", "p", "article button", "#plain"]) {
        await page.click(place, { button: "middle" });
        await page.click(place, { button: "right" });
      }
      await custom("after");
      await takenOf("custom");
      assert.deepEqual(
        propertiesOf(edge, "click").map(({ id, outbound }) => [id, outbound]),
        [
          ["out", true],
          ["in", undefined],
        ],
      );
      const items = edge.eventsOf("select_item").map(({ items: [{ item_id }] }) => item_id);
      assert.deepEqual(items, ["sku-1"]);
      assert.deepEqual(edge.eventsOf("add_to_cart"), []);
    }),
  );

  test(
    "errors_of_the_page_are_told_when_asked_for_and_few_of_them",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      pages["/"].tag = "data-errors";
      pages["/"].body = `<img src="/missing.png">`;
      await open();
      await quiet(page);
      await page.evaluate(() => {
        const fail = (message) =>
          dispatchEvent(
            new ErrorEvent("error", {
              message,
              filename: "https://shop.example/a.js?user=anna",
              lineno: 7,
              colno: 3,
            }),
          );
        fail("first");
        fail("first");
        dispatchEvent(
          new PromiseRejectionEvent("unhandledrejection", {
            promise: Promise.resolve(),
            reason: new Error("second"),
          }),
        );
        for (let n = 0; n < 20; n++) fail(`more ${n}`);
      });
      await custom("after");
      await takenOf("custom");
      const errors = propertiesOf(edge, "error");
      assert.deepEqual(errors.slice(0, 2), [
        { message: "first", source: "https://shop.example/a.js", line: 7, column: 3 },
        { message: "second" },
      ]);
      assert.equal(errors.length, 5);
    }),
  );

  test(
    "nothing_happens_where_the_tag_switches_it_off",
    visit(async ({ edge, page, pages, open, custom, takenOf }) => {
      const names = [
        "views",
        "clicks",
        "downloads",
        "pings",
        "scroll",
        "forms",
        "search",
        "vitals",
      ];
      pages["/"].tag = names.map((name) => `data-${name}="off"`).join(" ");
      pages["/"].body =
        `<div style="height: 5000px"><form onsubmit="return false"><input><button>Go</button></form>
        <a href="/list.pdf" onclick="event.preventDefault()">List</a></div>`;
      await open("/?q=mug");
      await quiet(page);
      await page.fill("input", "x");
      await page.click("button");
      await page.click("a");
      await page.evaluate(() => scrollTo(0, 5000));
      await until("a second of attention", () => page.evaluate(() => performance.now() > 2500));
      await custom("only");
      await page.goto("about:blank");
      await takenOf("custom");
      assert.deepEqual(
        edge.events.map(({ event_type }) => event_type),
        ["custom"],
      );
      assert.deepEqual(
        edge.files.filter((file) => file.startsWith("t-behaviour")),
        [],
      );
    }),
  );
});
