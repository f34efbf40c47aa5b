// `wrangler dev`, as a developer of the Worker starts it: together with the tracker's files, by `wrangler.toml`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Gateway, bindings } from "./gateway.mjs";
import { ORIGIN, SHOPS, batch, event, record, until } from "./worker.mjs";

const EDGE = fileURLToPath(new URL("..", import.meta.url));
const WRANGLER = join(
  createRequire(import.meta.url).resolve("wrangler/package.json"),
  "../bin/wrangler.js",
);

let folder;
let gateway;
let wrangler;
let url;

before(async () => {
  gateway = await new Gateway().start();
  folder = await mkdtemp(join(tmpdir(), "shoptrail-edge-"));
  await mkdir(join(folder, "assets"));
  // `b` would shadow the API if files were looked for first.
  for (const [name, content] of [
    ["t.js", "tracker"],
    ["b", "shadow"],
    ["_headers", "/t.js\n  Access-Control-Allow-Origin: *\n"],
  ]) {
    await writeFile(join(folder, "assets", name), content);
  }
  await writeFile(join(folder, "cf.json"), "{}");
  const { SHOPTRAIL_KAFKA_API_KEY, SHOPTRAIL_KAFKA_API_SECRET, ...vars } = bindings(gateway);
  await writeFile(
    join(folder, "secrets.env"),
    `SHOPTRAIL_KAFKA_API_KEY=${SHOPTRAIL_KAFKA_API_KEY}\nSHOPTRAIL_KAFKA_API_SECRET=${SHOPTRAIL_KAFKA_API_SECRET}\n`,
  );
  await start({ ...vars, SHOPTRAIL_SHOPS: SHOPS });
});
after(async () => {
  if (wrangler?.exitCode === null) {
    const ended = new Promise((resolve) => wrangler.once("exit", resolve));
    wrangler.kill("SIGTERM");
    await ended;
  }
  await gateway.stop();
  await rm(folder, { recursive: true });
});

async function start(vars) {
  const options = [
    "--ip",
    "127.0.0.1",
    "--port",
    "0",
    "--inspector-port",
    "0",
    "--local",
    "--show-interactive-dev-session=false",
  ];
  const paths = [
    "--persist-to",
    join(folder, "state"),
    "--assets",
    join(folder, "assets"),
    "--env-file",
    join(folder, "secrets.env"),
  ];
  const values = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  wrangler = spawn(process.execPath, [WRANGLER, "dev", ...options, ...paths, ...values], {
    cwd: EDGE,
    env: {
      ...process.env,
      SHOPTRAIL_WORKER_BUILT: "1",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_LOG_PATH: join(folder, "logs"),
      WRANGLER_REGISTRY_PATH: join(folder, "registry"),
      CLOUDFLARE_CF_FETCH_PATH: join(folder, "cf.json"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [wrangler.stdout, wrangler.stderr]) {
    stream.on("data", (chunk) => (output += chunk));
  }
  const ready = () => {
    assert.equal(wrangler.exitCode, null, output);
    return (url = /Ready on (http:\S+)/.exec(output)?.[1]);
  };
  await until("wrangler dev is ready", ready, 120_000);
}

test("batch_reaches_kafka_with_no_invented_place", async () => {
  const response = await fetch(`${url}/b`, {
    method: "POST",
    body: batch([event(1)]),
    headers: { origin: ORIGIN },
  });
  assert.equal(response.status, 202);
  await until("the event in Kafka", () => gateway.events.length === 1);
  const { edge } = record(gateway.events[0]);
  assert.deepEqual([edge.shop_id, edge.country, edge.city], ["demo", undefined, undefined]);
});

test("trackers_files_are_served_and_shadow_nothing", async () => {
  const file = await fetch(`${url}/t.js`);
  assert.deepEqual([file.status, await file.text()], [200, "tracker"]);
  assert.equal(file.headers.get("access-control-allow-origin"), "*");
  assert.equal((await fetch(`${url}/b`)).status, 405);
  assert.equal((await (await fetch(`${url}/health`)).json()).status, "ok");
});
