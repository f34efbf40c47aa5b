// The tracker as built, in a real Chromium: nothing is done without consent, and nobody's consent is invented.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { NOTHING, assertComplete, once, visit } from "./visit.mjs";

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
      assert.deepEqual(first.consent, { analytics: "not_asked", ads: "not_asked" });
      assert.notEqual(first.anonymous_id, second.anonymous_id);
      assertComplete(edge.events);
    }),
  );

  test(
    "privacy_control_is_a_refusal_whatever_was_chosen",
    visit(async ({ edge, page, pages, shop, open, call, tracked, custom, takenOf, stored }) => {
      pages["/next"].tag = `data-refused="cookieless"`;
      await open();
      await call("consent", { analytics: true, ads: true });
      await custom("chosen");
      await takenOf("custom");
      assert.match((await stored()).cookie, /st_id=/);
      await page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true }),
      );
      const choice = { ...NOTHING, local: ["shoptrail.consent"] };
      // Nothing is sent on the way out either.
      await page.goto("about:blank");
      await open();
      await tracked();
      await custom("never");
      await until("what was stored to go", async () => (await stored()).cookie === "");
      assert.deepEqual(await stored(), choice);
      await open("/next");
      await custom("refused");
      const [event] = (await takenOf("custom", 2)).slice(1);
      assert.equal(event.event_name, "refused");
      assert.equal(event.page_url, `${shop.origin}/next`);
      assert.deepEqual(event.consent, { analytics: "denied", ads: "denied" });
      assert.notEqual(event.anonymous_id, edge.events[0].anonymous_id);
      assert.deepEqual(await stored(), choice);
    }),
  );

  test(
    "that_is_not_full_sends_no_customer",
    visit(async ({ page, pages, open, taken, takenOf }) => {
      pages["/"].tag = `data-consent="cookieless"`;
      await open();
      await taken(1);
      await page.evaluate(() => {
        const tell = (/** @type {string} */ name) => {
          window.shoptrail("custom", { event_name: name });
          window.shoptrail("login", { user_id: "customer-8", properties: { name } });
        };
        window.shoptrail("identify", { user_id: "customer-7" });
        tell("before");
        window.shoptrail("consent", { analytics: true });
        tell("after");
        window.shoptrail("identify", { user_id: null });
        window.shoptrail("custom", { event_name: "signed_out" });
      });
      const [before, after, signedOut] = await takenOf("custom", 3);
      assert.deepEqual(
        [before, after, signedOut].map(({ user_id }) => user_id),
        [undefined, "customer-7", undefined],
      );
      const logins = await takenOf("login", 2);
      assert.deepEqual(
        logins.map(({ user_id }) => user_id),
        [undefined, "customer-8"],
      );
    }),
  );

  test(
    "of_an_event_is_what_held_when_it_was_called_for",
    visit(async ({ page, open, taken, takenOf }) => {
      await open();
      await taken(1);
      await page.evaluate(() => {
        window.shoptrail("custom", { event_name: "before" });
        window.shoptrail("consent", { analytics: true });
        window.shoptrail("custom", { event_name: "after" });
      });
      const told = (await takenOf("custom", 2)).map(({ event_name, consent }) => [
        event_name,
        consent.analytics,
      ]);
      assert.deepEqual(told, [
        ["before", "not_asked"],
        ["after", "granted"],
      ]);
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
      assert.match((await stored()).cookie, new RegExp(`st_id=${edge.events[0].anonymous_id}`));
      assert.deepEqual(once(edge.eventsOf("page_view"))[1].consent, {
        analytics: "granted",
        ads: "granted",
      });
      assertComplete(once(edge.events));
    }),
  );

  test(
    "for_a_domain_that_the_host_is_not_in_holds_on_this_host",
    visit(async ({ pages, open, call, custom, takenOf, stored }) => {
      for (const path of ["/", "/next"]) {
        pages[path].tag = `data-consent="cookieless" data-cookie-domain="shop.example"`;
      }
      await open();
      await call("consent", { analytics: true });
      await custom("chosen");
      const [{ anonymous_id }] = await takenOf("custom");
      assert.equal((await stored()).cookie, `st_id=${anonymous_id}`);
      await open("/next");
      const [, view] = await takenOf("page_view", 2);
      assert.deepEqual([view.anonymous_id, view.consent.analytics], [anonymous_id, "granted"]);
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
      assert.equal((await stored()).cookie, "");
      await until("the other tab to hear of it", () =>
        other.evaluate(async () => (await navigator.locks.query()).held.length === 0),
      );
      // What the other tab wrote last goes when it has heard of it.
      const choice = JSON.stringify({ ...NOTHING, local: ["shoptrail.consent"] });
      await until("an empty store", async () => JSON.stringify(await stored()) === choice);
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

  test(
    "typo_is_the_strictest_mode_and_says_so",
    visit(async ({ edge, page, pages, open, tracked, custom, stored }) => {
      pages["/"].tag = `data-consent="cookiles"`;
      const errors = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await open();
      await tracked();
      await custom("never");
      await until("a word on the console", () => errors.some((text) => text.includes("cookiles")));
      assert.deepEqual(await stored(), NOTHING);
      assert.deepEqual(edge.requests, []);
    }),
  );

  test(
    "refusal_can_mean_cookieless",
    visit(async ({ edge, pages, open, call, custom, taken, takenOf, stored }) => {
      pages["/"].tag = `data-refused="cookieless"`;
      await open();
      await taken(1);
      await call("consent", { analytics: false, ads: false });
      await custom("refused");
      const [event] = await takenOf("custom");
      assert.deepEqual(event.consent, { analytics: "denied", ads: "denied" });
      assert.notEqual(event.anonymous_id, edge.events[0].anonymous_id);
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
    }),
  );

  test(
    "refusal_elsewhere_is_obeyed_by_a_page_that_comes_back",
    visit(async ({ edge, page, open, custom, taken, stored }) => {
      await open();
      await taken(1);
      await page.evaluate((time) => {
        const choice = { analytics: "denied", ads: "denied", time, version: "" };
        localStorage.setItem("shoptrail.consent", JSON.stringify(choice)); // no event comes to a page that sleeps
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      }, Date.now());
      await custom("never");
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
      assert.equal(edge.events.length, 1);
    }),
  );

  test(
    "refusal_elsewhere_is_obeyed_by_a_prerendered_page",
    visit(async ({ edge, page, open, tracked, stored }) => {
      await page.addInitScript(() => {
        Object.defineProperty(document, "prerendering", { value: true, configurable: true });
      });
      await open();
      await until("the script", () =>
        page.evaluate(() => performance.getEntriesByType("resource").length),
      );
      await page.evaluate((time) => {
        const choice = { analytics: "denied", ads: "denied", time, version: "" };
        localStorage.setItem("shoptrail.consent", JSON.stringify(choice));
        document.dispatchEvent(new Event("prerenderingchange"));
      }, Date.now());
      await tracked();
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
      assert.deepEqual(edge.requests, []);
    }),
  );

  for (const [what, tag, age] of /** @type {[string, string, number][]} */ ([
    ["about_an_older_text", `data-consent-version="2"`, 0],
    ["that_came_to_its_end", `data-consent-days="30"`, 31 * 864e5],
    ["that_grants_at_a_time_to_come", "", -864e5],
  ])) {
    test(
      `choice_${what}_is_no_choice`,
      visit(async ({ page, pages, open, taken }) => {
        pages["/"].tag = tag;
        await page.addInitScript((when) => {
          const choice = { analytics: "granted", ads: "granted", time: when, version: "" };
          localStorage.setItem("shoptrail.consent", JSON.stringify(choice));
        }, Date.now() - age);
        await open();
        const [event] = await taken(1);
        assert.deepEqual(event.consent, { analytics: "not_asked", ads: "not_asked" });
      }),
    );
  }

  test(
    "refusal_by_a_clock_that_was_ahead_holds",
    visit(async ({ edge, page, open, tracked, custom, stored }) => {
      await page.addInitScript((time) => {
        const choice = { analytics: "denied", ads: "denied", time, version: "" };
        localStorage.setItem("shoptrail.consent", JSON.stringify(choice));
      }, Date.now() + 864e5);
      await open();
      await tracked();
      await custom("never");
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await stored(), { ...NOTHING, local: ["shoptrail.consent"] });
      assert.deepEqual(edge.requests, []);
    }),
  );

  test(
    "what_is_said_about_one_purpose_leaves_the_other_unasked",
    visit(async ({ open, call, custom, takenOf }) => {
      await open();
      await call("consent", { analytics: "granted" });
      await custom("chosen");
      const [event] = await takenOf("custom");
      assert.deepEqual(event.consent, { analytics: "granted", ads: "not_asked" });
    }),
  );

  test(
    "that_comes_after_the_shop_cleaned_the_address_keeps_the_campaign",
    visit(async ({ page, pages, shop, open, tracked, call, takenOf }) => {
      pages["/"].tag = `data-consent="off"`;
      await open("/?utm_source=news&utm_medium=email");
      await tracked();
      await page.evaluate(() => history.replaceState({}, "", "/"));
      await call("consent", { analytics: true });
      const [view] = await takenOf("page_view");
      assert.equal(view.page_url, `${shop.origin}/?utm_source=news&utm_medium=email`);
    }),
  );
});
