// The tracker as built, in a real Chromium: what it sees, and what it weighs.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { ASSETS, until } from "./test-edge.mjs";
import { assertComplete, once, visit } from "./visit.mjs";

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ITEM = { item_id: "sku-1", item_name: "Mug", price: 12.5 };
const BUDGET_BYTES = 12_000;

describe("what the tag alone gives", () => {
  test(
    "page_view_comes_in_a_complete_envelope",
    visit(async ({ edge, page, shop, open, taken }) => {
      await open();
      const [event] = await taken(1);
      const [batch] = edge.batches;
      assert.equal(batch.write_key, "pk_test");
      assert.deepEqual(batch.tracker, { name: "shoptrail-wasm", version: "0.1.0" });
      assert.ok(Math.abs(batch.sent_at - Date.now()) < 60_000);
      assert.equal(
        batch.context.time_zone,
        await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone),
      );
      assert.equal(batch.context.viewport_width, page.viewportSize().width);

      assert.match(event.event_id, UUID7);
      assert.match(event.session_id, UUID7);
      assert.match(event.anonymous_id, UUID7);
      assert.ok(Math.abs(event.event_timestamp - Date.now()) < 60_000);
      const { event_id, session_id, anonymous_id, event_timestamp, ...rest } = event;
      assert.deepEqual(rest, {
        event_type: "page_view",
        seq: 1,
        page_url: `${shop.origin}/`,
        page_title: "Shop /",
        consent: { analytics: "not_asked", ads: "not_asked" },
      });
    }),
  );

  test(
    "batch_needs_no_preflight",
    visit(async ({ edge, open, taken }) => {
      await open();
      await taken(1);
      assert.deepEqual(
        edge.requests.map(({ method }) => method),
        ["POST"],
      );
      assert.match(edge.requests[0].headers["content-type"], /^text\/plain/);
      assert.equal(edge.requests[0].headers.cookie, undefined);
    }),
  );

  test(
    "routes_of_a_single_page_application_are_page_views",
    visit(async ({ edge, page, shop, open, takenOf }) => {
      await open();
      await page.evaluate(async () => {
        history.pushState({}, "", "/product/1?size=m");
        document.title = "Product 1";
        window.shoptrail("view_cart");
        history.replaceState({}, "", "/product/1?size=m#reviews");
        location.hash = "reviews-2";
        history.pushState({}, "", "/#/cart");
      });
      await takenOf("page_view", 3);
      await page.goBack();
      await takenOf("page_view", 4);
      const views = edge
        .eventsOf("page_view")
        .map(({ page_url, referrer_url }) => [page_url, referrer_url]);
      const [home, product, cart] = ["/", "/product/1?size=m", "/#/cart"].map(
        (path) => shop.origin + path,
      );
      assert.deepEqual(views, [
        [home, undefined],
        [product, home],
        [cart, product],
        [product, cart],
      ]);
      assert.equal(edge.eventsOf("page_view")[1].page_title, "Product 1");
      assert.equal(edge.eventsOf("view_cart")[0].page_url, product);
      assertComplete(edge.events);
    }),
  );

  test(
    "clicks_on_links_and_buttons_are_events",
    visit(async ({ edge, page, pages, shop, open, takenOf }) => {
      pages["/"].tag = "data-click-text";
      pages["/"].body = `
      <a href="#place" id="place-link"><b>To  the
        place</b></a>
      <button id="buy"><svg width="9" height="9"><circle r="9"/></svg></button>
      <a href="/price-list.pdf" onclick="event.preventDefault()">Prices</a>
      <a href="mailto:person@shop.example" onclick="event.preventDefault()">Write</a>
      <p id="text">Text</p><div data-st-ignore><button id="secret">Secret</button></div>`;
      await open();
      for (const target of ["b", "circle", "text=Prices", "text=Write", "#text", "#secret"]) {
        await page
          .locator(target)
          .dispatchEvent("click", { bubbles: true, composed: true, cancelable: true });
      }
      await takenOf("click", 3);
      assert.deepEqual(
        edge.eventsOf("click").map(({ link_url, properties }) => ({ link_url, properties })),
        [
          {
            link_url: `${shop.origin}/#place`,
            properties: { element: "a", id: "place-link", text: "To the place" },
          },
          { link_url: undefined, properties: { element: "button", id: "buy" } },
          { link_url: undefined, properties: { element: "a", text: "Write" } },
        ],
      );
      const [download] = edge.eventsOf("file_download");
      assert.equal(download.link_url, `${shop.origin}/price-list.pdf`);
      assert.equal(download.properties.file_extension, "pdf");
    }),
  );

  test(
    "click_before_the_core_is_there_arrives_and_throws_nothing",
    visit(async ({ page, pages, open, takenOf }) => {
      let release = () => {};
      const held = new Promise((resolve) => (release = () => resolve(undefined)));
      await page.route("**/*.wasm", async (route) => {
        await held;
        await route.continue();
      });
      pages["/"].body = `<a href="#place">Place</a>`;
      await open();
      await until("the tag", () => page.evaluate(() => typeof window.shoptrail.q === "undefined"));
      await page.locator("a").click();
      release();
      await takenOf("click");
    }),
  );

  test(
    "engaged_time_is_told_when_the_page_goes",
    visit(async ({ edge, page, shop, open, takenOf, taken }) => {
      await open();
      await taken(1);
      // The tag counts from when it runs, which may be long after the page began to load.
      const since = await page.evaluate(() => performance.now());
      const hasPassed = (since) => performance.now() > since + 1500;
      await until("a second of attention", () => page.evaluate(hasPassed, since));
      await page.mouse.move(10, 10);
      await page.goto("about:blank");
      const [ping] = await takenOf("page_ping");
      assert.equal(ping.page_url, `${shop.origin}/`);
      assert.ok(
        ping.engagement_time_msec >= 1000 && ping.engagement_time_msec < 60_000,
        `${ping.engagement_time_msec} ms`,
      );
      assert.ok(Number.isInteger(ping.engagement_time_msec));
      assertComplete(edge.events);
    }),
  );

  test(
    "page_from_the_back_forward_cache_is_viewed_again",
    visit(async ({ edge, page, open, takenOf, taken, settled }) => {
      await open();
      await taken(1);
      await settled(); // what has no answer by then would be sent again
      // Playwright's Chromium has no back/forward cache: its event stands in for it.
      await page.evaluate(() =>
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })),
      );
      await takenOf("page_view", 2);
      assertComplete(edge.events);
    }),
  );

  test(
    "query_that_is_cleaned_or_filtered_is_no_page_view",
    visit(async ({ edge, page, shop, open, custom, takenOf }) => {
      await open("/?utm_source=news&utm_medium=email");
      await page.evaluate(() => {
        history.replaceState({}, "", location.pathname);
        for (let max = 0; max < 20; max++) history.replaceState({}, "", `?max=${max}`);
      });
      await custom("after");
      await takenOf("custom");
      const urls = edge.eventsOf("page_view").map(({ page_url }) => page_url);
      assert.deepEqual(urls, [`${shop.origin}/?utm_source=news&utm_medium=email`]);
    }),
  );

  test(
    "click_has_no_text_by_itself_and_ignored_places_hold_through_shadow_roots",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body =
        `<button id="open">Anna's orders</button><div id="secret" data-st-ignore></div>`;
      await open();
      await page.evaluate(() => {
        const root = document.querySelector("#secret").attachShadow({ mode: "open" });
        root.innerHTML = "<button id=inside>Secret</button>";
        root.querySelector("button").click();
      });
      await page.click("#open");
      await takenOf("click");
      const clicks = edge.eventsOf("click").map(({ properties }) => properties);
      assert.deepEqual(clicks, [{ element: "button", id: "open" }]);
    }),
  );

  test(
    "tag_whose_attributes_a_tag_manager_removed_reads_its_address",
    visit(async ({ edge, page, open, taken }) => {
      await open("/untagged");
      await page.evaluate((origin) => {
        const script = document.createElement("script");
        script.src = `${origin}/t.js?key=pk_test&consent=cookieless`;
        document.head.append(script);
      }, edge.origin);
      await taken(1);
      assert.equal(edge.batches[0].write_key, "pk_test");
      assert.equal(await page.evaluate(() => localStorage.length), 0);
    }),
  );
});

