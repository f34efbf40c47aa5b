// Measures what a tracker costs a page in Chromium: main-thread time for each event, the synchronous part of a call, and
// the time from the tag to the tracker being ready, beside peers from npm, in alternating rounds. `cargo xtask bench tracker`
// runs it.
//
//   node bench/tracker/run.mjs [--rounds 3] [--events 300] [--throttle 1] [--only shoptrail,snowplow]

import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";

import { build } from "esbuild";

import { installPackages } from "../packages.mjs";
import { launchChromium } from "../../tests/browser.mjs";

const ROOT = new URL("../../", import.meta.url);
const TRACKER = new URL("target/tracker/", ROOT);
const PACE_MS = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    events: { type: "string", default: "300" },
    throttle: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const events = Number(values.events);
const throttle = Number(values.throttle);

const CONTENDERS = [
  { name: "nothing", peer: "nothing" },
  { name: "Shoptrail", peer: "shoptrail" },
  { name: "Snowplow, as it comes", peer: "snowplow" },
  { name: "Snowplow, `bufferSize` 20", peer: "snowplow", query: "?buffer=20" },
  { name: "Plausible", peer: "plausible" },
  { name: "PostHog", peer: "posthog" },
  { name: "Segment", peer: "segment" },
  { name: "RudderStack", peer: "rudderstack" },
];
const wanted = values.only?.split(",");
const contenders = CONTENDERS.filter(
  ({ peer }) => !wanted || peer === "nothing" || wanted.includes(peer),
);

const packages = await installPackages(new URL(".", import.meta.url));
const bundles = await bundlePeers();
const ownBytes = await bytesByDefault();
let posts = 0;
const loadBefore = load();
const server = await serve();
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
const origin = `http://127.0.0.1:${port}`;
const results = new Map(contenders.map(({ name }) => [name, []]));
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      results.get(contender.name).push(await measure(contender));
    }
  }
} finally {
  server.close();
  server.closeAllConnections();
}
report();

/** Each peer's program, as a shop would bundle it. */
async function bundlePeers() {
  const bundled = new Map();
  for (const peer of new Set(contenders.map((contender) => contender.peer))) {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`peers/${peer}.js`, import.meta.url))],
      nodePaths: [fileURLToPath(packages)],
      define: { "process.env.NODE_ENV": '"production"' },
      bundle: true,
      minify: true,
      format: "iife",
      target: "es2020",
      logLevel: "error",
      write: false,
    });
    bundled.set(peer, outputFiles[0].text);
  }
  return bundled;
}

