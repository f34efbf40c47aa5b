// The contract's examples get through the Worker the verdict that stands beside them.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Gateway } from "./gateway.mjs";
import { batch, event, record, startWorker, until } from "./worker.mjs";

const CORPUS = new URL("../../schemas/corpus/", import.meta.url);

const OF_OTHER_TIMES = ["earliest_time.json", "largest_values.json"];

let gateway;
let worker;

before(async () => {
  gateway = await new Gateway().start();
  // The examples are of all times, and go through as they are.
  const vars = {
    SHOPTRAIL_MAX_AGE_DAYS: "36500",
    SHOPTRAIL_PRIVACY: '{"query_parameters":["*"],"mask_texts":false}',
  };
  worker = await startWorker(gateway, { vars });
});
after(async () => {
  await worker.stop();
  await gateway.stop();
});

async function examples(folder) {
  const names = (await readdir(new URL(folder, CORPUS))).filter((name) => name.endsWith(".json"));
  assert.ok(names.length > 0, `${folder} has no examples`);
  return Promise.all(
    names.map(async (name) => ({
      name,
      text: await readFile(new URL(folder + name, CORPUS), "utf8"),
    })),
  );
}

test("valid_examples_are_accepted_and_reach_kafka_byte_for_byte", async () => {
  // Two examples are of the earliest and latest times that can be written, which no clock allows.
  const valid = (await examples("valid/")).filter(({ name }) => !OF_OTHER_TIMES.includes(name));
  for (const { name, text } of valid) {
    const response = await worker.post(batch([text.trim()]));
    assert.equal(response.status, 202, `${name}: ${await response.text()}`);
  }
  await until("all of them in Kafka", () => gateway.events.length >= valid.length);
  const arrived = gateway.events.map(({ value }) => value.subarray(5).toString("utf8"));
  for (const { name, text } of valid) {
    assert.ok(
      arrived.some((value) => value.startsWith(`{"event":${text.trim()},"batch":`)),
      name,
    );
  }
});

test("invalid_examples_are_rejected_with_their_verdict", async () => {
  for (const { name, text } of await examples("invalid/")) {
    const { event: object, text: raw, verdict } = JSON.parse(text);
    // An event beside it shows that a verdict is about one event alone.
    const response = await worker.post(batch([raw ?? JSON.stringify(object), event()]));
    const reply = await response.json();
    const errors = reply.events?.[0].errors.map(({ code, pointer }) => ({ code, pointer }));
    assert.equal(response.status, 207, name);
    // The edge's clock may have more to say about a wrong time.
    for (const expected of verdict) {
      assert.ok(
        errors.some((error) => isDeepStrictEqual(error, expected)),
        `${name}: ${JSON.stringify(errors)}`,
      );
    }
  }
});

test("examples_that_need_repair_are_accepted_with_their_warnings", async () => {
  for (const { name, text } of await examples("repaired/")) {
    const { event: object, text: raw, warnings } = JSON.parse(text);
    const response = await worker.post(batch([raw ?? JSON.stringify(object)]));
    const reply = await response.json();
    const found = reply.events?.[0].warnings.map(({ code, pointer }) => ({ code, pointer }));
    assert.deepEqual([response.status, found], [202, warnings], name);
  }
});

test("batches_of_the_corpus_are_read", async () => {
  for (const { name, text } of await examples("batches/")) {
    const { events } = JSON.parse(text);
    const response = await worker.post(text, { origin: "https://shop.example" });
    const reply = await response.json();
    assert.equal(reply.events?.length, events.length, name);
    assert.equal(reply.accepted + reply.rejected, events.length, name);
  }
});

test("record_keeps_what_client_and_edge_say_apart", async () => {
  await worker.post(batch([event(77, { edge: { shop_id: "forged" }, received_at: 1 })]));
  await until("the event in Kafka", () => gateway.events.some(({ key }) => key === "visitor-77"));
  const found = gateway.events.find(({ key }) => key === "visitor-77");
  assert.deepEqual([...found.value.subarray(0, 5)], [0, 0, 1, 0x86, 0xa1]);
  const { edge, batch: info } = record(found);
  assert.equal(edge.shop_id, "demo");
  assert.equal(edge.schema_version, 2);
  assert.ok(Math.abs(edge.received_at - Date.now()) < 60_000);
  assert.deepEqual(info, {
    sent_at: 1795392000123,
    tracker: { name: "shoptrail-js", version: "0.1.0" },
  });
});
