// A plugin of Miniflare that binds a Worker's queues to those of the local stack. Miniflare's own keep messages in memory.
//
// A queue's binding is workerd's own: it posts to the service named here what it would post to Cloudflare's. Messages come
// back by `delivery.worker.mjs`, whose service is made here too: Miniflare would put its file server between a Worker with
// files and any other Worker that is bound to it, and that server takes no queue messages.

import { readFile } from "node:fs/promises";

/** Name of this plugin, and the type of its bindings. */
export const PLUGIN = "shoptrail-queues";
/** The service that brings messages, as Miniflare's sockets name it. */
export const DELIVERY = { service: "delivery", entrypoint: "Delivery" };

const queueService = (queue) => `${PLUGIN}:${queue}`;
const workerService = (worker) => `core:user:${worker}`;

const queues = {
  getBindings: (bindings = []) =>
    bindings.map(({ name, options }) => ({ name, queue: { name: queueService(options.queue) } })),
  getNodeBindings: () => ({}),
  getServices: async ({ options: bindings = [] }) =>
    bindings.length === 0 ? [] : [...bindings.map(queue), await delivery(bindings[0].options)],
};

function queue({ options: { queue, url, token } }) {
  const headers = { authorization: `Bearer ${token}`, "x-queue": queue };
  const injectRequestHeaders = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return {
    name: queueService(queue),
    external: { address: new URL(url).host, http: { injectRequestHeaders } },
  };
}

async function delivery({ worker, token }) {
  const file = new URL("delivery.worker.mjs", import.meta.url);
  return {
    name: workerService(DELIVERY.service),
    worker: {
      compatibilityDate: "2026-04-01",
      compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers"],
      modules: [{ name: "delivery.worker.mjs", esModule: await readFile(file, "utf8") }],
      bindings: [
        { name: "WORKER", service: { name: workerService(worker) } },
        { name: "TOKEN", text: token },
      ],
    },
  };
}

export const plugins = { [PLUGIN]: queues };
