// The tracker as built, in a real Chromium: that nothing is lost.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { assertComplete, complete, once, visit } from "./visit.mjs";

describe("delivery", () => {
  test(
    "unsent_events_survive_a_reload",
    visit(async ({ edge, page, open, tracked, custom, names, takenOf, taken, unsent, settled }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      await custom("first");
      await custom("second");
      await page.reload();
      await tracked();
      await custom("third");
      assert.ok((await unsent()).length > 0);
      edge.reply = undefined;
      await takenOf("custom", 3);
      await settled();
      // What the first page sent while it went may have arrived late.
      assert.deepEqual([...new Set(names())].sort(), ["first", "second", "third"]);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "unsent_events_survive_an_offline_spell",
    visit(async ({ edge, context, page, open, names, takenOf, taken, settled }) => {
      await open();
      await taken(1);
      await settled();
      const before = edge.attempts;
      await context.setOffline(true);
      await page.evaluate(() => {
        for (const name of ["first", "second", "third"]) {
          window.shoptrail("custom", { event_name: name });
        }
      });
      const retry = () => page.evaluate(() => localStorage.getItem("shoptrail.retry"));
      await until("an attempt that failed", retry);
      assert.equal(edge.attempts, before, "nothing arrives while offline");
      await context.setOffline(false);
      await takenOf("custom", 3);
      assert.deepEqual(names(), ["first", "second", "third"]);
      assertComplete(edge.events);
    }),
  );

  test(
    "failing_edge_is_left_in_peace_for_as_long_as_it_asks",
    visit(async ({ edge, open, taken }) => {
      edge.answerOnce({ status: 503, headers: { "retry-after": "1" } });
      await open();
      await taken(1);
      const [refused, accepted] = edge.requests;
      assert.ok(accepted.at - refused.at >= 1000, `${accepted.at - refused.at} ms`);
      assert.deepEqual(JSON.parse(accepted.body).events[0], JSON.parse(refused.body).events[0]);
    }),
  );

  test(
    "tabs_share_a_session_and_do_not_overwrite_each_other",
    visit(async ({ edge, page, shop, newPage, names, takenOf }) => {
      const others = [page, await newPage()];
      for (const tab of others) await tab.goto(shop.origin);
      await takenOf("page_view", 2);
      // A person needs longer from tab to tab than the browser to tell one process what another has stored.
      const stored = (tab) => tab.evaluate(() => localStorage.getItem("shoptrail.session"));
      const bothKnow = async () => {
        const [one, other] = await Promise.all(others.map(stored));
        return one !== null && one === other;
      };
      await until("both tabs know the session", bothKnow);
      edge.reply = { away: true };
      for (let round = 0; round < 5; round++) {
        for (const [tab, opened] of others.entries()) {
          await opened.evaluate(
            (name) => window.shoptrail("custom", { event_name: name }),
            `tab_${tab}_${round}`,
          );
          await until("both tabs know the session's last number", bothKnow);
        }
      }
      edge.reply = undefined;
      const events = await complete(edge, "custom", 10);
      assert.equal(new Set(names()).size, 10);
      assert.equal(new Set(events.map(({ session_id }) => session_id)).size, 1);
      assertComplete(events);
    }),
  );

  test(
    "closed_tabs_events_are_sent_by_another_page",
    visit(async ({ edge, page, shop, newPage, open, custom, names, takenOf, taken }) => {
      await open();
      await taken(1);
      edge.reply = { away: true };
      await custom("orphan");
      await page.close();
      const later = await newPage();
      // A minute later: the batch is nobody's now.
      await later.addInitScript(() => {
        const now = Date.now;
        Date.now = () => now() + 61_000;
      });
      edge.reply = undefined;
      await later.goto(shop.origin);
      await takenOf("custom");
      assert.deepEqual([...new Set(names())], ["orphan"]);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "link_inside_the_shop_sends_its_click_once",
    visit(async ({ edge, page, pages, shop, open, takenOf, taken, settled }) => {
      let answer = () => {};
      pages["/next"].until = new Promise((resolve) => (answer = () => resolve(undefined)));
      pages["/"].body = `<a href="/next">Next</a>`;
      await open();
      await taken(1);
      await settled();
      // A page that is about to go cannot be asked: it says itself when nothing is unsent any more.
      const heard = page.waitForEvent("console", (message) => message.text() === "all heard");
      await page.evaluate(() => {
        const { removeItem } = Storage.prototype;
        Storage.prototype.removeItem = function (name) {
          removeItem.call(this, name);
          const isUnsent = (other) => other.startsWith("shoptrail.event.");
          if (isUnsent(name) && !Object.keys(localStorage).some(isUnsent)) console.log("all heard");
        };
        setTimeout(() => document.querySelector("a").click());
      });
      await takenOf("click");
      await heard; // a shop's page takes longer than the edge's answer
      answer();
      await page.waitForURL("**/next");
      await takenOf("page_view", 2);
      await settled();
      const clicks = edge.eventsOf("click").map(({ link_url }) => link_url);
      assert.deepEqual(clicks, [`${shop.origin}/next`]);
      // The attention since then is told while the page goes, and again by the next one.
      assertComplete(once(edge.events));
    }),
  );

  test(
    "last_events_of_a_page_that_goes_are_sent",
    visit(async ({ page, open, custom, takenOf, taken }) => {
      await open();
      await taken(1);
      await custom("last");
      await page.goto("about:blank");
      await takenOf("custom");
    }),
  );

  test(
    "page_whose_storage_is_closed_is_tracked_all_the_same",
    visit(async ({ edge, page, open, custom, takenOf }) => {
      await page.addInitScript(() => {
        for (const name of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, {
            get: () => {
              throw new DOMException("no", "SecurityError");
            },
          });
        }
        Object.defineProperty(Document.prototype, "cookie", {
          get: () => {
            throw new DOMException("no", "SecurityError");
          },
        });
      });
      await open();
      await custom("no_store");
      await takenOf("custom");
      assertComplete(edge.events);
    }),
  );

  test(
    "full_store_costs_no_event",
    visit(async ({ edge, page, open, custom, takenOf }) => {
      await page.addInitScript(() => {
        Storage.prototype.setItem = () => {
          throw new DOMException("full", "QuotaExceededError");
        };
      });
      await open();
      await custom("full_store");
      await takenOf("custom");
      assertComplete(edge.events);
    }),
  );
});