describe("the shop's events", () => {
  test(
    "mark_on_a_button_takes_the_item_of_its_card",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body = `
      <article data-st-item='${JSON.stringify(ITEM)}' data-st-fields='{"currency":"EUR"}' data-st-event="select_item">
        <a href="#card">Mug</a>
        <button data-st-event="add_to_cart" data-st-fields='{"currency":"EUR","value":12.5}'>Add</button>
      </article>`;
      await open();
      await page.click("button");
      await page.click("a");
      const [added] = await takenOf("add_to_cart");
      const [selected] = await takenOf("select_item");
      assert.deepEqual([added.items, added.currency, added.value], [[ITEM], "EUR", 12.5]);
      assert.deepEqual(
        [selected.items, selected.currency, selected.value],
        [[ITEM], "EUR", undefined],
      );
      assert.deepEqual(edge.eventsOf("click"), []);
    }),
  );

  test(
    "mark_for_sight_is_sent_when_it_comes_into_sight_and_when_it_changes",
    visit(async ({ edge, page, pages, open, takenOf, taken }) => {
      pages["/"].body = `
      <p style="height: 3000px">Far down:</p>
      <section data-st-event="view_item_list" data-st-on="view" data-st-fields='{"properties":{"shelf":"mugs"}}'>
        <p data-st-item='{"item_id":"sku-1"}'>One</p><p data-st-item='[{"item_id":"sku-2"},{"item_id":"sku-3"}]'>Two, three</p>
      </section>`;
      await open();
      await taken(1);
      assert.deepEqual(edge.eventsOf("view_item_list"), []);
      await page.locator("section").scrollIntoViewIfNeeded();
      const [list] = await takenOf("view_item_list");
      assert.deepEqual(
        list.items.map(({ item_id }) => item_id),
        ["sku-1", "sku-2", "sku-3"],
      );
      assert.deepEqual(list.properties, { shelf: "mugs" });

      await page.evaluate(() => {
        document.body.innerHTML = `<main data-st-event="view_item" data-st-on="view" data-st-item='{"item_id":"sku-4"}'>Four</main>`;
      });
      await takenOf("view_item");
      await page.evaluate(
        () => (document.querySelector("main").dataset.stItem = '{"item_id":"sku-5"}'),
      );
      const views = await takenOf("view_item", 2);
      assert.deepEqual(
        views.map(({ items }) => items[0].item_id),
        ["sku-4", "sku-5"],
      );
      assert.equal(edge.eventsOf("view_item_list").length, 1);
    }),
  );

  test(
    "mark_that_comes_when_a_page_without_marks_is_not_watched_any_more_is_found",
    visit(async ({ edge, page, open, tracked }) => {
      await page.clock.install();
      await open();
      await tracked();
      await page.clock.runFor(15_000);
      await page.evaluate(() => {
        document.body.innerHTML = `<main data-st-event="view_item" data-st-on="view" data-st-item='{"item_id":"sku-4"}'>Four</main>`;
      });
      await until("the mark in sight", async () => {
        await page.clock.runFor(1_000);
        return edge.eventsOf("view_item").length === 1;
      });
    }),
  );

  test(
    "mark_that_is_no_json_leaves_the_event_to_the_edges_verdict",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      pages["/"].body = `<button data-st-event="add_to_cart" data-st-item="{oops">Add</button>`;
      await open();
      await page.click("button");
      const [added] = await takenOf("add_to_cart");
      assert.equal(added.items, undefined);
      const [{ errors }] = edge.rejections.splice(0);
      assert.ok(errors.some(({ params }) => params.missingProperty === "items"));
    }),
  );

  test(
    "calls_before_and_after_the_tag_is_there_are_events",
    visit(async ({ edge, pages, open, call, custom, takenOf }) => {
      pages["/"].body =
        `<script>shoptrail("identify", {user_id: "customer-7"}); shoptrail("search", {search_term: "mug"});</script>`;
      await open();
      await takenOf("search");
      await call("purchase", {
        transaction_id: "t-1",
        currency: "EUR",
        value: 25,
        items: [{ ...ITEM, quantity: 2 }],
      });
      const [bought] = await takenOf("purchase");
      assert.deepEqual(bought.items, [{ ...ITEM, quantity: 2 }]);
      assert.equal(bought.user_id, "customer-7");
      assert.deepEqual(
        edge.events.map(({ event_type }) => event_type),
        ["page_view", "search", "purchase"],
      );
      await call("identify", { user_id: null });
      await custom("signed_out");
      const [out] = await takenOf("custom");
      assert.equal("user_id" in out, false);
      assertComplete(edge.events);
    }),
  );

  test(
    "call_cannot_forge_what_the_core_says",
    visit(async ({ edge, open, call, takenOf }) => {
      await open();
      await call("custom", {
        event_name: "forged",
        event_id: "x",
        seq: 99,
        anonymous_id: "x",
        session_id: "x",
        consent: {},
        event_timestamp: 1,
      });
      const [event] = await takenOf("custom");
      assert.match(event.event_id, UUID7);
      assert.deepEqual(event.consent, { analytics: "not_asked", ads: "not_asked" });
      assertComplete(edge.events);
    }),
  );

  test(
    "long_address_and_title_are_cut_to_the_contracts_limits",
    visit(async ({ page, open, takenOf }) => {
      await open();
      await page.evaluate(() => {
        document.title = "🛒".repeat(600);
        history.pushState({}, "", `/found?q=${"x".repeat(3000)}`);
      });
      const [, view] = await takenOf("page_view", 2);
      assert.equal(view.page_url.length, 2048);
      assert.equal(view.page_title, "🛒".repeat(256));
    }),
  );

  test(
    "call_that_cannot_be_sent_harms_nothing_and_is_told_once",
    visit(async ({ edge, page, open, custom, takenOf }) => {
      await open();
      await page.evaluate(() => {
        const cyclic = {};
        cyclic.self = cyclic;
        for (let i = 0; i < 3; i++)
          window.shoptrail("custom", { event_name: "cyclic", properties: cyclic });
        window.shoptrail("consent", null);
        window.shoptrail();
      });
      await custom("after");
      await takenOf("custom");
      assert.equal(edge.eventsOf("error").length, 1);
      assert.equal(edge.eventsOf("error")[0].properties.source, "tracker");
    }),
  );
});

