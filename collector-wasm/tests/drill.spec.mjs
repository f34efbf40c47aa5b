// The tracker as built, in a real Chromium, and the Worker as built: a drill with everything that befalls events in browsers at
// once. What was made and what is in Kafka are counted, by `seq` too.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { custom, tagged, visit } from "./real-visit.mjs";
import { until } from "./test-edge.mjs";
import { assertComplete } from "./visit.mjs";

const TABS = 10;

/** Longer than the tracker ever waits before it asks this edge again (five seconds that the edge asks for, and up to 64). */
const PAUSE_MS = 75_000;

/** An outage of five minutes. */
const PAUSES = 4;

/** How many events are in the store. */
const unsent = (page) =>
  page.evaluate(
    () => Object.keys(localStorage).filter((name) => name.startsWith("shoptrail.event.")).length,
  );

describe("ten tabs at once, an outage of minutes, reloads, a crash and a closed tab", () => {
  test(
    "lose_no_event_and_make_none_up",
    visit(
      // What happens as a page goes may share a number with what another page makes in that moment; the rest may not.
      tagged('data-pings="off" data-scroll="off" data-vitals="off"'),
      async ({ www, gateway, context, open, records, arrived }) => {
        await context.clock.install();
        const tabs = await Promise.all([...Array(TABS)].map(() => open(www)));
        const made = new Set();
        const make = (tab, name) => {
          made.add(name);
          return custom(tab, name);
        };
        let views = TABS;
        await Promise.all(tabs.map((tab, n) => make(tab, `open_${n}`)));
        const isThere = () => arrived().length === made.size + views;
        await until("all of before the outage", isThere);
        const [one] = tabs;
        await until("answers to all", async () => (await unsent(one)) === 0);

        let attempts = 0;
        gateway.intercept = (response) => {
          attempts++;
          response.writeHead(503).end();
          return true;
        };
        let stored = 0;
        const numbered = async (count) => {
          stored += count;
          await until("stored events", async () => (await unsent(one)) === stored);
        };
        await Promise.all(tabs.map((tab, n) => make(tab, `outage_${n}`)));
        await numbered(TABS);

        const crashing = tabs.pop();
        const session = await context.newCDPSession(crashing);
        const crashed = crashing.waitForEvent("crash");
        session.send("Page.crash").catch(() => {}); // it never answers
        await crashed;
        await crashing.close(); // what nobody can talk to any more
        await tabs.pop().close({ runBeforeUnload: false });
        for (let pause = 0; pause < PAUSES; pause++) {
          const tab = tabs[1 + pause];
          await tab.reload();
          views++;
          await numbered(1);
          await make(tab, `reload_${pause}`);
          await numbered(1);
          const before = attempts;
          await context.clock.fastForward(PAUSE_MS);
          await until("another attempt", () => attempts > before);
        }

        const refused = attempts;
        gateway.intercept = () => false;
        await context.clock.fastForward(PAUSE_MS);
        await until("all events", isThere);
        const names = arrived().flatMap(({ event_name }) => event_name ?? []);
        assert.deepEqual(new Set(names), made);
        assert.equal(new Set(arrived().map(({ session_id }) => session_id)).size, 1);
        assertComplete(arrived());
        const total = records().length;
        console.log(
          `made ${made.size + views}, in Kafka ${total}, of these repeated ${total - arrived().length}; ` +
            `requests refused in ${(PAUSES * PAUSE_MS) / 60_000} minutes: ${refused}`,
        );
      },
      { vars: { SHOPTRAIL_HAND_OVER: "direct" } },
    ),
  );
});
