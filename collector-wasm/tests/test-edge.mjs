// A stand-in for the edge in the tracker's tests: serves the tracker as built, takes batches as the real one does, and
// remembers them. It judges nothing: what it answers is what a test says.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ASSETS = fileURLToPath(new URL("../../target/tracker", import.meta.url));

const TYPES = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html; charset=utf-8",
};

/** Starts a server on a free port of the loopback. Resolves to `{origin, close}`. */
export async function serve(answer) {
  const server = createServer(answer);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () =>
    new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

/** The edge. Its answers are set by `reply` (`{status, headers}`, or `away: true` for none at all). */
export class TestEdge {
  /** What came in by `POST /b`: `{body, headers, at}`. */
  requests = [];
  /** The requests that were answered with 202 or 207. */
  taken = [];
  reply = { status: 202 };

  static async start() {
    const edge = new TestEdge();
    Object.assign(edge, await serve((request, response) => edge.#answer(request, response)));
    return edge;
  }

  /** The batches the edge took. */
  get batches() {
    return this.taken.map(({ body }) => JSON.parse(body));
  }

  /** The events the edge took, in the order they came. */
  get events() {
    return this.batches.flatMap(({ events }) => events);
  }

  /** Those of one type. */
  eventsOf(type) {
    return this.events.filter(({ event_type }) => event_type === type);
  }

  async #answer(request, response) {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path !== "/b") return this.#asset(path, response);
    if (this.reply.away) return request.socket.destroy();
    const chunks = await request.toArray();
    const received = {
      body: Buffer.concat(chunks).toString(),
      headers: request.headers,
      method: request.method,
      at: Date.now(),
    };
    this.requests.push(received);
    const { status, headers = {} } = this.reply;
    if (status === 202 || status === 207) this.taken.push(received);
    response
      .writeHead(status, {
        "access-control-allow-origin": request.headers.origin ?? "*",
        "access-control-expose-headers": "Retry-After",
        "content-type": "application/json",
        ...headers,
      })
      .end(JSON.stringify({ status }));
  }

  async #asset(path, response) {
    const headers = {
      "access-control-allow-origin": "*",
      "content-type": TYPES[extname(path)] ?? "text/plain",
    };
    try {
      const file = await readFile(join(ASSETS, basename(path)));
      response.writeHead(200, headers).end(file);
    } catch {
      response.writeHead(404, headers).end();
    }
  }
}

/** Waits until `condition` gives something true, and returns it. */
export async function until(what, condition, milliseconds = 15_000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
}
