// The local stack's host of the Worker, `local/edge/`: by `wrangler.toml`, with nothing of a development server around it,
// and with queues that are served elsewhere.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listen } from "../../tests/loopback.mjs";
import { Gateway, bindings } from "./gateway.mjs";
import { ORIGIN, SHOPS, batch, event, record, until } from "./worker.mjs";

const HOST = fileURLToPath(new URL("../../local/edge/host.mjs", import.meta.url));
const CONFIG = fileURLToPath(new URL("../wrangler.toml", import.meta.url));
const TOKEN = "test-token";

let folder;
let gateway;
let host;
let output = "";
let url;

/** The queues that `local/src/queue.rs` serves in a stack; here they keep nothing. */
const queues = {
  consumers: {},
  /** Messages as workerd sent them. */
  sent: [],
  refuses: false,
};
const server = createServer(async (request, response) => {
  assert.equal(request.headers.authorization, `Bearer ${TOKEN}`);
  const body = await request.toArray();
  const json = JSON.parse(Buffer.concat(body).toString("utf8"));
  const consumer = /^\/consumers\/(.+)$/.exec(request.url)?.[1];
  if (consumer) {
    queues.consumers[consumer] = json;
  } else if (queues.refuses) {
    response.statusCode = 503;
  } else {
    queues.sent.push(
      ...json.messages.map((message) => ({ ...message, queue: request.headers["x-queue"] })),
    );
  }
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } },
    }),
  );
});

before(async () => {
  gateway = await new Gateway().start();
  const port = await listen(server);
  folder = await mkdtemp(join(tmpdir(), "shoptrail-host-"));
  const settings = {
    config: CONFIG,
    state: folder,
    port: 0,
    variables: { ...bindings(gateway), SHOPTRAIL_SHOPS: SHOPS },
    queues: { url: `http://127.0.0.1:${port}`, token: TOKEN },
  };
  const file = join(folder, "settings.json");
  await writeFile(file, JSON.stringify(settings));
  host = spawn(process.execPath, [HOST, file], {
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: join(folder, "logs"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [host.stdout, host.stderr]) {
    stream.on("data", (chunk) => (output += chunk));
  }
  const ready = () => {
    assert.equal(host.exitCode, null, output);
    return (url = /edge ready on (http:\S+)\//.exec(output)?.[1]);
  };
  await until("the host is ready", ready, 120_000);
});

after(async () => {
  if (host?.exitCode === null) {
    const ended = new Promise((resolve) => host.once("exit", resolve));
    host.kill("SIGTERM");
    await ended;
  }
  server.close();
  await gateway.stop();
  await rm(folder, { recursive: true });
});

const post = (headers = {}) =>
  fetch(`${url}/b`, {
    method: "POST",
    body: batch([event(1)]),
    headers: { origin: ORIGIN, ...headers },
  });

/** Brings messages to the Worker as the local queue does. */
async function deliver(messages, token = TOKEN) {
  const { deliver_to } = queues.consumers["shoptrail-events"];
  const brought = messages.map(({ body, contentType = "v8" }, index) => ({
    id: `message-${index}`,
    timestamp: Date.now(),
    attempts: 1,
    format: contentType,
    body,
  }));
  return fetch(deliver_to, {
    method: "POST",
    body: JSON.stringify({ queue: "shoptrail-events", messages: brought }),
    headers: { authorization: `Bearer ${token}` },
  });
}

test("queue_gets_its_consumer_as_wrangler_toml_has_it", () => {
  const { deliver_to, ...consumer } = queues.consumers["shoptrail-events"];
  assert.match(deliver_to, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal(consumer.max_batch_size, 100);
  assert.equal(consumer.dead_letter_queue, "shoptrail-events-undelivered");
});

test("event_goes_to_the_queue_and_from_there_to_kafka_whatever_headers_its_client_made_up", async () => {
  const forged = {
    "MF-CF-Blob": JSON.stringify({ country: "XX" }),
    "CF-IPCountry": "XX",
    "MF-Route-Override": "front",
  };
  assert.equal((await post(forged)).status, 202);
  assert.equal(queues.sent.at(-1).queue, "shoptrail-events");
  const result = await (await deliver(queues.sent.splice(0))).json();
  assert.deepEqual([result.outcome, result.retryMessages], ["ok", []]);
  const { edge } = record(gateway.events.at(-1));
  assert.deepEqual([edge.shop_id, edge.country], ["demo", undefined]);
});

test("simulated_shopper_is_where_it_says_and_nowhere_when_that_is_no_country", async () => {
  for (const [said, country] of [
    ["SE", "SE"],
    ["Sweden", undefined],
  ]) {
    assert.equal((await post({ "Simulated-Country": said })).status, 202);
    await deliver(queues.sent.splice(0));
    assert.equal(record(gateway.events.at(-1)).edge.country, country, said);
  }
});

test("queue_that_keeps_nothing_and_a_broker_that_is_away_make_the_edge_say_503", async () => {
  queues.refuses = true;
  await gateway.stop();
  assert.equal((await post()).status, 503);
  queues.refuses = false;
  await gateway.start();
  assert.equal((await post()).status, 202);
  queues.sent = [];
});

test("only_the_queue_may_bring_messages", async () => {
  assert.equal((await deliver([], "another")).status, 401);
});

test("paths_of_the_platform_and_of_development_servers_are_not_there", async () => {
  for (const path of [
    "cdn-cgi/explorer",
    "cdn-cgi/handler/scheduled",
    "cdn-cgi/mf/reload",
    "cdn-cgi/platform-proxy",
  ]) {
    assert.equal((await fetch(`${url}/${path}`)).status, 404, path);
  }
});

test("trackers_files_are_served", async () => {
  const file = await fetch(`${url}/t.js`);
  assert.deepEqual([file.status, file.headers.get("access-control-allow-origin")], [200, "*"]);
  assert.equal((await fetch(`${url}/b`)).status, 405);
  assert.equal((await fetch(`${url}/health`)).status, 200);
});
