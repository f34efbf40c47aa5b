// Runs the built Worker in workerd for the local stack, by `wrangler.toml` and without wrangler's development server: no
// inspector, none of its own paths and headers, and a queue that keeps its messages on disk.
//
// Only argument: a file of settings, readable by its owner alone as it holds secrets:
// {config, state, port, refusals: url, variables: {name: text}, queues: {url, token}}.

import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare, Response } from "miniflare";
import { DELIVERY, PLUGIN } from "./queues.mjs";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const LOOPBACK = "127.0.0.1";
/** Those of our own Workers beside the product's. */
const COMPATIBILITY_DATE = "2026-04-01";

const settings = JSON.parse(await readFile(process.argv[2], "utf8"));
const config = unstable_readConfig({ config: settings.config });

/** The product's Worker, with the bindings of `wrangler.toml`; its queues are those of the local stack. */
function product() {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config);
  const { queueProducers, queueConsumers, ...options } = workerOptions;
  return {
    ...options,
    name: config.name,
    modules: true,
    scriptPath: main,
    modulesRoot: dirname(main),
    bindings: { ...options.bindings, ...settings.variables },
    unsafeBindings: config.queues.producers.map(({ binding, queue }) => ({
      name: binding,
      type: "queue",
      plugin: { name: PLUGIN, package: here("queues.mjs") },
      options: { queue, worker: config.name, ...settings.queues },
    })),
    unsafeDirectSockets: [
      { host: LOOPBACK, port: 0, serviceName: DELIVERY.service, entrypoint: DELIVERY.entrypoint },
    ],
  };
}

/** Stands between the port and the Worker: what Cloudflare sets, no client may set. */
function front() {
  return {
    name: "front",
    modules: true,
    scriptPath: here("front.worker.mjs"),
    modulesRoot: here("."),
    compatibilityDate: COMPATIBILITY_DATE,
    serviceBindings: { WORKER: config.name, REFUSALS: (told) => tell(told) },
    unsafeDirectSockets: [{ host: LOOPBACK, port: settings.port }],
  };
}

/** Passes on what the front tells of a request that was turned away. */
async function tell(told) {
  const { status } = await fetch(settings.refusals, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await told.text(),
  });
  return new Response(null, { status });
}

/** Tells the queues who takes their messages, and how, as `wrangler deploy` tells Cloudflare. */
async function subscribe(deliverTo) {
  for (const consumer of config.queues.consumers) {
    const response = await fetch(`${settings.queues.url}/consumers/${consumer.queue}`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${settings.queues.token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ ...consumer, deliver_to: deliverTo }),
    });
    if (!response.ok) {
      throw new Error(
        `the queue \`${consumer.queue}\` takes no consumer: ${response.status} ${await response.text()}`,
      );
    }
  }
}

const miniflare = new Miniflare({
  host: LOOPBACK,
  port: 0,
  // Where Cloudflare would say where a visitor is: nobody knows that here.
  cf: false,
  log: new Log(LogLevel.WARN),
  logRequests: false,
  defaultPersistRoot: settings.state,
  workers: [product(), front()],
});
await miniflare.ready;
await subscribe(String(await miniflare.unsafeGetDirectURL(config.name, DELIVERY.entrypoint)));
console.log(`edge ready on ${await miniflare.unsafeGetDirectURL("front")}`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await miniflare.dispose();
    process.exit(0);
  });
}
