// Measures what a batch of 20 events costs the edge in workerd, against a TypeScript Worker with a validator that Ajv compiled
// and against what the platform alone costs: CPU time of collecting, and of collecting and consuming together, in alternating
// rounds; and how long a new isolate takes to its first reply. `cargo xtask bench edge` runs it.
//
//   node bench/edge/run.mjs [--rounds 6] [--batches 2000] [--starts 12] [--warm-up 1500]

import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { GOOD, ONE_WRONG, post } from "./batch.mjs";
import { startKafka, startQueue } from "./servers.mjs";
import { measureStarts } from "./starts.mjs";
import { startWorkerd } from "./workerd.mjs";
import { rust, settings, typescript } from "./workers.mjs";

const EVENTS = 20; // of a batch
const MESSAGES = 100; // of a batch of the queue, as in wrangler.toml
const CONCURRENCY = 4;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "6" },
    batches: { type: "string", default: "2000" },
    starts: { type: "string", default: "12" },
    // V8 optimizes in the background for about a thousand batches.
    "warm-up": { type: "string", default: "1500" },
  },
});
const rounds = Number(values.rounds);
const batches = Number(values.batches);
const warmUp = Number(values["warm-up"]);
if (batches % MESSAGES !== 0 || warmUp % MESSAGES !== 0) {
  throw new Error(`--batches and --warm-up are multiples of ${MESSAGES}`);
}

const [worker, peer] = [await rust(), await typescript()];
const ours = { name: "this Worker", module: worker };
const theirs = { name: "TypeScript, Ajv", module: peer, vars: { WORK: "ajv" } };
const floor = { name: "the body read and queued", module: peer, vars: { WORK: "queue" } };
const collecting = [
  ours,
  theirs,
  { ...ours, name: "this Worker, one wrong event", body: ONE_WRONG },
  { ...theirs, name: "TypeScript, Ajv, one wrong event", body: ONE_WRONG },
  { name: "TypeScript, no validation", module: peer, vars: { WORK: "no_validation" } },
  floor,
  { name: "the body read", module: peer, vars: { WORK: "read" } },
];
const consuming = [ours, theirs, { ...floor, name: "the body read, queued and acknowledged" }];

console.log(
  `${rounds} rounds of ${batches} batches with ${EVENTS} events, ${Buffer.byteLength(GOOD)} bytes each; load ${load()} before`,
);
const collected = await measureAll(collecting, collect);
const consumed = await measureAll(consuming, collectAndConsume);
const starts = await measureStarts([ours, theirs, floor], Number(values.starts));
console.log(`load ${load()} after`);
report("collecting, CPU µs a batch", collecting, collected);
report("collecting and consuming, CPU µs a batch", consuming, consumed);
report("a new isolate, ms to the first reply", [ours, theirs, floor], starts.map(column(0)));
report("the same isolate, ms to the third reply", [ours, theirs, floor], starts.map(column(1)));

async function measureAll(contenders, measure) {
  const results = contenders.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [place, contender] of contenders.entries()) {
      results[place].push(await measure(contender));
    }
  }
  return results;
}

async function collect(contender) {
  const queue = await startQueue();
  return measured(contender, [queue], async ({ url, cpu }) => {
    await postMany(url, contender.body, warmUp);
    const from = await cpu();
    await postMany(url, contender.body, batches);
    return ((await cpu()) - from) / batches;
  });
}

/** The consumer gets a hundred messages at a time, beside the posting, and the last before the figure is taken. */
async function collectAndConsume(contender) {
  let worker;
  const consumed = [];
  const queue = await startQueue(MESSAGES, (messages) => {
    consumed.push(consume(worker.broker, messages));
  });
  const kafka = await startKafka();
  return measured(contender, [queue, kafka], async (started) => {
    worker = started;
    await postMany(worker.url, contender.body, warmUp);
    await Promise.all(consumed);
    const from = await worker.cpu();
    await postMany(worker.url, contender.body, batches);
    await Promise.all(consumed);
    const cost = ((await worker.cpu()) - from) / batches;
    const records = contender.vars?.WORK === "queue" ? 0 : (warmUp + batches) * EVENTS;
    if (kafka.count() !== records) throw new Error(`${kafka.count()} records of ${records}`);
    return cost;
  });
}

async function consume(broker, messages) {
  const response = await fetch(broker, { method: "POST", body: JSON.stringify(messages) });
  const { isDone } = await response.json();
  if (!isDone) throw new Error("messages come again");
}

async function measured({ module, vars = {} }, servers, use) {
  const [queue, kafka] = servers.map(({ origin }) => origin);
  const worker = { module, vars: { ...settings(kafka), ...vars } };
  const started = await startWorkerd(worker, new URL(queue).host);
  try {
    return await use(started);
  } finally {
    await started.stop();
    await Promise.all(servers.map((server) => server.close()));
  }
}

async function postMany(url, body = GOOD, count) {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await post(url, body);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

function column(place) {
  return (rows) => rows.map((row) => row[place]);
}

function load() {
  return loadavg()[0].toFixed(1);
}

/** A table: medians, the range, and how often the TypeScript Worker's median. */
function report(what, contenders, results) {
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const peers = median(results[contenders.indexOf(theirs)]);
  console.log(`\n| ${what} | median | least | most | × TypeScript |\n|---|---|---|---|---|`);
  for (const [place, { name }] of contenders.entries()) {
    const measured = results[place];
    const figures = [median(measured), Math.min(...measured), Math.max(...measured)];
    const ratio = (median(measured) / peers).toFixed(2);
    const cells = figures.map((figure) => figure.toFixed(figure < 100 ? 1 : 0));
    console.log(`| ${[name, ...cells, ratio].join(" | ")} |`);
  }
}
