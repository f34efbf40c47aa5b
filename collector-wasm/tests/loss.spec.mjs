// The tracker as built, in a real Chromium: ways in which events of shops were lost, one test each.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, once, visit } from "./visit.mjs";

const purchase = { transaction_id: "t-1", currency: "EUR", value: 25, items: [{ item_id: "a" }] };

describe("nothing is lost", () => {
  test(
    "when_an_answer_comes_after_the_page_came_back_from_the_cache",
    visit(async ({ edge, page, open, custom, taken, takenOf, settled }) => {
      await open();
      await taken(1);
      const answer = edge.hold();
      await custom("first");
      await until("a request in flight", () => edge.requests.length === 2);
      // Playwright's Chromium has no back/forward cache: its event stands in for it. The purchase is made before the page
      // has sent anything again.
      await page.evaluate((fields) => {
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        window.shoptrail("purchase", fields);
      }, purchase);
      answer();
      await takenOf("purchase");
      await settled();
      assertComplete(once(edge.events));
    }),
  );

  test(
    "when_an_answer_comes_before_the_page_that_came_back_sends_again",
    visit(async ({ edge, page, open, names, taken, takenOf, settled }) => {
      await open();
      await taken(1);
      await settled();
      // The first event goes with the leaving page, and is answered for before events have gathered again.
      await page.evaluate((fields) => {
        window.shoptrail("custom", { event_name: "first" });
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        window.shoptrail("purchase", fields);
      }, purchase);
      await takenOf("purchase");
      await settled();
      assert.deepEqual([...new Set(names())], ["first"]);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "when_the_page_goes_while_a_request_is_in_flight_and_nothing_is_stored",
    visit(async ({ edge, page, pages, open, custom, names, taken, takenOf }) => {
      pages["/"].tag = `data-consent="cookieless"`;
      await open();
      await taken(1);
      const answer = edge.hold();
      await custom("in_flight");
      await until("a request in flight", () => edge.requests.length === 2);
      await custom("waiting");
      await page.goto("about:blank");
      answer();
      await takenOf("custom", 2);
      assert.deepEqual([...new Set(names())].sort(), ["in_flight", "waiting"]);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "when_the_shop_clears_its_store",
    visit(async ({ edge, page, open, call, custom, names, taken, takenOf, settled, unsent }) => {
      await open();
      await taken(1);
      await call("consent", { analytics: true, ads: true });
      edge.reply = { away: true };
      await custom("at_logout");
      await until("a stored event", async () => (await unsent()).length > 0);
      await page.evaluate(() => localStorage.clear());
      await page.reload();
      edge.reply = undefined;
      await custom("after");
      await takenOf("custom", 2);
      await settled();
      assert.deepEqual([...new Set(names())].sort(), ["after", "at_logout"]);
      const after = edge.eventsOf("custom").find(({ event_name }) => event_name === "after");
      assert.deepEqual(after.consent, { analytics: "granted", ads: "granted" });
    }),
  );

  test(
    "when_the_store_is_full_while_events_are_taken_over",
    visit(async ({ edge, page, shop, newPage, open, custom, names, taken, takenOf, unsent }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      await custom("left_behind");
      await until("a stored event", async () => (await unsent()).length > 0);
      await page.close({ runBeforeUnload: false });
      const full = await newPage();
      await full.addInitScript(() => {
        const { setItem } = Storage.prototype;
        Storage.prototype.setItem = function (name, value) {
          if (name.startsWith("shoptrail.event.")) throw new DOMException("", "QuotaExceededError");
          return setItem.call(this, name, value);
        };
      });
      await full.goto(shop.origin);
      // It has its own event and the other page's by then.
      const attempts = edge.attempts;
      await full.evaluate(() => dispatchEvent(new Event("online")));
      await until("an attempt of the full page", () => edge.attempts > attempts);
      await full.close({ runBeforeUnload: false });
      edge.reply = undefined;
      const last = await newPage();
      await last.goto(shop.origin);
      await last.evaluate(() => dispatchEvent(new Event("online")));
      await takenOf("custom");
      assert.ok(names().includes("left_behind"));
    }),
  );

  test(
    "when_a_link_inside_the_shop_leads_to_a_page_without_the_tag",
    visit(async ({ edge, page, pages, open, taken, takenOf }) => {
      pages["/"].body = `<a href="/untagged">Terms</a>`;
      await open();
      await taken(1);
      await page.click("a");
      await page.waitForURL("**/untagged");
      await takenOf("click");
      assertComplete(once(edge.events));
    }),
  );

  for (const [what, reply] of Object.entries({
    a_proxys_page_with_200: { status: 200, body: "<h1>Welcome</h1>" },
    a_proxys_json_with_200: { status: 200, body: `{"ok":true}` },
    a_proxys_page_with_400: { status: 400, body: "<h1>Bad request</h1>" },
    a_page_that_is_not_there: { status: 404 },
    an_unknown_key: { status: 401 },
    a_forbidden_origin: { status: 403 },
  })) {
    test(
      `when_the_answer_is_${what}`,
      visit(async ({ edge, page, open, takenOf }) => {
        edge.reply = reply;
        await open();
        const retry = () => page.evaluate(() => localStorage.getItem("shoptrail.retry"));
        await until("a failure", retry);
        edge.reply = undefined;
        await page.evaluate(() => dispatchEvent(new Event("online")));
        await takenOf("page_view");
        assertComplete(edge.events);
      }),
    );
  }

  test(
    "when_a_batch_is_too_large_for_something_on_the_way",
    visit(async ({ edge, page, open, names, takenOf, taken }) => {
      await open();
      await taken(1);
      edge.answerWith(({ events }) => (events.length > 1 ? { status: 413 } : undefined));
      await page.evaluate(() => {
        for (const name of ["one", "two", "three", "four"]) {
          window.shoptrail("custom", { event_name: name });
        }
      });
      await takenOf("custom", 4);
      assert.deepEqual(names(), ["one", "two", "three", "four"]);
    }),
  );

  test(
    "in_a_browser_whose_intl_throws",
    visit(async ({ edge, page, open, taken }) => {
      await page.addInitScript(() => {
        Reflect.deleteProperty(window, "Temporal"); // no such browser has it
        Object.assign(Intl, {
          DateTimeFormat() {
            throw new RangeError("Unsupported time zone specified undefined");
          },
        });
      });
      await open();
      await taken(1);
      assert.equal("time_zone" in edge.batches[0].context, false);
    }),
  );

  test(
    "in_a_browser_that_says_for_ever_that_it_is_offline",
    visit(async ({ page, open, taken }) => {
      await page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, "onLine", { get: () => false }),
      );
      await open();
      await taken(1);
    }),
  );

  test(
    "in_an_old_browser",
    visit(async ({ edge, page, pages, open, custom, names, takenOf }) => {
      pages["/"].csp = `default-src 'self'; script-src ${edge.origin}; connect-src ${edge.origin}`;
      await page.addInitScript(() => {
        for (const Indexed of [Array, String, Uint32Array]) delete Indexed.prototype.at;
        delete AbortSignal.timeout;
        delete Object.hasOwn;
        Reflect.deleteProperty(Navigator.prototype, "locks");
        delete String.prototype.replaceAll;
      });
      await open();
      await until("the tracker", () => page.evaluate(() => window.shoptrail?.loaded));
      for (const name of ["one", "two"]) await custom(name);
      await takenOf("custom", 2);
      assert.deepEqual(names(), ["one", "two"]);
      assertComplete(edge.events);
    }),
  );

  test(
    "in_texts_that_json_cannot_carry",
    visit(async ({ edge, page, open, takenOf }) => {
      await open();
      await page.evaluate(() => {
        Array.prototype.toJSON = function () {
          return JSON.stringify([...this].map(String));
        };
        window.shoptrail("search", { search_term: "half \ud83d and \\ud83d" });
        window.shoptrail("view_item", {
          currency: "EUR",
          value: 1,
          items: [{ item_id: "a", item_name: "Mug 🛒" }],
        });
      });
      const [searched] = await takenOf("search");
      assert.equal(searched.search_term, "half \ufffd and \\ud83d");
      const [viewed] = await takenOf("view_item");
      assert.deepEqual(viewed.items, [{ item_id: "a", item_name: "Mug 🛒" }]);
      assert.equal(await page.evaluate(() => typeof Array.prototype.toJSON), "function");
      assertComplete(edge.events);
    }),
  );

  test(
    "of_more_worth_while_there_is_something_of_less_to_make_room",
    visit(async ({ edge, page, open, call, taken, takenOf, unsent, settled }) => {
      await open();
      await taken(1);
      await settled();
      edge.reply = { away: true };
      await page.evaluate(() => {
        // A store with room for three events.
        const { setItem } = Storage.prototype;
        Storage.prototype.setItem = function (name, value) {
          const events = Object.keys(localStorage).filter((key) =>
            key.startsWith("shoptrail.event."),
          );
          if (name.startsWith("shoptrail.event.") && events.length >= 3) {
            throw new DOMException("full", "QuotaExceededError");
          }
          return setItem.call(this, name, value);
        };
        for (let n = 0; n < 4; n++) window.shoptrail("scroll", { properties: { percent: n } });
      });
      await call("purchase", purchase);
      const stored = await unsent();
      assert.equal(stored.length, 3);
      assert.ok(stored.some((place) => place.startsWith("shoptrail.event.2.")));
      edge.reply = undefined;
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await takenOf("purchase");
      await takenOf("scroll", 4); // the page still had them
      assertComplete(once(edge.events));
    }),
  );
});

describe("a failing edge", () => {
  test(
    "is_left_in_peace_by_the_next_page_too",
    visit(async ({ edge, page, open, custom, taken, unsent }) => {
      edge.reply = { status: 503, headers: { "retry-after": "600" } };
      await open();
      const retry = () => page.evaluate(() => localStorage.getItem("shoptrail.retry"));
      const before = await until("a failure", retry);
      edge.reply = undefined;
      await page.reload();
      await custom("meanwhile");
      await until("all stored", async () => (await unsent()).length >= 3);
      // Longer than an event waits for others.
      await until("its turn", () => page.evaluate(() => performance.now() > 2000));
      assert.equal(edge.requests.length, 1);
      assert.equal(await retry(), before);
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await taken(3);
      assert.equal(await until("no failure", async () => (await retry()) === null), true);
    }),
  );

  test(
    "is_asked_by_one_tab_at_a_time",
    visit(async ({ edge, shop, newPage }) => {
      edge.reply = { status: 503 };
      const tabs = [];
      for (let n = 0; n < 4; n++) {
        const tab = await newPage();
        await tab.goto(shop.origin);
        await until("the tracker", () => tab.evaluate(() => window.shoptrail?.loaded));
        tabs.push(tab);
      }
      const failed = () => tabs[3].evaluate(() => localStorage.getItem("shoptrail.retry"));
      await until("a failure that all know", failed);
      let release = () => {};
      const held = new Promise((resolve) => (release = () => resolve({ status: 503 })));
      const answer = edge.answerWith(() => held);
      await Promise.all(
        tabs.map((tab) =>
          tab.evaluate(() => {
            window.turns = 0;
            const { request } = LockManager.prototype;
            LockManager.prototype.request = function (name, ...rest) {
              if (name === "shoptrail.send") window.turns++;
              return request.call(this, name, ...rest);
            };
            dispatchEvent(new Event("online"));
          }),
        ),
      );
      await until("a request", () => answer.calls);
      for (const tab of tabs) await until("its turn", () => tab.evaluate(() => window.turns));
      assert.equal(answer.calls, 1);
      release();
    }),
  );
});
