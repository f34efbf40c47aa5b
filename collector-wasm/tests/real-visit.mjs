// A visit to a shop whose edge is the Worker as built, for the tracker's tests: two hosts of the shop, the edge on a third one,
// and Kafka's gateway behind it.

import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

import { Gateway } from "../../edge-worker/tests/gateway.mjs";
import { record, startWorker } from "../../edge-worker/tests/worker.mjs";
import { launchChromium } from "../../tests/browser.mjs";
import { serve } from "../../tests/loopback.mjs";
import { until } from "./test-edge.mjs";
import { once } from "./visit.mjs";

const CONFIG = fileURLToPath(new URL("../../edge-worker/wrangler.toml", import.meta.url));

/** The shop's: Chromium finds every host below `localhost` on the loopback, and takes their cookies that are `Secure`. */
export const DOMAIN = "shop.localhost";
export const COOKIE_DAYS = 30;

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

/** The script tag with these attributes. */
export const tagged = (attributes) => (edge) =>
  `<script async src="${edge}/t.js" data-key="pk_test" ${attributes}></script>`;

/** A test's work with a shop on two hosts, each page of which has the tag that `tag` makes of the edge's address, and with
 *  its edge on a third host. `queue` takes the place of the Cloudflare Queue, `vars` are the Worker's. */
export const visit =
  (tag, work, { headers = {}, queue = undefined, vars = {} } = {}) =>
  async () => {
    const gateway = await new Gateway().start();
    let edge = "";
    const shop = await serve((request, response) =>
      response
        .writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers })
        .end(`<!doctype html><title>Shop</title>${tag(edge)}<p>Shop</p>`),
    );
    const onHost = (origin, host) => origin.replace("127.0.0.1", host);
    const [www, checkout] = ["www", "checkout"].map((host) =>
      onHost(shop.origin, `${host}.${DOMAIN}`),
    );
    const shops = [
      {
        write_key: "pk_test",
        shop_id: "demo",
        origins: [www, checkout, shop.origin],
        identity_cookie: { domain: DOMAIN, days: COOKIE_DAYS },
      },
    ];
    const { assets } = unstable_getMiniflareWorkerOptions(CONFIG).workerOptions;
    const worker = await startWorker(gateway, {
      vars: { SHOPTRAIL_SHOPS: JSON.stringify(shops), ...vars },
      bindings: { assets },
      queue,
    });
    edge = onHost(worker.url.origin, `track.${DOMAIN}`);
    const context = await browser.newContext();
    await context.addInitScript(rememberWrittenCookies);
    try {
      await work({ www, checkout, shop, gateway, context, ...actions(gateway, context) });
    } finally {
      await context.close();
      await worker.stop();
      await shop.close();
      await gateway.stop();
    }
  };

function rememberWrittenCookies() {
  window.written = [];
  const { set, get } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    get,
    set(value) {
      window.written.push(value);
      set.call(this, value);
    },
  });
}

/** What a test does and looks at, in words. */
const actions = (gateway, context) => {
  /** What is in Kafka: records, and their events, each once. */
  const records = () => gateway.events.map(record);
  const arrived = () => once(records().map(({ event }) => event));
  const open = async (address) => {
    const page = await context.newPage();
    await page.goto(address);
    await until("the tracker", () => page.evaluate(() => window.shoptrail?.loaded));
    return page;
  };
  return {
    records,
    arrived,
    open,
    arrivedOf: (type, count) =>
      until(`${count} of ${type}`, () => {
        const found = arrived().filter(({ event_type }) => event_type === type);
        return found.length >= count && found;
      }),
    /** The cookies with the visitor's id. */
    ids: async () => (await context.cookies()).filter(({ name }) => name === "st_id"),
  };
};

/** Calls the tracker in a page. */
export const call = (page, ...args) => page.evaluate((given) => window.shoptrail(...given), args);

/** Calls a `custom` event with this name. */
export const custom = (page, name) => call(page, "custom", { event_name: name });