describe("without WASM", () => {
  const shape = (value) => {
    if (Array.isArray(value)) return value.map(shape);
    if (value === null || typeof value !== "object") return typeof value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
  };

  test(
    "page_that_goes_before_the_module_is_there_sends_its_events",
    visit(async ({ edge, page, open, tracked, custom, takenOf }) => {
      await page.route("**/*.wasm", () => {}); // never answered
      await open();
      await tracked();
      await custom("quick");
      await page.goto("about:blank");
      await takenOf("custom");
      assert.equal(edge.batches[0].tracker.name, "shoptrail-js");
      assertComplete(edge.events);
    }),
  );

  test(
    "page_that_forbids_wasm_sends_the_same_envelope",
    visit(async ({ edge, pages, open, tracked, call, takenOf, settled }) => {
      pages["/next"].csp =
        `default-src 'self'; script-src ${edge.origin}; connect-src ${edge.origin}`;
      for (const path of ["/", "/next"]) {
        await open(path);
        await tracked();
        await call("add_to_cart", { currency: "EUR", value: 12.5, items: [ITEM] });
        await takenOf("add_to_cart", path === "/" ? 1 : 2);
        await settled();
      }
      const byTracker = (name) => edge.batches.filter(({ tracker }) => tracker.name === name);
      const [withWasm, without] = ["shoptrail-wasm", "shoptrail-js"].map((name) => ({
        ...byTracker(name)[0],
        events: byTracker(name)
          .flatMap(({ events }) => events)
          .filter(({ event_type }) => /^(page_view|add_to_cart)$/.test(event_type)),
      }));
      assert.deepEqual(shape(without), shape(withWasm));
      assert.deepEqual(Object.keys(without), Object.keys(withWasm));
      assert.deepEqual(without.events.map(Object.keys), withWasm.events.map(Object.keys));
      assertComplete(once(edge.events));
    }),
  );
});

describe("size", () => {
  test("what_a_page_loads_by_default_is_within_the_budget", () => {
    const files = readdirSync(ASSETS).filter((file) => /\.(js|wasm)$/.test(file));
    /** @type {[string, number][]} */
    const sizes = files.map((file) => [
      file,
      brotliCompressSync(readFileSync(join(ASSETS, file))).length,
    ]);
    const usual = sizes.filter(([file]) => /^t(-behaviour-\w+)?\.js$|^t-\w+\.wasm$/.test(file));
    const total = usual.reduce((sum, [, size]) => sum + size, 0);
    console.log(
      `brotli: ${sizes.map(([file, size]) => `${file} ${size}`).join(", ")}; ` +
        `of a page with default settings ${total} of ${BUDGET_BYTES} B`,
    );
    assert.equal(usual.length, 3, `${usual}: t.js, its module and its late part`);
    assert.ok(total <= BUDGET_BYTES, `${total} B`);
  });
});
