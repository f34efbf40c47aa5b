// The queue's consumer: many messages in one call, every report read, nothing lost while Kafka is away.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { batch, event, startWorker, until } from "./worker.mjs";

let gateway;
let worker;

beforeEach(async () => {
  gateway = await new Gateway().start();
  worker = await startWorker(gateway);
});
afterEach(async () => {
  await worker.stop();
  await gateway.stop();
});

/** Posts one batch for each list of events' numbers. */
async function post(...batches) {
  const responses = await Promise.all(
    batches.map((numbers) => worker.post(batch(numbers.map((number) => event(number))))),
  );
  assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([202]));
}

const keys = (records) =>
  records.map(({ key }) => Number(key.replace("visitor-", ""))).sort((a, b) => a - b);
const numbers = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const arrive = (count) => until(`${count} events in Kafka`, () => gateway.events.length >= count);

test("many_messages_are_merged_into_one_streaming_call", async () => {
  await post(...numbers(1, 30).map((number) => [number]));
  await arrive(30);
  assert.deepEqual(keys(gateway.events), numbers(1, 30));
  // The queue waits 0.2 s for company; a busy machine may need a second batch.
  assert.ok(gateway.calls.length <= 3, `${gateway.calls.length} calls`);
  for (const { headers } of gateway.calls) {
    assert.equal(headers["transfer-encoding"], "chunked");
    assert.equal(headers["content-length"], undefined);
  }
});

test("record_that_failed_is_sent_again_alone", async () => {
  const failed = new Set();
  gateway.report = ({ key }) => {
    if (key === "visitor-2" && !failed.has(key)) {
      failed.add(key);
      return { error_code: 429, message: "Request rate limit exceeded" };
    }
    return undefined;
  };
  await post([1, 2, 3]);
  await arrive(3);
  assert.deepEqual(keys(gateway.events), [1, 2, 3]);
  assert.deepEqual(
    gateway.calls.map(({ records }) => records),
    [3, 1],
  );
});

test("records_without_a_report_are_sent_again_alone", async () => {
  gateway.report = (_, position, call) =>
    gateway.calls.indexOf(call) === 0 && position === 2 ? "end" : undefined;
  await post([1, 2, 3, 4]);
  await arrive(4);
  assert.deepEqual(keys(gateway.events), [1, 2, 3, 4]);
  assert.equal(gateway.calls[1].records, 2);
});

test("connection_that_breaks_in_the_middle_loses_nothing", async () => {
  let broken = false;
  gateway.intercept = (response) => {
    if (broken) {
      return false;
    }
    broken = true;
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"error_code":429,"message":"slow down"}{"error_co');
    setImmediate(() => response.destroy());
    return true;
  };
  await post([1, 2, 3]);
  await arrive(3);
  assert.deepEqual(keys(gateway.events), [1, 2, 3]);
});

for (const [name, fail] of /** @type {[string, (response: any) => any][]} */ ([
  ["503", (response) => response.writeHead(503).end()],
  [
    "429_in_html",
    (response) => response.writeHead(429, { "content-type": "text/html" }).end("<html></html>"),
  ],
  [
    "404",
    (response) => response.writeHead(404).end('{"error_code":40403,"message":"no such topic"}'),
  ],
  ["reset", (response) => response.destroy()],
])) {
  test(`gateway_answering_${name}_loses_nothing`, async () => {
    let left = 2;
    gateway.intercept = (response) => {
      left -= 1;
      return left >= 0 && (fail(response) ?? true);
    };
    await post([1, 2], [3]);
    await arrive(3);
    assert.deepEqual(keys(gateway.events), [1, 2, 3]);
  });
}

test("gateway_that_is_gone_and_comes_back_gets_everything_within_seconds", async () => {
  await post([1]);
  await arrive(1);
  await gateway.stop();
  await post([2, 3], [4]);
  await until(
    "a delivery has failed twice",
    () => (worker.logged().match(/call unanswered/g) ?? []).length >= 2,
  );
  await gateway.start();
  const back = Date.now();
  await arrive(4);
  assert.deepEqual(keys(gateway.events), [1, 2, 3, 4]);
  assert.ok(Date.now() - back < 8_000, `${Date.now() - back} ms`);
});
