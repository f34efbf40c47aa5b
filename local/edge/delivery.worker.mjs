// Brings messages of the local queue to the Worker's queue handler, and answers what became of them.

import { Buffer } from "node:buffer";
import { WorkerEntrypoint } from "cloudflare:workers";

export class Delivery extends WorkerEntrypoint {
  async fetch(request) {
    const { WORKER, TOKEN } = this.env;
    if (request.headers.get("authorization") !== `Bearer ${TOKEN}`) {
      return new Response("unauthorized\n", { status: 401 });
    }
    const { queue, messages } = await request.json();
    return Response.json(await WORKER.queue(queue, messages.map(opened)));
  }
}

/** A message with the body that its producer sent. */
function opened({ id, timestamp, attempts, format, body }) {
  const bytes = Buffer.from(body, "base64");
  const message = { id, timestamp: new Date(timestamp), attempts };
  switch (format) {
    case "text":
      return { ...message, body: bytes.toString("utf8") };
    case "json":
      return { ...message, body: JSON.parse(bytes.toString("utf8")) };
    case "bytes":
      return { ...message, body: bytes };
    default:
      // workerd's own format, which it opens itself.
      return { ...message, serializedBody: bytes };
  }
}
