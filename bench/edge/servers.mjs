// The servers beside a measured Worker: a queue that gathers messages, and Confluent's REST Produce v3 that reports each record.

import { createServer } from "node:http";
import { close, listen } from "../../tests/loopback.mjs";

const REPORT = `${JSON.stringify({
  error_code: 200,
  cluster_id: "lkc-bench",
  topic_name: "clickstream_event_v3",
  partition_id: 0,
  offset: 1,
  timestamp: "2026-11-23T00:00:00Z",
  key: { type: "BINARY", size: 29 },
  value: { type: "BINARY", size: 1000 },
})}\n`;

const TAKEN = JSON.stringify({
  metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } },
});

/** Takes what `sendBatch` posts, and gives every `size` messages to `take`, if there is one. */
export function startQueue(size, take) {
  const messages = [];
  return serve(async (request, response) => {
    const body = await text(request);
    if (take) messages.push(...JSON.parse(body).messages);
    response.end(TAKEN);
    if (messages.length >= size) take(messages.splice(0, size));
  });
}

/** Reports each record of a call at its end; `count` says how many have come. */
export async function startKafka() {
  let records = 0;
  const server = await serve(async (request, response) => {
    const came = (await text(request)).split('"value":{').length - 1;
    records += came;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(REPORT.repeat(came));
  });
  return { ...server, count: () => records };
}

/** Connections stay: one that goes while workerd uses it again would be a failure. */
async function serve(listener) {
  const server = createServer({ keepAliveTimeout: 600_000 }, listener);
  const port = await listen(server);
  return { origin: `http://127.0.0.1:${port}`, close: () => close(server) };
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}
