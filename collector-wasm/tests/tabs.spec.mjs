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

/** What is in the store: how many characters of events, and how many of the most worth. */
const storedOf = () => {
  const names = Object.keys(localStorage).filter((name) => name.startsWith("shoptrail.event."));
  return {
    length: names.reduce((sum, name) => sum + localStorage.getItem(name).length, 0),
    orders: names.filter((name) => name.startsWith("shoptrail.event.2.")).length,
  };
};

/** How many events are in the store. */
const unsentOf = () =>
  Object.keys(localStorage).filter((name) => name.startsWith("shoptrail.event.")).length;

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
    visit(async ({ edge, page, pages, shop, newPage, taken }) => {
      // A page that goes before it had the pen numbers without. Here each event has its number before, so none may
      // happen at the going itself, or while another page has the pen.
      pages["/"].tag = 'data-pings="off" data-vitals="off" data-scroll="off"';
      const tabs = [page, await newPage()];
      for (const tab of tabs) await tab.goto(shop.origin);
      await taken(2);
      edge.reply = { status: 503, headers: { "retry-after": "1" } };
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

describe("the store", () => {
  test(
    "is_written_twice_for_an_event_and_once_more_for_events_of_one_task_however_much_is_unsent",
    visit(async ({ edge, page, open, taken }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      const used = await page.evaluate(async () => {
        const call = async (times) => {
          for (let n = 0; n < times; n++) window.shoptrail("custom", { event_name: `call_${n}` });
          await Promise.resolve();
        };
        await call(30);
        const counts = { getItem: 0, setItem: 0, removeItem: 0 };
        for (const name of Object.keys(counts)) {
          const original = Storage.prototype[name];
          Storage.prototype[name] = function (...args) {
            counts[name]++;
            return original.apply(this, args);
          };
        }
        const countsOf = async (times) => {
          Object.assign(counts, { getItem: 0, setItem: 0, removeItem: 0 });
          await call(times);
          return { ...counts };
        };
        return [await countsOf(1), await countsOf(10)];
      });
      assert.deepEqual(used, [
        { getItem: 1, setItem: 2, removeItem: 0 },
        { getItem: 1, setItem: 11, removeItem: 0 },
      ]);
    }),
  );

  test(
    "has_a_million_characters_of_all_pages_events_and_of_these_the_most_worth",
    visit(async ({ edge, page, shop, newPage, open, taken }) => {
      await open();
      const looking = await newPage();
      await looking.clock.install();
      await looking.goto(shop.origin);
      await taken(2);
      edge.reply = { away: true };
      const tabs = [page, looking];
      const room = 1e6;
      for (const tab of [...tabs, ...tabs, ...tabs]) {
        const before = await tab.evaluate(unsentOf);
        await tab.evaluate(() => {
          const item = { item_id: "a", price: 1 };
          const order = { transaction_id: "t", currency: "EUR", value: 1, items: [item] };
          window.shoptrail("purchase", order);
          for (let n = 0; n < 6; n++) {
            window.shoptrail("click", { properties: { text: "x".repeat(4e4) } });
          }
        });
        await until("all stored", async () => (await tab.evaluate(unsentOf)) >= before + 7);
      }
      assert.ok((await page.evaluate(storedOf)).length > 1.4 * room);
      for (const tab of tabs) {
        await until("no more than there is room for", async () => {
          await looking.clock.runFor(10_000);
          return (await tab.evaluate(storedOf)).length <= room;
        });
      }
      // What was pushed out does not come back as a page goes, from neither's memory.
      for (const tab of tabs) await tab.evaluate(() => dispatchEvent(new Event("pagehide")));
      const { length, orders } = await page.evaluate(storedOf);
      assert.equal(orders, 6);
      assert.ok(length > 0.9 * room && length < 1.01 * room, `${length}`);
    }),
  );
});