/** What a page with default settings loads of Shoptrail, with brotli. */
async function bytesByDefault() {
  const files = (await readdir(TRACKER)).filter((file) =>
    /^t(-behaviour-\w+)?\.js$|^t-\w+\.wasm$/.test(file),
  );
  const sizes = files.map(
    async (file) => brotliCompressSync(await readFile(new URL(file, TRACKER))).length,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The shop, and an edge that takes everything. The page is isolated, so that its clock ticks in microseconds. */
async function serve() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const headers = {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    };
    if (request.method === "POST") {
      await request.toArray();
      posts += 1;
      response
        .writeHead(200, { ...headers, "content-type": "application/json" })
        .end(`{"accepted":1,"rejected":0,"events":[]}`);
      return;
    }
    const file = await asset(pathname);
    if (file) response.writeHead(200, { ...headers, "content-type": file.type }).end(file.content);
    else response.writeHead(404, headers).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  return server;
}

async function asset(path) {
  const [, peer] = /^\/page\/(\w+)$/.exec(path) ?? [];
  if (peer) {
    const tag =
      peer === "shoptrail"
        ? `<script>${bundles.get(peer)}</script><script async src="/bench/t.js?key=pk_bench"></script>`
        : `<script async src="/peer/${peer}.js"></script>`;
    const clock = "<script>window.tagMs = performance.now()</script>";
    return {
      type: "text/html",
      content: `<!doctype html><title>Shop</title><p>Shop</p>${clock}${tag}`,
    };
  }
  const [, program] = /^\/peer\/(\w+)\.js$/.exec(path) ?? [];
  if (program) return { type: "text/javascript", content: bundles.get(program) };
  const [, name] = /^\/bench\/(t[\w.-]*)$/.exec(path) ?? [];
  if (name) {
    const type = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    return { type, content: await readFile(new URL(name, TRACKER)) };
  }
  // Segment asks for the settings of its source.
  if (path.endsWith("/settings")) {
    const settings = {
      integrations: {
        "Segment.io": { apiKey: "bench", apiHost: new URL(origin).host + "/v1", protocol: "http" },
      },
      plan: {},
    };
    return { type: "application/json", content: JSON.stringify(settings) };
  }
  // And RudderStack for its own; what it reports of itself is off, as at a shop that hosts it.
  if (path.startsWith("/sourceConfig")) {
    const off = { enabled: false };
    const config = { statsCollection: { errors: off, metrics: off } };
    const source = { id: "bench", name: "bench", workspaceId: "bench", enabled: true, config };
    return {
      type: "application/json",
      content: JSON.stringify({ source: { ...source, destinations: [] } }),
    };
  }
  return undefined;
}

/** One visit in a new browser: nothing is cached, nothing compiled before. */
async function measure({ peer, query = "" }) {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "timeTicks" });
    await session.send("Emulation.setCPUThrottlingRate", { rate: throttle });
    await page.goto(`${origin}/page/${peer}${query}`);
    await page.waitForFunction(() => window.readyMs !== undefined);
    // The page has settled: what it does from here on is for the events.
    await page.waitForTimeout(1500);
    const before = await metrics(session);
    posts = 0;
    const calls = await page.evaluate(callMany, { events, pace: PACE_MS });
    await page.waitForTimeout(2500);
    const after = await metrics(session);
    if (!posts && peer !== "nothing") throw new Error(`${peer} sent nothing`);
    return {
      task: ((after.TaskDuration - before.TaskDuration) * 1e6) / events,
      call: median(calls) * 1000,
      ready: await page.evaluate(() => window.readyMs),
      posts,
    };
  } finally {
    await browser.close();
  }
}

/** Runs in the page: calls the tracker at a pace, and times each call. */
async function callMany({ events, pace }) {
  const calls = [];
  for (let n = 0; n < events; n += 1) {
    const item = {
      currency: "EUR",
      value: 25,
      items: [{ item_id: `mug-${n}`, item_name: "Mug with a handle", price: 12.5, quantity: 2 }],
    };
    const from = performance.now();
    window.send(item);
    calls.push(performance.now() - from);
    await new Promise((resume) => setTimeout(resume, pace));
  }
  return calls;
}

async function metrics(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

/** How much else this machine has to do: processes that want a core, over the last minute. */
function load() {
  return loadavg()[0].toFixed(1);
}

function report() {
  const empty = median(results.get("nothing").map(({ task }) => task));
  console.log(
    `${rounds} rounds of ${events} events, ${PACE_MS} ms apart; Chromium with its processor ${throttle} times slower;\n` +
      `${cpus().length} cores, load ${loadBefore} before and ${load()} after; an empty page's ${empty.toFixed(0)} µs are subtracted\n`,
  );
  console.log(
    "| | main thread, µs an event: median | least | most | call, µs: p50 | ready, ms: median | requests | bytes, brotli |\n|---|---|---|---|---|---|---|---|",
  );
  for (const { name, peer } of contenders.slice(1)) {
    const measured = results.get(name);
    const task = measured.map((one) => one.task - empty);
    const figures = [
      median(task),
      Math.min(...task),
      Math.max(...task),
      median(measured.map(({ call }) => call)),
      median(measured.map(({ ready }) => ready)),
      median(measured.map(({ posts }) => posts)),
      peer === "shoptrail" ? ownBytes : brotliCompressSync(bundles.get(peer)).length,
    ];
    console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(0)).join(" | ")} |`);
  }
}
