// Measures what a batch of 20 events costs the edge: CPU time of workerd for each batch that goes to a queue, with all events
// good and with one wrong, against a TypeScript Worker with a validator that Ajv compiled, and against what the platform alone
// costs, in alternating rounds. `cargo xtask bench edge` runs it.
//
//   node bench/edge/run.mjs [--rounds 6] [--batches 2000]

import { readFile, readdir, writeFile, mkdir } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { Log, LogLevel, Miniflare } from "miniflare";

const ROOT = new URL("../../", import.meta.url);
const OUT = new URL("target/bench/edge/", ROOT);
const ORIGIN = "https://shop.example";
const TICKS_PER_SECOND = 100; // USER_HZ on Linux
const CONCURRENCY = 4;
const WARM_UP = 300;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "6" },
    batches: { type: "string", default: "2000" },
  },
});
const rounds = Number(values.rounds);
const batches = Number(values.batches);

const good = batch(20);
const oneWrong = good.replace('"event_type":"view_item"', '"event_type":"nope"');
const [worker, peer] = [await rust(), await typescript()];
const contenders = [
  { name: "this Worker", module: worker },
  { name: "this Worker, one wrong event", module: worker, body: oneWrong },
  { name: "TypeScript, Ajv", module: peer, vars: { WORK: "ajv" } },
  { name: "TypeScript, Ajv, one wrong event", module: peer, vars: { WORK: "ajv" }, body: oneWrong },
  { name: "TypeScript, no validation", module: peer, vars: { WORK: "no_validation" } },
  { name: "the body read and queued", module: peer, vars: { WORK: "queue" } },
  { name: "the body read", module: peer, vars: { WORK: "read" } },
];
const results = new Map(contenders.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const contender of contenders) {
    results.get(contender.name).push(await measure(contender));
  }
}
report();

async function rust() {
  const folder = new URL("edge-worker/build/", ROOT);
  const read = (name) => readFile(new URL(name, folder));
  return [
    { type: "ESModule", path: "index.js", contents: (await read("index.js")).toString() },
    { type: "CompiledWasm", path: "index_bg.wasm", contents: await read("index_bg.wasm") },
  ];
}

async function typescript() {
  await mkdir(OUT, { recursive: true });
  const schema = JSON.parse(
    await readFile(new URL("schemas/json/event.schema.json", ROOT), "utf8"),
  );
  const ajv = new Ajv({
    code: { source: true, esm: true, optimize: 2 },
    strict: false,
    validateFormats: false,
    logger: false,
  });
  const code = standalone.default(ajv, ajv.compile(schema));
  await writeFile(new URL("validate.generated.mjs", OUT), code);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("peer.ts", import.meta.url))],
    alias: { "event-validator": fileURLToPath(new URL("validate.generated.mjs", OUT)) },
    nodePaths: [fileURLToPath(new URL("node_modules", ROOT))],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return [{ type: "ESModule", path: "peer.mjs", contents: outputFiles[0].text }];
}

async function measure({ module, vars = {}, body = good }) {
  const before = new Set(await workerds());
  const started = performance.now();
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    log: new Log(LogLevel.NONE),
    compatibilityDate: "2026-04-01",
    modules: module,
    modulesRoot: "/",
    cf: { country: "DE", city: "Berlin" },
    queueProducers: { EVENTS: "bench" },
    analyticsEngineDatasets: { METRICS: { dataset: "bench" } },
    bindings: {
      SHOPTRAIL_SHOPS: JSON.stringify([
        { write_key: "pk_demo", shop_id: "demo", origins: [ORIGIN] },
      ]),
      SHOPTRAIL_KAFKA_REST_URL: "http://127.0.0.1:9/kafka",
      SHOPTRAIL_KAFKA_CLUSTER_ID: "lkc-bench",
      SHOPTRAIL_SCHEMA_ID: "1",
      SHOPTRAIL_KAFKA_API_KEY: "key",
      SHOPTRAIL_KAFKA_API_SECRET: "secret",
      ...vars,
    },
  });
  try {
    const url = new URL("/b", await miniflare.ready);
    await post(url, body);
    const startMs = performance.now() - started;
    await postMany(url, body, WARM_UP);
    const pid = (await workerds()).find((found) => !before.has(found));
    const from = cpuMicroseconds(pid);
    await postMany(url, body, batches);
    return { cpu: (cpuMicroseconds(pid) - from) / batches, startMs };
  } finally {
    await miniflare.dispose();
  }
}

/** The workerd processes that this one has started. */
async function workerds() {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(
        readFileSync(`/proc/${pid}/stat`, "utf8"),
      );
      return name === "workerd" && Number(parent) === process.pid;
    } catch {
      return false; // It has ended.
    }
  });
}

function cpuMicroseconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const [user, system] = [fields[11], fields[12]].map(Number);
  return ((user + system) / TICKS_PER_SECOND) * 1e6;
}

async function postMany(url, body, count) {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await post(url, body);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

async function post(url, body) {
  const headers = {
    origin: ORIGIN,
    "content-type": "text/plain",
    "accept-language": "de",
    "sec-fetch-site": "same-site",
    "user-agent":
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  };
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  const expected = body === good ? 202 : 207;
  if (response.status !== expected) throw new Error(`${response.status}: ${text}`);
}

/** A visit: views of products, a cart, an order. */
function batch(count) {
  const now = Date.now();
  const time = now.toString(16).padStart(12, "0");
  const events = Array.from({ length: count }, (_, index) => ({
    event_id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8a00-${String(index).padStart(12, "0")}`,
    event_type: ["view_item", "add_to_cart", "view_item", "begin_checkout", "purchase"][index % 5],
    event_timestamp: now,
    seq: index + 1,
    anonymous_id: "0192f3a4-visitor-of-the-bench",
    session_id: "0192f3a4-session-of-the-bench",
    page_url: `https://shop.example/products/mug-${index}?utm_source=newsletter&utm_medium=email&utm_campaign=autumn`,
    page_title: "Mug with a handle – Shop",
    referrer_url: "https://www.google.com/",
    currency: "EUR",
    value: 25,
    ...(index % 5 === 4 ? { transaction_id: `T-${index}` } : {}),
    items: [
      {
        item_id: `mug-${index}`,
        item_name: "Mug with a handle",
        item_brand: "Potter",
        item_category: "Kitchen",
        price: 12.5,
        quantity: 2,
      },
    ],
    consent: { analytics: "granted", ads: "denied" },
  }));
  const context = {
    language: "de-DE",
    time_zone: "Europe/Berlin",
    screen_width: 1920,
    screen_height: 1080,
  };
  return JSON.stringify({
    write_key: "pk_demo",
    sent_at: now,
    tracker: { name: "shoptrail-js", version: "0.1.0" },
    context,
    events,
  });
}

function report() {
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  console.log(
    `${rounds} rounds of ${batches} batches with 20 events, ${Buffer.byteLength(good)} bytes each`,
  );
  console.log(
    "| | CPU µs a batch: median | least | most | first reply ms: median |\n|---|---|---|---|---|",
  );
  for (const [name, measured] of results) {
    const cpu = measured.map((one) => one.cpu);
    const figures = [
      median(cpu),
      Math.min(...cpu),
      Math.max(...cpu),
      median(measured.map((one) => one.startMs)),
    ];
    console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(0)).join(" | ")} |`);
  }
}
