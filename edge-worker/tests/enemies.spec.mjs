// What an enemy sends costs little: limits, sizes, bodies that never come, and nothing of it reaches Kafka directly.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Gateway } from "./gateway.mjs";
import { ORIGIN, batch, event, startWorker } from "./worker.mjs";

let gateway;
let worker;

beforeEach(async () => {
  gateway = await new Gateway().start();
});
afterEach(async () => {
  await worker?.stop();
  await gateway.stop();
});

const limit = (name, limit) => ({ ratelimits: { [name]: { simple: { limit, period: 60 } } } });

test("gzip_is_unpacked_and_its_size_is_limited", async () => {
  worker = await startWorker(gateway);
  assert.equal((await worker.post(gzipSync(batch([event()])))).status, 202);
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, "x"));
  assert.ok(bomb.length < 100_000);
  assert.equal((await worker.post(bomb)).status, 413);
  const broken = await worker.post(gzipSync(batch([event()])).subarray(0, 40));
  assert.deepEqual([broken.status, (await broken.json()).error.code], [400, "broken_gzip"]);
});

test("key_that_sends_too_much_is_429_with_a_time_to_wait", async () => {
  worker = await startWorker(gateway, { bindings: limit("LIMIT_PER_KEY", 2) });
  for (const expected of [202, 202, 429]) {
    const response = await worker.post(batch([event()]));
    assert.equal(response.status, expected);
    assert.equal(response.headers.get("access-control-allow-origin"), ORIGIN);
    assert.equal(response.headers.get("retry-after"), expected === 429 ? "30" : null);
  }
  const other = batch([event()], { write_key: "pk_other" });
  assert.equal((await worker.post(other, { origin: "https://other.example" })).status, 202);
});

test("visitor_that_sends_too_much_stops_nobody_else", async () => {
  worker = await startWorker(gateway, { bindings: limit("LIMIT_PER_VISITOR", 1) });
  const from = async (address) =>
    (await worker.post(batch([event()]), { "cf-connecting-ip": address })).status;
  assert.deepEqual(
    [await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.2")],
    [202, 429, 202],
  );
  const home = "2001:db8:1:2";
  assert.deepEqual(
    [await from(`${home}::1`), await from(`${home}:a:b:c:d`), await from("2001:db8:1:3::1")],
    [202, 429, 202],
  );
});

test("limits_can_be_switched_off", async () => {
  const vars = { SHOPTRAIL_RATE_LIMITS: "off" };
  worker = await startWorker(gateway, { vars, bindings: limit("LIMIT_PER_KEY", 1) });
  for (const expected of [202, 202]) {
    assert.equal((await worker.post(batch([event()]))).status, expected);
  }
});

test("body_that_was_announced_and_never_comes_is_answered", async () => {
  worker = await startWorker(gateway);
  const status = await new Promise((resolve, reject) => {
    const socket = connect(Number(worker.url.port), worker.url.hostname);
    socket.once("data", (data) => resolve(/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1]));
    socket.once("error", reject);
    socket.write(
      `POST /b HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: 100\r\n\r\n{`,
    );
  });
  assert.equal(status, "408");
});

test("refused_events_and_bodies_make_no_direct_call_even_where_events_go_directly", async () => {
  const parked = [];
  worker = await startWorker(gateway, {
    queue: (messages) => parked.push(...messages),
    vars: { SHOPTRAIL_HAND_OVER: "direct" },
  });
  const nope = { event_type: "nope" };
  assert.equal((await worker.post(batch([nope, nope]))).status, 400);
  assert.equal((await worker.post(batch([event()], { sent_at: undefined }))).status, 400);
  assert.deepEqual(gateway.calls, []);
  assert.equal((await worker.post(batch([event(1), nope]))).status, 207);
  assert.deepEqual(
    gateway.calls.map(({ topic, records }) => [topic, records]),
    [["clickstream_event_v3", 1]],
  );
  const letters = parked.flatMap((message) => JSON.parse(message).records.flatMap(Object.keys));
  assert.deepEqual(letters, ["refused", "refused", "dead_letter", "refused"]);
});

test("events_that_go_directly_and_fail_leave_no_letters_as_the_batch_comes_again", async () => {
  const queue = () => assert.fail("the queue is not asked");
  worker = await startWorker(gateway, { queue, vars: { SHOPTRAIL_HAND_OVER: "direct" } });
  gateway.intercept = (response) => {
    response.writeHead(503).end();
    return true;
  };
  assert.equal((await worker.post(batch([event(1), { event_type: "nope" }]))).status, 503);
});

test("refused_events_of_good_batches_are_sampled_and_each_has_its_verdict", async () => {
  const parked = [];
  worker = await startWorker(gateway, { queue: (messages) => parked.push(...messages) });
  const refused = batch(Array(99).fill({ event_type: "nope" }).concat(event()));
  for (let sent = 0; sent < 30; sent++) {
    const response = await worker.post(refused);
    const { accepted, rejected, events } = await response.json();
    assert.deepEqual([response.status, accepted, rejected], [207, 1, 99]);
    assert.ok(events.slice(0, 99).every(({ errors }) => errors[0].code !== undefined));
  }
  const records = parked.flatMap((message) => JSON.parse(message).records);
  const letters = records.filter((record) => record.refused !== undefined).length;
  assert.equal(records.length - letters, 30, "each good event is kept");
  // A minute may end among them.
  assert.ok(letters === 1_200 || letters === 2_400, `${letters}`);
  const counted = worker.logged().matchAll(/"dead_letters\.not_kept":(\d+)/g);
  const notKept = [...counted].reduce((sum, [, count]) => sum + Number(count), 0);
  assert.equal(letters + notKept, 30 * 99);
});
