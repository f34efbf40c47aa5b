// The tracker as built, in a real Chromium, and the Worker as built: what shows only where both are real, such as cookies
// that hosts share and what a browser lets a page load.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { codeOf } from "./guide.mjs";
import { COOKIE_DAYS, DOMAIN, call, custom, tagged, visit } from "./real-visit.mjs";
import { until } from "./test-edge.mjs";

const DAY_SECONDS = 86400;

const choose = (page, analytics) => call(page, "consent", { analytics });

const daysLeft = ({ expires }) => (expires - Date.now() / 1000) / DAY_SECONDS;

describe("the hosts of a shop", () => {
  test(
    "have_one_visitor_with_consent_and_none_after_a_refusal_on_any",
    visit(
      (edge) =>
        codeOf({ origin: edge }, "One visitor on all hosts of the shop", "html").replace(
          "shop.example",
          DOMAIN,
        ),
      async ({ www, checkout, open, arrived, arrivedOf, ids }) => {
        const shopping = await open(www);
        await choose(shopping, true);
        await custom(shopping, "shopping");
        const [{ anonymous_id }] = await arrivedOf("custom", 1);
        await until("the edge's cookie instead of the tracker's own", async () => {
          const [{ domain, value, secure, ...cookie }, ...more] = await ids();
          assert.deepEqual([domain, value, more], [`.${DOMAIN}`, anonymous_id, []]);
          return secure && daysLeft(cookie) <= COOKIE_DAYS;
        });

        // Nobody has to ask again there.
        const paying = await open(checkout);
        await custom(paying, "paying");
        await arrivedOf("custom", 2);
        const [, view] = await arrivedOf("page_view", 2);
        assert.equal(view.consent.analytics, "granted");
        assert.equal(new Set(arrived().map((event) => event.anonymous_id)).size, 1);
        const written = await paying.evaluate(() => window.written);
        const isOfId = (cookie) => cookie.startsWith("st_id=") && !cookie.startsWith("st_id=;");
        assert.deepEqual(written.filter(isOfId), [], "the edge's cookie was written again");

        await choose(paying, false);
        await until("no cookie", async () => (await ids()).length === 0);
        for (const page of [paying, shopping]) await custom(page, "never");
        const later = await open(www);
        await custom(later, "never");
        assert.deepEqual(await ids(), []);

        await choose(later, true);
        const views = await arrivedOf("page_view", 3);
        assert.notEqual(views[2].anonymous_id, anonymous_id);
        const names = arrived().map(({ event_name }) => event_name);
        assert.deepEqual(names.filter(Boolean), ["shopping", "paying"]);
      },
    ),
  );

  test(
    "take_over_the_cookie_that_one_of_them_had_alone",
    visit(
      (edge) =>
        `<script async src="${edge}/t.js?key=pk_test&cookieDomain=${DOMAIN}&consent=full"></script>`,
      async ({ www, checkout, context, open, arrivedOf, ids }) => {
        for (const [value, url] of [
          ["first", www],
          ["second", checkout],
        ]) {
          await context.addCookies([{ name: "st_id", value, url }]);
        }
        await open(www);
        await arrivedOf("page_view", 1);
        await open(checkout);
        const views = await arrivedOf("page_view", 2);
        assert.deepEqual(
          views.map(({ anonymous_id }) => anonymous_id),
          ["first", "first"],
        );
        assert.deepEqual(
          (await ids()).map(({ domain, value }) => [domain, value]),
          [[`.${DOMAIN}`, "first"]],
        );
      },
    ),
  );

  test(
    "obey_the_later_of_the_choices_that_each_had_alone",
    visit(
      tagged(`data-refused="cookieless" data-cookie-domain="${DOMAIN}"`),
      async ({ www, checkout, context, open, arrivedOf, ids }) => {
        await context.addInitScript(() => {
          const isWww = location.host.startsWith("www");
          const choice = {
            analytics: isWww ? "granted" : "denied",
            ads: "denied",
            time: isWww ? Date.now() - 2e6 : Date.now() - 1e6,
            version: "",
          };
          if (!localStorage.length)
            localStorage.setItem("shoptrail.consent", JSON.stringify(choice));
        });
        for (const [views, address] of [www, checkout, www].entries()) {
          const page = await open(address);
          await arrivedOf("page_view", views + 1);
          await page.goto("about:blank"); // as it goes, it tells the others
        }
        const views = await arrivedOf("page_view", 3);
        assert.deepEqual(
          views.map(({ consent }) => consent.analytics),
          ["granted", "denied", "denied"],
        );
        assert.deepEqual(await ids(), []);
      },
    ),
  );

  for (const days of [0, 2]) {
    test(
      `obey_a_refusal_${days}_days_later_though_a_clock_a_day_ahead_had_granted_before`,
      visit(
        tagged(`data-refused="cookieless" data-cookie-domain="${DOMAIN}"`),
        async ({ www, checkout, context, open, arrivedOf, ids }) => {
          await context.addInitScript(() => {
            const { now } = Date;
            const [, ahead] = /ahead=(\d+)/.exec(document.cookie) ?? [];
            Date.now = () => now() + Number(ahead ?? 0) * 864e5;
          });
          const onDay = async (day, host, work) => {
            const cookie = { name: "ahead", value: `${day}`, domain: `.${DOMAIN}`, path: "/" };
            await context.addCookies([cookie]);
            const page = await open(host);
            await work(page);
            await page.goto("about:blank"); // as it goes, it keeps the choice
          };
          await onDay(1, www, (page) => choose(page, true));
          await onDay(1, checkout, () => {});
          await onDay(0, www, (page) => choose(page, false));
          await onDay(days, checkout, (page) => custom(page, "paying"));
          const [paying] = await arrivedOf("custom", 1);
          assert.deepEqual([paying.consent.analytics, await ids()], ["denied", []]);
        },
      ),
    );
  }

  test(
    "obey_a_refusal_whatever_time_a_host_writes_beside_a_grant",
    visit(
      tagged(`data-refused="cookieless" data-cookie-domain="${DOMAIN}"`),
      async ({ www, context, open, arrivedOf, ids }) => {
        await choose(await open(www), false);
        const choice = { analytics: "granted", ads: "granted", time: 9e15, version: "" };
        await context.addCookies([
          {
            name: "st_consent",
            value: encodeURIComponent(JSON.stringify(choice)),
            domain: `.${DOMAIN}`,
            path: "/",
          },
        ]);
        await custom(await open(www), "later");
        const [later] = await arrivedOf("custom", 1);
        assert.deepEqual([later.consent.analytics, await ids()], ["denied", []]);
      },
    ),
  );

  test(
    "send_no_cookies_while_they_keep_none",
    visit(
      tagged(`data-consent="cookieless" data-cookie-domain="${DOMAIN}"`),
      async ({ www, context, open, arrivedOf, ids }) => {
        await context.addCookies([
          { name: "basket", value: "7", domain: `.${DOMAIN}`, path: "/", sameSite: "Lax" },
        ]);
        const asked = [];
        context.on("request", (request) => request.url().endsWith("/b") && asked.push(request));
        const cookies = async (request) => (await request.allHeaders()).cookie;
        const page = await open(www);
        await arrivedOf("page_view", 1);
        assert.deepEqual([await cookies(asked[0]), await ids()], [undefined, []]);
        await choose(page, true);
        await custom(page, "chosen");
        const [{ anonymous_id }] = await arrivedOf("custom", 1);
        const bearer = asked.find((request) => request.postData()?.includes('"chosen"'));
        // All of a request's headers are known when it is answered.
        await bearer?.response();
        const sent = (await cookies(bearer)).split("; ");
        assert.ok(sent.includes("basket=7") && sent.includes(`st_id=${anonymous_id}`), `${sent}`);
      },
    ),
  );

  let release = () => {};
  const held = new Promise((resolve) => (release = () => resolve(undefined)));
  test(
    "do_not_get_the_cookie_back_by_an_answer_that_was_on_its_way_when_consent_went",
    visit(
      tagged(`data-consent="off" data-cookie-domain="${DOMAIN}"`),
      async ({ www, open, ids }) => {
        const page = await open(www);
        const asked = page.waitForRequest(/\/b$/);
        const answered = page.waitForResponse(/\/b$/);
        await choose(page, true);
        await asked;
        await choose(page, false);
        assert.deepEqual(await ids(), []);
        release();
        assert.match((await (await answered).allHeaders())["set-cookie"], /^st_id=[^;]/);
        await until("the cookie to go", async () => (await ids()).length === 0);
      },
      { queue: () => held },
    ),
  );

  let releaseFirst = () => {};
  /** What batches wait for at the queue: the first one until it is released, the others for nothing. */
  const waits = [new Promise((resolve) => (releaseFirst = () => resolve(undefined)))];
  test(
    "keep_the_cookie_that_another_got_while_an_answer_without_one_was_on_its_way",
    visit(
      // Of the first host there is no other batch.
      tagged(
        `data-consent="cookieless" data-cookie-domain="${DOMAIN}" data-pings="off" data-vitals="off"`,
      ),
      async ({ www, checkout, context, open, ids }) => {
        await context.addInitScript(() => {
          const { text } = Response.prototype;
          Response.prototype.text = async function () {
            const said = await text.call(this);
            setTimeout(() => (window.answered = true)); // whoever waits for the text goes first
            return said;
          };
        });
        const page = await open(www);
        await until("the first batch at the queue", () => waits.length === 0);
        const paying = await open(checkout);
        await choose(paying, true);
        await custom(paying, "paying");
        await until("the edge's cookie", async () => (await ids()).some(({ secure }) => secure));
        const before = await ids();
        releaseFirst();
        await until("its answer", () => page.evaluate(() => window.answered));
        assert.deepEqual(await ids(), before);
      },
      { queue: () => waits.pop() },
    ),
  );
});

describe("a page that loads only what allows it", () => {
  test(
    "loads_the_whole_tracker_from_another_site_and_is_heard",
    visit(
      tagged(""),
      async ({ shop, open, arrivedOf, records }) => {
        const page = await open(shop.origin);
        assert.ok(await page.evaluate(() => window.crossOriginIsolated));
        await until("the behaviour part", () =>
          page.evaluate(() =>
            performance.getEntriesByType("resource").some(({ name }) => /behaviour/.test(name)),
          ),
        );
        await call(page, "custom", { event_name: "isolated" });
        await arrivedOf("custom", 1);
        assert.equal(records()[0].batch.tracker.name, "shoptrail-wasm");
      },
      {
        headers: {
          "cross-origin-embedder-policy": "require-corp",
          "cross-origin-opener-policy": "same-origin",
        },
      },
    ),
  );
});
