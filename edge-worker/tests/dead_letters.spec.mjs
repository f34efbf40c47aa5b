// What is refused is kept: its bytes, the code, the place and the sentence, in a topic of its own.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { batch, event, record, startWorker, until } from "./worker.mjs";

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

async function onlyLetter() {
  await until("a dead letter in Kafka", () => gateway.deadLetters.length > 0);
  assert.equal(gateway.deadLetters.length, 1);
  const { headers, ...letter } = gateway.deadLetters[0];
  const short = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace("shoptrail.", ""), value]),
  );
  return { ...letter, headers: short };
}

test("rejected_event_is_kept_byte_for_byte_with_its_reasons", async () => {
  const refused = JSON.stringify(event(1, { seq: 0, currency: "EURO" })).replace("{", "{ \t\n");
  const response = await worker.post(batch([refused]));
  const { errors } = (await response.json()).events[0];
  const { value, headers } = await onlyLetter();
  assert.equal(value.toString("utf8"), refused);
  assert.equal(headers.code, errors[0].code);
  assert.equal(headers.pointer, errors[0].pointer);
  assert.equal(headers.message, errors[0].message);
  assert.deepEqual(JSON.parse(headers.rejections), errors);
  assert.equal(headers.shop_id, "demo");
  assert.ok(Math.abs(Number(headers.received_at) - Date.now()) < 60_000);
  // With these the event can be judged again.
  assert.equal(JSON.parse(headers.batch).tracker.name, "shoptrail-js");
  assert.equal(JSON.parse(headers.edge).shop_id, "demo");
  assert.equal(gateway.events.length, 0);
});

test("event_that_is_no_json_is_kept_alone_and_its_batch_arrives", async () => {
  for (const broken of ["01", "NaN", '{"event_type":"page_view"', "{'a':1}"]) {
    gateway.deadLetters.length = 0;
    gateway.events.length = 0;
    const response = await worker.post(batch([event(1), broken]));
    const { events } = await response.json();
    assert.deepEqual([response.status, events[1].errors[0].code], [207, "malformed_json"], broken);
    const { value, headers } = await onlyLetter();
    // Where a bracket is missing, those of the batch are taken for it.
    assert.ok(value.toString("utf8").startsWith(broken), broken);
    assert.equal(headers.code, "malformed_json");
    await until("the good event in Kafka", () => gateway.events.length === 1);
  }
});

test("body_that_breaks_off_keeps_the_events_that_came", async () => {
  const whole = batch([event(1), event(2), event(3)]);
  const response = await worker.post(whole.slice(0, whole.indexOf(event(3).event_id)));
  const { accepted, rejected } = await response.json();
  assert.deepEqual([response.status, accepted, rejected], [207, 2, 1]);
  await until("the good events in Kafka", () => gateway.events.length === 2);
  await onlyLetter();
});

test("bad_envelope_is_kept_whole", async () => {
  const body = batch([event()], { sent_at: "ümlaut" });
  assert.equal((await worker.post(body)).status, 400);
  const { value, headers } = await onlyLetter();
  assert.equal(value.toString("utf8"), body);
  assert.deepEqual(
    [headers.code, headers.pointer, headers.skipped_before],
    ["wrong_type", "/sent_at", "0"],
  );
});

test("strangers_fill_no_topic", async () => {
  await worker.post(batch([{}], { write_key: "pk_stranger" }));
  await worker.post(batch([{}]), { origin: "https://evil.example" });
  await worker.post("{");
  await worker.post(batch([event(1)]));
  await until("the good event in Kafka", () => gateway.events.length === 1);
  assert.equal(gateway.deadLetters.length, 0);
});

test("event_that_kafka_will_never_take_is_kept_and_stops_nobody", async () => {
  gateway.report = ({ key }, _, { topic }) =>
    key === "visitor-2" && topic === "clickstream_event_v3"
      ? { error_code: 400, message: "Bad Request: record too large", endsStream: true }
      : undefined;
  await worker.post(batch([event(1), event(2), event(3)]));
  await until("the others in Kafka", () => gateway.events.length === 2);
  const { key, value, headers } = await onlyLetter();
  assert.equal(key, "visitor-2");
  assert.equal(JSON.parse(value.toString("utf8")).event.event_id, event(2).event_id);
  assert.deepEqual(
    [headers.code, headers.message],
    ["refused_by_kafka", "Bad Request: record too large"],
  );
  assert.equal(headers.shop_id, "demo");
});

test("record_refused_once_by_a_damaged_stream_is_no_dead_letter", async () => {
  let damaged = false;
  gateway.report = () => {
    if (damaged) {
      return undefined;
    }
    damaged = true;
    return {
      error_code: 400,
      message: "Bad Request: Error processing JSON: unexpected end",
      endsStream: true,
    };
  };
  await worker.post(batch([event(1), event(2)]));
  await until("both in Kafka", () => gateway.events.length === 2);
  assert.deepEqual(gateway.events.map((found) => record(found).event.seq).sort(), [1, 2]);
  assert.equal(gateway.deadLetters.length, 0);
});

test("queue_message_of_another_kind_is_kept_and_stops_nobody", async () => {
  await worker.enqueue({ body: "no parcel", contentType: "text" });
  const { value, headers } = await onlyLetter();
  assert.equal(value.toString("utf8"), "no parcel");
  assert.equal(headers.code, "undecodable_message");
  await worker.post(batch([event(1)]));
  await until("the next event in Kafka", () => gateway.events.length === 1);
});

test("dead_letters_wait_while_kafka_is_away", async () => {
  let left = 2;
  gateway.intercept = (response) => {
    left -= 1;
    return left >= 0 && (response.writeHead(503).end(), true);
  };
  await worker.post(batch([{ event_type: "nope" }]));
  await onlyLetter();
});
