// Runs the built Worker in workerd through Miniflare, and makes the batches that tests send to it.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bindings } from "./gateway.mjs";

const BUILD = fileURLToPath(new URL("../build/", import.meta.url));

export const ORIGIN = "https://shop.example";
export const SHOPS = JSON.stringify([
  { write_key: "pk_demo", shop_id: "demo", origins: [ORIGIN] },
  { write_key: "pk_other", shop_id: "other", origins: ["https://other.example"] },
  { write_key: "pk_pixel", shop_id: "demo", origins: [], allow_null_origin: true },
  { write_key: "pk_server", shop_id: "demo", origins: [], allow_missing_origin: true },
]);

/**
 * Starts the Worker. `vars` are added or changed, `cf` is what the platform says of a request, `bindings` of Miniflare's are
 * added; `queue` takes the place of the Cloudflare Queue: it gets the messages' bodies, and throws to refuse them.
 * @param {import("./gateway.mjs").Gateway} gateway
 * @param {{vars?: object, cf?: object, bindings?: object, queue?: (bodies: any[]) => unknown}} options
 */
export async function startWorker(gateway, { vars = {}, cf = {}, queue, ...more } = {}) {
  const log = new Lines(LogLevel.DEBUG);
  const worker = {
    name: "shoptrail-edge",
    compatibilityDate: "2026-04-01",
    modules: [
      {
        type: "ESModule",
        path: `${BUILD}index.js`,
        contents: await readFile(`${BUILD}index.js`, "utf8"),
      },
      {
        type: "CompiledWasm",
        path: `${BUILD}index_bg.wasm`,
        contents: await readFile(`${BUILD}index_bg.wasm`),
      },
    ],
    modulesRoot: BUILD,
    bindings: { SHOPTRAIL_SHOPS: SHOPS, ...bindings(gateway), ...vars },
    ...more.bindings,
  };
  const refusing = {
    name: "queue",
    modules: [{ type: "ESModule", path: "queue.mjs", contents: SCRIPTED_QUEUE }],
    serviceBindings: { TAKE: queue && answering(queue) },
  };
  const miniflare = new Miniflare({
    port: 0,
    host: "127.0.0.1",
    cf,
    log,
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) {
        stream.on("data", (chunk) => log.texts.push(chunk.toString()));
      }
    },
    workers: queue
      ? [{ ...worker, wrappedBindings: { EVENTS: "queue" } }, refusing]
      : [
          {
            ...worker,
            queueProducers: { EVENTS: "shoptrail-events" },
            queueConsumers: {
              "shoptrail-events": { maxBatchSize: 100, maxBatchTimeout: 0.2, maxRetries: 100 },
            },
          },
        ],
  });
  const url = await miniflare.ready;
  return {
    url: new URL(url),
    /** Everything the Worker has logged. */
    logged: () => log.texts.join(""),
    /** Puts messages into the queue past the Worker. */
    enqueue: async (...messages) =>
      (await miniflare.getQueueProducer("EVENTS")).sendBatch(messages),
    stop: () => miniflare.dispose(),
    post: (body, headers = {}) =>
      fetch(new URL("/b", url), {
        method: "POST",
        body: asBody(body),
        headers: { origin: ORIGIN, "content-type": "text/plain", ...headers },
      }),
  };
}

/**
 * What a request takes: anything else is sent as JSON.
 * @returns {any}
 */
function asBody(body) {
  return typeof body === "string" || ArrayBuffer.isView(body) ? body : JSON.stringify(body);
}

const SCRIPTED_QUEUE = `
export default (env) => ({
  async sendBatch(messages) {
    const texts = messages.map((message) => new TextDecoder().decode(message.body));
    const response = await env.TAKE.fetch("http://queue/", {
      method: "POST", body: JSON.stringify(texts),
    });
    if (!response.ok) throw new Error("queue refuses");
  },
});
`;

function answering(queue) {
  return async (request) => {
    try {
      await queue(await request.json());
      return new Response("taken");
    } catch {
      return new Response("refused", { status: 500 });
    }
  };
}

class Lines extends Log {
  texts = [];
  log(message) {
    this.texts.push(`${message}\n`);
  }
}

/** A good event; `number` tells one from another. */
export function event(number = 1, fields = {}) {
  return {
    event_id: `01a205b3-d000-7000-8a00-${String(number).padStart(12, "0")}`,
    event_type: "page_view",
    event_timestamp: 1795392000000,
    seq: number,
    anonymous_id: `visitor-${number}`,
    session_id: "session-1",
    page_url: "https://shop.example/",
    consent: { analytics: "granted", ads: "denied" },
    ...fields,
  };
}

/** A batch of events, objects or JSON texts. */
export function batch(events, fields = {}) {
  const head = {
    write_key: "pk_demo",
    sent_at: 1795392000123,
    tracker: { name: "shoptrail-js", version: "0.1.0" },
    ...fields,
  };
  const texts = events.map((event) => (typeof event === "string" ? event : JSON.stringify(event)));
  return `${JSON.stringify(head).slice(0, -1)},"events":[${texts.join(",")}]}`;
}

/** The record in a Kafka value, without the wire format's five bytes. */
export function record({ value }) {
  return JSON.parse(value.subarray(5).toString("utf8"));
}

/** Waits until `condition` holds, and fails when it does not within the deadline. */
export async function until(what, condition, deadlineMs = 30_000) {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${deadlineMs} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
