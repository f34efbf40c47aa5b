// Measures landing and building beside DuckDB and PySpark, which make seven of the tables from the same records: CPU time and
// peak memory of a rebuild, of landing, and of an increment by the newest records. `cargo xtask bench transform` runs it.
//
//   node bench/transform/run.mjs [--events 1000000] [--days 14] [--newest 10000] [--peers duckdb,spark] [--keep]

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startKafka } from "./broker.mjs";
import { measure, run } from "./command.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const OUT = join(ROOT, "target/bench/transform");
const SHOPTRAIL = join(ROOT, "target/release/shoptrail");
const PYTHON = join(OUT, "venv/bin/python");
const TOPIC = "clickstream_event_v3";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    days: { type: "string", default: "14" },
    newest: { type: "string", default: "10000" },
    peers: { type: "string", default: "duckdb,spark" },
    keep: { type: "boolean", default: false },
  },
});
const events = Number(values.events);
const newest = Number(values.newest);
const peers = values.peers.split(",").filter(Boolean);
const world = join(OUT, `world-${values.events}-${values.days}`);
/** The records as they are drawn, and as an edge writes them that derives what one event tells. */
const drawn = join(world, "drawn");
const records = join(world, "records");
const lake = join(world, "lake");

await install();
await run("cargo", ["build", "--release", "--package", "shoptrail-backend", "--bin", "shoptrail"]);
await rm(world, { recursive: true, force: true });
await run(PYTHON, [join(HERE, "generate.py"), drawn, values.events, values.days]);
console.log(`${events} records of ${values.days} days; load ${load()} before`);

const ours = await measureOurs();
const others = [];
for (const peer of peers) others.push([peer, await measurePeer(peer)]);
console.log(`load ${load()} after`);
report();
if (!values.keep) await rm(world, { recursive: true });

/** What the peers need beside Python, from its registry, once for these versions. */
async function install() {
  const wanted = await readFile(join(HERE, "requirements.txt"), "utf8");
  const stamp = join(OUT, "venv/requirements.txt");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await mkdir(OUT, { recursive: true });
  await run("python3", ["-m", "venv", "--clear", join(OUT, "venv")]);
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "setuptools==80.9.0"];
  await run(PYTHON, [...pip, "-r", join(HERE, "requirements.txt")]);
  await writeFile(stamp, wanted);
}

/** All but the newest records, then those, then everything again. */
async function measureOurs() {
  const kafka = await startKafka(join(world, "kafka"), join(ROOT, "target/tools/kafka/lib"));
  try {
    const underived = await deriveRecords(kafka.servers);
    const produce = (from, to) => send(kafka.servers, TOPIC, records, from, to);
    const land = () => landTopic(kafka.servers, TOPIC, lake);
    await produce(0, events - newest);
    const costs = { "landing, all but the newest": await land() };
    costs["the first build"] = await shoptrail(lake, "build");
    await produce(events - newest, events);
    costs["landing the newest"] = await land();
    costs["building the newest"] = await shoptrail(lake, "build");
    costs["a rebuild"] = await shoptrail(lake, "build", "--rebuild");
    return { ...costs, "landing all, of an edge that derives nothing": underived };
  } finally {
    await kafka.stop();
  }
}

/**
 * Lands the records as they are drawn, which cleans them and derives what one event tells as the edge does, and takes them
 * from there. Resolves to what that landing cost.
 *
 * @param {string} servers
 */
async function deriveRecords(servers) {
  const topic = `${TOPIC}_underived`;
  const cleaned = join(world, "underived");
  await send(servers, topic, drawn, 0, events);
  const cost = await landTopic(servers, topic, cleaned);
  const count = Number(await run(PYTHON, [join(HERE, "understood.py"), cleaned, records]));
  if (count !== events) throw new Error(`${count} of ${events} records landed as events`);
  await rm(cleaned, { recursive: true });
  return cost;
}

function send(servers, topic, from, first, end) {
  return run(PYTHON, [join(HERE, "produce.py"), servers, topic, from, first, end].map(String));
}

function landTopic(servers, topic, into) {
  return shoptrail(into, "land", "--once", "--bootstrap-servers", servers, "--topic", topic);
}

async function shoptrail(into, command, ...args) {
  const fixed = ["--warehouse", `lake:${into}`, "--log", "warn"];
  return (await measure(PYTHON, [SHOPTRAIL, command, ...fixed, ...args])).cost;
}

async function measurePeer(peer) {
  const script = join(HERE, `peer_${peer}.py`);
  const { printed, cost } = await measure(PYTHON, [PYTHON, script, records, join(world, peer)]);
  const found = Number(printed.split("\n").pop());
  const expected = await countSilverEvents();
  if (found !== expected) throw new Error(`${peer} has ${found} events, Shoptrail ${expected}`);
  return cost;
}

/** Rows of `silver_events`, of which the peers must have as many. */
async function countSilverEvents() {
  const count = "import sys, deltalake; print(deltalake.DeltaTable(sys.argv[1]).count())";
  return Number(await run(PYTHON, ["-c", count, join(world, "lake/silver_events")]));
}

function report() {
  const rebuild = ours["a rebuild"].cpu_s;
  console.log(
    "\n| | CPU s | CPU µs an event | wall s | peak MiB | CPU × a rebuild |\n|---|---|---|---|---|---|",
  );
  for (const [name, { cpu_s, wall_s, peak_mib }] of [...Object.entries(ours), ...others]) {
    const each =
      (cpu_s * 1e6) / (name.includes("newest") && !name.includes("but") ? newest : events);
    const columns = [cpu_s.toFixed(2), each.toFixed(1), wall_s.toFixed(1), peak_mib.toFixed(0)];
    console.log(`| ${name} | ${columns.join(" | ")} | ${(cpu_s / rebuild).toFixed(3)} |`);
  }
}

function load() {
  return loadavg()[0]?.toFixed(1);
}
