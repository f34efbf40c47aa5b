// A visit to a shop, for the tracker's tests: a page in a real Chromium, a shop that serves it, and an edge on another
// site. Each visit has a fresh browser profile and a fresh edge.

import assert from "node:assert/strict";
import { after } from "node:test";

import { launchChromium } from "../../tests/browser.mjs";
import { serve } from "../../tests/loopback.mjs";
import { TestEdge, until } from "./test-edge.mjs";

/** The browsers of a file's visits, by whether they have a back/forward cache. */
const browsers = new Map();

const browserWith = (backForwardCache) => {
  if (!browsers.has(backForwardCache)) {
    browsers.set(backForwardCache, launchChromium({ backForwardCache }));
  }
  return browsers.get(backForwardCache);
};

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/** What nothing stored looks like. */
export const NOTHING = { cookie: "", local: [], session: [] };

/** A test's work with a visit, which ends with it. No exception may have come out of the page. */
export const visit =
  (work, { backForwardCache = false } = {}) =>
  async () => {
    const browser = await browserWith(backForwardCache);
    const context = await browser.newContext();
    const edge = await TestEdge.start();
    const pages = { "/": {}, "/next": {}, "/untagged": { untagged: true } };
    const shop = await serve((request, response) => answerAsShop(pages, edge, request, response));
    const pageErrors = [];
    const newPage = async () => {
      const page = await context.newPage();
      page.on("pageerror", (error) => pageErrors.push(error.message));
      return page;
    };
    try {
      const page = await newPage();
      await work({ context, edge, pages, shop, page, newPage, ...actions(shop, edge, page) });
      assert.deepEqual(pageErrors, [], "exceptions in the page");
      assert.deepEqual(edge.rejections, [], "what the contract does not accept");
    } finally {
      await context.close();
      await shop.close();
      await edge.close();
    }
  };

/** A page of the shop: `pages[path]` is `{body, tag, csp}`, where `tag` are the script tag's attributes; an
 *  `untagged` page has none. It is answered when the promise `until` is fulfilled. */
async function answerAsShop(pages, edge, request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const found = pages[pathname];
  if (!found) return response.writeHead(404, { "content-type": "text/html" }).end();
  const { body = "<p>Shop</p>", tag = "", csp, untagged, until: held } = found;
  await held;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    ...(csp && { "content-security-policy": csp }),
  };
  const stub =
    "<script>window.shoptrail = function () { (shoptrail.q = shoptrail.q || []).push(arguments) }</script>";
  const script = untagged
    ? ""
    : `<script async src="${edge.origin}/t.js" data-key="pk_test" ${tag}></script>`;
  response
    .writeHead(200, headers)
    .end(`<!doctype html><title>Shop ${pathname}</title>${csp ? "" : stub}${script}${body}`);
}

/** What a test does and looks at, in words. */
function actions(shop, edge, page) {
  const call = (...args) => page.evaluate((args) => window.shoptrail(...args), args);
  const unsent = () =>
    page.evaluate(() =>
      Object.keys(localStorage).filter((name) => name.startsWith("shoptrail.event.")),
    );
  const takenOf = (type, count = 1) =>
    until(`${count} of ${type}`, () => {
      const found = once(edge.eventsOf(type));
      return found.length >= count && found;
    });
  return {
    open: (path = "/") => page.goto(shop.origin + path),
    tracked: () => until("the tracker", () => page.evaluate(() => window.shoptrail?.loaded)),
    call,
    /** Calls a `custom` event with this name. */
    custom: (name) => call("custom", { event_name: name }),
    /** The names of the `custom` events that the edge took. */
    names: () => edge.eventsOf("custom").map(({ event_name }) => event_name),
    /** Waits until the edge took so many events, of one type or of any; one that came twice counts once. */
    takenOf,
    taken: (count) =>
      until(`${count} events`, () => {
        const found = once(edge.events);
        return found.length >= count && found;
      }),
    /** Where unsent events are kept. */
    unsent,
    settled: () => until("an empty store", async () => (await unsent()).length === 0),
    stored: () =>
      page.evaluate(() => ({
        cookie: document.cookie,
        local: Object.keys(localStorage),
        session: Object.keys(sessionStorage),
      })),
  };
}

/** Waits until so many events of a type came and no session's numbers have a hole, and returns all events, each once:
 *  where several pages write, one may have sent what comes after an event that another still has. */
export const complete = (edge, type, count) =>
  until(`${count} of ${type}, and no hole`, () => {
    const events = once(edge.events);
    const found = events.filter(({ event_type }) => event_type === type);
    return found.length >= count && isWithoutHoles(events) && events;
  });

const isWithoutHoles = (events) => {
  const last = {};
  for (const { session_id, seq } of events) {
    last[session_id] = Math.max(last[session_id] ?? 0, seq);
  }
  return Object.entries(last).every(
    ([session, seq]) => events.filter(({ session_id }) => session_id === session).length >= seq,
  );
};

/** Each event came once, and each session's numbers have no holes. */
export function assertComplete(events) {
  assert.equal(
    new Set(events.map(({ event_id }) => event_id)).size,
    events.length,
    "an event came twice",
  );
  const numbers = {};
  for (const { session_id, seq } of events) (numbers[session_id] ??= []).push(seq);
  for (const [session, found] of Object.entries(numbers)) {
    found.sort((a, b) => a - b);
    assert.deepEqual(
      found,
      found.map((_, index) => index + 1),
      `numbers of session ${session}`,
    );
  }
}

/** The events without repetitions, as silver has them: what a page sends while it goes is sent again by the next page,
 *  because nobody was there to hear the answer. */
export const once = (events) => [
  ...new Map(events.map((event) => [event.event_id, event])).values(),
];
