// The tracker as built, in a real Chromium: that nothing is lost, and nothing is done without consent.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { NOTHING, assertComplete, once, visit } from "./visit.mjs";

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
      assert.deepEqual(names().sort(), ["first", "second", "third"]);
      assertComplete(edge.events);
    }),
  );

  test(
    "unsent_events_survive_an_offline_spell",
    visit(async ({ edge, context, open, custom, takenOf, taken }) => {
      await open();
      await taken(1);
      await context.setOffline(true);
      for (const name of ["first", "second", "third"]) await custom(name);
      const before = edge.requests.length;
      await context.setOffline(false);
      await takenOf("custom", 3);
      assert.equal(edge.requests.length, before + 1, "one batch, and no attempt while offline");
      assertComplete(edge.events);
    }),
  );

  test(
    "failing_edge_is_left_in_peace_for_as_long_as_it_asks",
    visit(async ({ edge, open, taken }) => {
      edge.reply = { status: 503, headers: { "retry-after": "1" } };
      await open();
      await until("a refused batch", () => edge.requests.length === 1);
      edge.reply = undefined;
      await taken(1);
      const [refused, accepted] = edge.requests;
      assert.ok(accepted.at - refused.at >= 1000, `${accepted.at - refused.at} ms`);
      assert.deepEqual(JSON.parse(accepted.body).events[0], JSON.parse(refused.body).events[0]);
    }),
  );

  test(
    "batch_that_is_refused_for_good_is_dropped_and_told_in_debug_mode",
    visit(async ({ edge, page, pages, open, custom, takenOf, unsent }) => {
      pages["/"].tag = "data-debug";
      const warnings = [];
      page.on(
        "console",
        (message) => message.type() === "warning" && warnings.push(message.text()),
      );
      edge.reply = { status: 401 };
      await open();
      await until(
        "the store is empty again",
        async () => edge.requests.length === 1 && (await unsent()).length === 0,
      );
      edge.reply = undefined;
      await custom("later");
      await takenOf("custom");
      assert.deepEqual(
        edge.events.map(({ event_type }) => event_type),
        ["custom"],
      );
      assert.equal(warnings.filter((text) => text.includes("401")).length, 1);
    }),
  );

  test(
    "tabs_share_a_session_and_do_not_overwrite_each_other",
    visit(async ({ edge, page, shop, newPage, names, takenOf, settled }) => {
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
      await takenOf("custom", 10);
      await settled();
      assert.equal(new Set(names()).size, 10);
      assert.equal(new Set(edge.events.map(({ session_id }) => session_id)).size, 1);
      assertComplete(edge.events);
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
      assert.deepEqual(names(), ["orphan"]);
      assertComplete(edge.events);
    }),
  );

  test(
    "link_inside_the_shop_sends_nothing_twice",
    visit(async ({ edge, page, pages, shop, open, takenOf, taken, settled }) => {
      pages["/"].body = `<a href="/next">Next</a>`;
      await open();
      await taken(1);
      await settled();
      await page.click("a");
      await page.waitForURL("**/next");
      await takenOf("page_view", 2);
      const [clicked] = await takenOf("click");
      assert.equal(clicked.link_url, `${shop.origin}/next`);
      assertComplete(edge.events);
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

describe("consent", () => {
  test(
    "off_sends_nothing_and_stores_nothing",
    visit(async ({ edge, page, pages, shop, open, tracked, custom, taken }) => {
      pages["/"].tag = `data-consent="off"`;
      await open();
      await tracked();
      await custom("never");
      await page.goto("about:blank");
      await open("/next"); // a page whose tag allows it: by then, anything sent before would be here
      await taken(1);
      assert.deepEqual(
        edge.events.map(({ page_url }) => page_url),
        [`${shop.origin}/next`],
      );
      assert.deepEqual(edge.events[0].seq, 1);
    }),
  );

  test(
    "off_leaves_the_store_empty_and_so_does_cookieless",
    visit(async ({ edge, page, pages, open, tracked, custom, takenOf, stored }) => {
      pages["/"].tag = `data-consent="off"`;
      pages["/next"].tag = `data-consent="cookieless"`;
      await open();
      await tracked();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await stored(), NOTHING);
      await open("/next");
      await custom("first");
      await takenOf("custom");
      assert.deepEqual(await stored(), NOTHING);
      await page.reload();
      await takenOf("page_view", 2);
      const [first, second] = edge.eventsOf("page_view");
      assert.deepEqual(first.consent, { analytics: false, ads: false });
      assert.notEqual(first.anonymous_id, second.anonymous_id);
      assertComplete(edge.events);
    }),
  );

  test(
    "privacy_control_lowers_the_default_until_the_visitor_chose",
    visit(async ({ page, open, call, custom, takenOf, taken, stored }) => {
      await page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true }),
      );
      await open();
      await taken(1);
      assert.deepEqual(await stored(), NOTHING);
      await call("consent", { analytics: true, ads: true });
      await custom("chosen");
      const [event] = await takenOf("custom");
      assert.deepEqual(event.consent, { analytics: true, ads: false });
      assert.match((await stored()).cookie, /st_id=/);
    }),
  );

  test(
    "given_consent_keeps_the_pages_ids_and_outlives_the_page",
    visit(async ({ edge, pages, open, call, custom, takenOf, taken, stored }) => {
      for (const path of ["/", "/next"]) pages[path].tag = `data-consent="cookieless"`;
      await open();
      await taken(1);
      await call("consent", { analytics: true, ads: true });
      await custom("chosen");
      await takenOf("custom");
      await open("/next");
      await takenOf("page_view", 2);
      assert.equal(new Set(edge.events.map(({ anonymous_id }) => anonymous_id)).size, 1);
      assert.equal((await stored()).cookie, `st_id=${edge.events[0].anonymous_id}`);
      assert.deepEqual(once(edge.eventsOf("page_view"))[1].consent, { analytics: true, ads: true });
      assertComplete(once(edge.events));
    }),
  );

  test(
    "withdrawn_consent_removes_what_was_stored_in_all_tabs_at_once",
    visit(async ({ edge, shop, newPage, open, tracked, call, custom, names, takenOf, stored }) => {
      await open();
      const other = await newPage();
      await other.goto(shop.origin);
      await takenOf("page_view", 2);
      await call("consent", { analytics: false, ads: false });
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
      await until("the other tab to hear of it", () =>
        other.evaluate(() => sessionStorage.length === 0),
      );
      await other.evaluate(() => window.shoptrail("custom", { event_name: "never" }));
      await custom("never");
      await open("/next");
      await tracked();
      await call("consent", { analytics: true });
      const resumed = (await takenOf("page_view", 4)).slice(2);
      assert.deepEqual(names(), []);
      assert.deepEqual(resumed.map(({ page_url }) => page_url).sort(), [
        `${shop.origin}/`,
        `${shop.origin}/next`,
      ]);
      assert.equal(new Set(resumed.map(({ anonymous_id }) => anonymous_id)).size, 1);
      assert.notEqual(resumed[0].anonymous_id, edge.events[0].anonymous_id);
      assertComplete(once(edge.events));
    }),
  );

  test(
    "refusal_before_the_tag_is_there_comes_first",
    visit(async ({ edge, page, pages, open, tracked, stored }) => {
      pages["/"].body = `<script>shoptrail("consent", {analytics: false, ads: false})</script>`;
      await page.addInitScript(() => {
        window.written = [];
        const { set, get } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
        Object.defineProperty(Document.prototype, "cookie", {
          get,
          set(value) {
            window.written.push(value);
            set.call(this, value);
          },
        });
      });
      await open();
      await tracked();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
      assert.deepEqual(
        (await page.evaluate(() => window.written)).filter(
          (cookie) => !cookie.includes("Max-Age=0"),
        ),
        [],
      );
      assert.deepEqual(edge.requests, []);
    }),
  );
});
