// The tracker as built, in a real Chromium: many tabs, and tabs that end badly. Every event is accounted for by `seq`.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, complete, visit } from "./visit.mjs";

const sendFrom = (tab, names) =>
  tab.evaluate((given) => {
    for (const name of given) window.shoptrail("custom", { event_name: name });
  }, names);

const oneSession = (events) =>
  assert.equal(new Set(events.map(({ session_id }) => session_id)).size, 1, "one session");

/** How many events but engaged time are in the store. */
const unsentOf = () =>
  Object.entries(localStorage).filter(
    ([name, text]) => name.startsWith("shoptrail.event.") && !text.includes('"page_ping"'),
  ).length;

describe("tabs", () => {
  test(
    "that_open_and_speak_all_at_once_share_one_session_without_a_hole_or_a_double",
    visit(async ({ edge, shop, newPage }) => {
      const tabs = await Promise.all([...Array(6)].map(() => newPage()));
      await Promise.all(tabs.map((tab) => tab.goto(shop.origin)));
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          tabs.map((tab, n) => sendFrom(tab, [`t${n}_${round}_a`, `t${n}_${round}_b`])),
        );
      }
      await complete(edge, "page_view", 6);
      const events = await complete(edge, "custom", 36);
      oneSession(events);
      assert.equal(new Set(events.map(({ anonymous_id }) => anonymous_id)).size, 1);
      assertComplete(events);
    }),
  );

  test(
    "that_are_killed_leave_their_events_to_another_at_once",
    visit(async ({ edge, context, page, shop, newPage, open, taken }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      await sendFrom(page, ["one", "two", "three"]);
      const session = await context.newCDPSession(page);
      const crashed = page.waitForEvent("crash");
      session.send("Page.crash").catch(() => {}); // it never answers
      await crashed;
      edge.reply = undefined;
      const later = await newPage();
      await later.goto(shop.origin);
      await later.evaluate(() => dispatchEvent(new Event("online")));
      await complete(edge, "page_view", 2);
      const events = await complete(edge, "custom", 3);
      oneSession(events);
      assertComplete(events);
    }),
  );

  test(
    "that_reload_during_an_outage_lose_nothing",
    visit(async ({ edge, page, shop, newPage, taken }) => {
      const tabs = [page, await newPage()];
      for (const tab of tabs) await tab.goto(shop.origin);
      await taken(2);
      edge.reply = { status: 503, headers: { "retry-after": "1" } };
      // A page that goes before it had the pen numbers without: here each event has its number before.
      let stored = 0;
      const numbered = (tab) => {
        stored++;
        return until("a stored event", async () => (await tab.evaluate(unsentOf)) >= stored);
      };
      for (let round = 0; round < 3; round++) {
        for (const [n, tab] of tabs.entries()) {
          await sendFrom(tab, [`t${n}_${round}`]);
          await numbered(tab);
          await tab.reload();
          await numbered(tab);
        }
      }
      edge.reply = undefined;
      for (const tab of tabs) await tab.evaluate(() => dispatchEvent(new Event("online")));
      await complete(edge, "page_view", 8);
      const events = await complete(edge, "custom", 6);
      oneSession(events);
      assertComplete(events);
    }),
  );
});

describe("an event", () => {
  test(
    "costs_the_store_two_writes_however_much_is_unsent",
    visit(async ({ edge, page, open, taken }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      const used = await page.evaluate(() => {
        for (let n = 0; n < 30; n++) window.shoptrail("custom", { event_name: `before_${n}` });
        const counts = { getItem: 0, setItem: 0, removeItem: 0 };
        for (const name of Object.keys(counts)) {
          const original = Storage.prototype[name];
          Storage.prototype[name] = function (...args) {
            counts[name]++;
            return original.apply(this, args);
          };
        }
        for (let n = 0; n < 10; n++) window.shoptrail("custom", { event_name: `counted_${n}` });
        return counts;
      });
      assert.deepEqual(used, { getItem: 10, setItem: 20, removeItem: 0 });
    }),
  );
});
