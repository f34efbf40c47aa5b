// The tracker as built, in a real Chromium: that it does no harm to the page it is in. A trace of the browser says which script
// made it lay a page out.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { visit } from "./visit.mjs";

const CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline.stack"];

/** What a browser does when a script asks for sizes of a page that has changed. */
const FORCED = /^(Layout|UpdateLayoutTree)$/;

/** Changes the page before each listener and timer: whatever of its layout these ask for has to be made anew. */
function changeAllTheTime() {
  let width = 0;
  const change = () =>
    document.documentElement?.style.setProperty("padding-right", `${++width % 9}px`);
  const changed = (work) =>
    typeof work === "function"
      ? function (...given) {
          change();
          return work.apply(this, given);
        }
      : work;
  const { setTimeout, setInterval } = window;
  const { addEventListener } = EventTarget.prototype;
  Object.assign(window, {
    setTimeout: (work, ...rest) => setTimeout(changed(work), ...rest),
    setInterval: (work, ...rest) => setInterval(changed(work), ...rest),
  });
  EventTarget.prototype.addEventListener = function (type, work, ...rest) {
    return addEventListener.call(this, type, changed(work), ...rest);
  };
}

describe("the page", () => {
  test(
    "is_never_laid_out_because_the_tracker_asks_for_sizes_also_on_a_phone",
    visit(async ({ edge, context, page, pages, open, custom, takenOf }) => {
      pages["/"].body = `<meta name="viewport" content="width=device-width">
        <h1>Shop</h1><a href="#more">More</a><form onsubmit="return false"><input></form>
        <div data-st-event="view_item" data-st-on="view" data-st-item='{"item_id":"sku-1"}'>Mug</div>
        <div style="height: 9000px">Long</div>`;
      const session = await context.newCDPSession(page);
      const phone = { width: 390, height: 664, deviceScaleFactor: 2, mobile: true };
      await session.send("Emulation.setDeviceMetricsOverride", phone);
      await page.addInitScript(changeAllTheTime);
      const browser = context.browser();
      await browser.startTracing(page, { categories: CATEGORIES });
      await open();
      await takenOf("page_view");
      await page.waitForLoadState("networkidle");
      await page.click("a");
      await page.fill("input", "text");
      await page.evaluate(() => scrollTo(0, 9000));
      await takenOf("scroll");
      await page.evaluate(() => history.pushState({}, "", "/other"));
      await custom("after");
      await takenOf("custom");
      await page.evaluate(() => {
        dispatchEvent(new PageTransitionEvent("pagehide"));
        // What a script of the shop's own does, so that the trace shows how it looks.
        document.documentElement.style.paddingRight = "20px";
        return document.documentElement.offsetHeight;
      });
      await takenOf("form_start");
      const trace = JSON.parse((await browser.stopTracing()).toString());
      const forced = trace.traceEvents
        .filter(({ name, args }) => FORCED.test(name) && args.beginData?.stackTrace)
        .map(({ name, args }) => `${name} by ${args.beginData.stackTrace.map(({ url }) => url)}`);
      assert.ok(forced.length > 0, "the shop's own");
      assert.deepEqual(
        forced.filter((told) => told.includes(`${edge.origin}/t`)),
        [],
      );
      await until("the size of the window", () =>
        edge.batches.some(({ context }) => context.viewport_width === phone.width),
      );
    }),
  );

  test(
    "does_not_wait_for_intl_to_tell_the_time_zone_where_temporal_tells_it",
    visit(async ({ edge, page, open, taken }) => {
      await page.addInitScript(() => {
        window.turns = 0;
        const { DateTimeFormat } = Intl;
        Object.assign(Intl, {
          DateTimeFormat(...given) {
            window.turns++;
            return DateTimeFormat(...given);
          },
        });
      });
      await open();
      await taken(1);
      const expected = await page.evaluate(() => [
        window.turns,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      ]);
      assert.deepEqual([0, edge.batches[0].context.time_zone], expected);
    }),
  );
});
