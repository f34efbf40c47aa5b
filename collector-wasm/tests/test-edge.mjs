// A stand-in for the edge in the tracker's tests: serves the tracker as built, judges batches by the contract's JSON
// Schema as the real one does by the contract's code, and remembers them. A test can say what it answers instead.

import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { Ajv } from "ajv";

import { serve } from "../../tests/loopback.mjs";

export const ASSETS = fileURLToPath(new URL("../../target/tracker", import.meta.url));

const TYPES = {
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html; charset=utf-8",
};

const schema = async (name) =>
  JSON.parse(
    await readFile(new URL(`../../schemas/json/${name}.schema.json`, import.meta.url), "utf8"),
  );

const ajv = new Ajv({ strict: false, allErrors: true });
/** @type {import("ajv").ValidateFunction<any>} */
const isEvent = ajv.compile(await schema("event"));
const batchSchema = await schema("batch");
/**
 * The envelope alone: what is wrong with an event costs that event only.
 * @type {import("ajv").ValidateFunction<any>}
 */
const isEnvelope = ajv.compile({
  ...batchSchema,
  properties: { ...batchSchema.properties, events: { type: "array", minItems: 1, maxItems: 100 } },
});

/** What the edge says of a batch by the contract: `{status, reply}`. */
function judge(batch) {
  if (!isEnvelope(batch)) {
    return {
      status: 400,
      reply: { error: { code: "envelope", message: ajv.errorsText(isEnvelope.errors) } },
    };
  }
  const events = batch.events.map((event, index) =>
    isEvent(event)
      ? { index, event_id: event.event_id, status: "accepted" }
      : { index, status: "rejected", errors: structuredClone(isEvent.errors) },
  );
  const rejected = events.filter(({ status }) => status === "rejected").length;
  const accepted = events.length - rejected;
  const status = rejected === 0 ? 202 : accepted === 0 ? 400 : 207;
  return { status, reply: { accepted, rejected, events } };
}

/** The edge. It judges, unless `reply` says what to answer (`{status, headers, body}`), or `away: true` for nothing.
 *  `until` is a promise that it waits for first. */
export class TestEdge {
  /** The names of the tracker's files that were asked for. */
  files = [];
  /** How many requests there were, those that it was away for too. */
  attempts = 0;
  /** What came in by `POST /b`: `{body, headers, method, at}`. */
  requests = [];
  /** The requests that were judged, accepted or not. */
  taken = [];
  /** What was rejected: `{event, errors}`, or `{batch, error}`. A test that wants some takes them out. */
  rejections = [];
  /** What to answer instead of a verdict. */
  reply = undefined;
  origin = "";
  close = () => {};

  /** Keeps all answers back until the function that it returns is called; then verdicts are given. */
  hold() {
    let release = () => {};
    const until = new Promise((resolve) => (release = () => resolve(undefined)));
    this.reply = { until };
    return () => {
      this.reply = undefined;
      release();
    };
  }

  /** Answers what `script` gives for a batch, or a verdict where it gives nothing, and counts. */
  answerWith(script) {
    const answer = { calls: 0 };
    this.reply = {
      script: (batch) => {
        answer.calls++;
        return script(batch);
      },
    };
    return answer;
  }

  /** Answers the next request by `reply`, and gives verdicts from then on. */
  answerOnce(reply) {
    this.answerWith(() => {
      this.reply = undefined;
      return reply;
    });
  }

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
    this.attempts++;
    if (this.reply?.away) return request.socket.destroy();
    // A page may go, or its browser end, in the middle of a request.
    const chunks = await request.toArray().catch(() => undefined);
    if (!chunks) return undefined;
    const received = {
      body: Buffer.concat(chunks).toString(),
      headers: request.headers,
      method: request.method,
      at: Date.now(),
    };
    this.requests.push(received);
    await this.reply?.until;
    const scripted = await this.reply?.script?.(JSON.parse(received.body));
    // Nobody is there any more: what a page took back has not arrived.
    if (request.socket.destroyed) return undefined;
    const { status, body, headers } =
      scripted ?? (this.reply?.status ? this.reply : this.#verdict(received));
    response
      .writeHead(status, {
        "access-control-allow-origin": request.headers.origin ?? "*",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
        "content-type": "application/json",
        ...headers,
      })
      .end(
        body ?? JSON.stringify({ error: { code: "test", pointer: "", message: "a test says so" } }),
      );
  }

  #verdict(received) {
    const batch = JSON.parse(received.body);
    const { status, reply } = judge(batch);
    if (reply.error) this.rejections.push({ batch, error: reply.error });
    else {
      this.taken.push(received);
      for (const { index, errors } of reply.events) {
        if (errors) this.rejections.push({ event: batch.events[index], errors });
      }
    }
    return { status, body: JSON.stringify(reply) };
  }

  async #asset(path, response) {
    const headers = {
      "access-control-allow-origin": "*",
      "content-type": TYPES[extname(path)] ?? "text/plain",
    };
    this.files.push(basename(path));
    try {
      const file = await readFile(join(ASSETS, basename(path)));
      response.writeHead(200, headers).end(file);
    } catch {
      response.writeHead(404, headers).end();
    }
  }
}

/** Waits until `condition` gives something true, and returns it. The time is for what hangs: on a machine with much else
 *  to do, a browser's page takes many times what it takes on a quiet one. */
export async function until(what, condition, milliseconds = 90_000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
}
