// The client is told only when something durable has its events: the queue, or Kafka by a direct call, or nothing.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { batch, event, startWorker, until } from "./worker.mjs";

let gateway;
let worker;

beforeEach(async () => {
  gateway = await new Gateway().start();
});
afterEach(async () => {
  await worker?.stop();
  await gateway.stop();
});

const refuse = () => {
  throw new Error("refused");
};

test("reply_waits_for_the_queue", async () => {
  let release = () => {};
  let isAsked = false;
  const parked = [];
  const queue = async (messages) => {
    isAsked = true;
    await new Promise((resolve) => (release = () => resolve(undefined)));
    parked.push(...messages);
  };
  worker = await startWorker(gateway, { queue });
  let replied = false;
  const posted = worker.post(batch([event()])).then((response) => {
    replied = true;
    return response;
  });
  await until("the Worker asks the queue", () => isAsked);
  // A round trip through the same Worker: time enough for a reply that does not wait.
  await fetch(new URL("/health", worker.url));
  assert.deepEqual([replied, parked.length], [false, 0]);
  release();
  assert.equal((await posted).status, 202);
  assert.equal(parked.length, 1);
});

test("good_and_refused_events_travel_together_as_raw_json", async () => {
  const parked = [];
  worker = await startWorker(gateway, { queue: (messages) => parked.push(...messages) });
  const refused = '{ "event_type" : "nope" }';
  assert.equal((await worker.post(batch([event(1), refused]))).status, 207);
  assert.equal(parked.length, 1);
  const { records } = JSON.parse(parked[0]);
  assert.deepEqual(records.flatMap(Object.keys), ["event", "refused"]);
  assert.ok(parked[0].includes(`{"json":${refused}}`));
});

test("large_batch_is_split_by_bytes", async () => {
  const sendings = [];
  worker = await startWorker(gateway, { queue: (messages) => sendings.push(messages) });
  const events = Array.from({ length: 40 }, (_, number) =>
    event(number + 1, { filler: "ü".repeat(6_000) }),
  );
  assert.equal((await worker.post(batch(events))).status, 202);
  for (const sending of sendings) {
    const sizes = sending.map((message) => Buffer.byteLength(message));
    assert.ok(Math.max(...sizes) <= 127_000, `${sizes}`);
    assert.ok(sizes.reduce((sum, size) => sum + size) <= 256_000, `${sizes}`);
  }
  const keys = sendings
    .flat()
    .flatMap((message) => JSON.parse(message).records.map(({ event }) => event.key));
  assert.deepEqual(
    keys,
    events.map(({ anonymous_id }) => anonymous_id),
  );
});

test("direct_call_takes_good_events_that_the_queue_refuses_and_no_dead_letters", async () => {
  worker = await startWorker(gateway, { queue: refuse });
  assert.equal((await worker.post(batch([event(1), { event_type: "nope" }]))).status, 207);
  assert.deepEqual([gateway.events.length, gateway.deadLetters.length], [1, 0]);
  assert.ok(worker.logged().includes('"records.dead_letters_lost":1'));
});

test("refused_bytes_never_make_a_direct_call", async () => {
  const parked = [];
  worker = await startWorker(gateway, { queue: (messages) => parked.push(...messages) });
  const large = JSON.stringify({ event_type: "page_view", filler: "x".repeat(300_000) });
  assert.equal((await worker.post(batch([event(1), large]))).status, 207);
  const body = batch([large], { sent_at: undefined });
  assert.equal((await worker.post(body)).status, 400);
  assert.equal(gateway.calls.length, 0);
  const letters = parked
    .flatMap((message) => JSON.parse(message).records)
    .flatMap(({ refused, dead_letter }) => refused ?? dead_letter ?? []);
  assert.equal(letters.length, 2);
  for (const letter of letters) {
    assert.equal(Buffer.from(letter.value.base64, "base64").length, 64 * 1024);
    const headers = Object.fromEntries(letter.headers);
    assert.ok([`${large.length}`, `${body.length}`].includes(headers["shoptrail.cut_from_bytes"]));
  }
});

test("refused_bodies_are_sampled", async () => {
  const parked = [];
  worker = await startWorker(gateway, { queue: (messages) => parked.push(...messages) });
  const posts = Array.from({ length: 60 }, () =>
    worker.post(batch([event()], { sent_at: undefined })),
  );
  assert.deepEqual(new Set((await Promise.all(posts)).map(({ status }) => status)), new Set([400]));
  // A minute may end among them.
  assert.ok(parked.length <= 40, `${parked.length}`);
});

test("nothing_durable_is_503_and_the_client_keeps_its_events", async () => {
  worker = await startWorker(gateway, { queue: refuse });
  for (const break_ of [
    (response) => response.writeHead(503).end("away"),
    (response) =>
      response
        .writeHead(429, { "content-type": "text/html" })
        .end("<html>Too Many Requests</html>"),
    (response) =>
      response
        .writeHead(401, { "content-type": "application/json" })
        .end('{"error_code":40101,"message":""}'),
    (response) => response.destroy(),
  ]) {
    gateway.intercept = (response) => break_(response) ?? true;
    const response = await worker.post(batch([event()]));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.equal(response.headers.get("access-control-expose-headers"), "Retry-After");
    assert.equal((await response.json()).error.code, "unavailable");
  }
  await gateway.stop();
  assert.equal((await worker.post(batch([event()]))).status, 503, "connection refused");
  await gateway.start();
  gateway.intercept = () => false;
  assert.equal((await worker.post(batch([event()]))).status, 202, "and back");
});

test("direct_hand_over_skips_the_queue_and_reads_every_report", async () => {
  const queue = () => assert.fail("the queue is not asked");
  worker = await startWorker(gateway, { queue, vars: { SHOPTRAIL_HAND_OVER: "direct" } });
  assert.equal((await worker.post(batch([event(1)]))).status, 202);
  assert.equal(gateway.events.length, 1);
  gateway.report = (_, position) =>
    position === 1 ? { error_code: 429, message: "Request rate limit exceeded" } : undefined;
  assert.equal((await worker.post(batch([event(2), event(3)]))).status, 503);
});

test("gateway_that_hangs_is_503_and_the_worker_goes_on", async () => {
  worker = await startWorker(gateway, { queue: refuse });
  gateway.intercept = (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"error_code":200}');
    return true;
  };
  assert.equal((await worker.post(batch([event(1), event(2)]))).status, 503);
  gateway.intercept = () => false;
  assert.equal((await worker.post(batch([event(1), event(2)]))).status, 202);
});
