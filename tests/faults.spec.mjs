// What goes wrong on the road: refused events are kept with their reason, strangers get in nothing, and whatever dies in
// the middle, nothing the edge took is lost or counted twice.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Sender } from "./batches.mjs";
import {
  assertBronzeHasEachRecordOnce,
  assertGoldHasEveryCent,
  assertNothingIsLostOrDouble,
  batch,
  traffic,
} from "./drill.mjs";
import { Stack } from "./stack.mjs";
import { until } from "./until.mjs";

const AWAY_MS = 10_000;

let stack;

before(async () => {
  stack = await Stack.start();
});

after(() => stack?.stop());

test("invalid_event_is_a_dead_letter_and_its_neighbours_land", async () => {
  const sender = new Sender(stack);
  const [first, last] = [sender.event(), sender.event()];
  const bad = {
    ...sender.event("purchase", {
      value: 9.99,
      currency: "EURO",
      transaction_id: "T-1",
      items: [{ item_id: "mug" }],
    }),
  };
  const { status, body } = await sender.post([first, bad, last]);
  assert.equal(status, 207);
  assert.deepEqual([body.accepted, body.rejected], [2, 1]);
  assert.deepEqual(
    body.events.map(({ index, status }) => [index, status]),
    [
      [0, "accepted"],
      [1, "rejected"],
      [2, "accepted"],
    ],
  );
  const [{ code, pointer, message }] = body.events[1].errors;
  assert.deepEqual([code, pointer], ["unknown_currency", "/currency"]);

  const letter = await until("the dead letter is there", async () =>
    (await stack.micro("bad")).find(({ original }) => original.includes(bad.event_id)),
  );
  assert.deepEqual(
    [letter.code, letter.pointer, letter.message, letter.shop_id],
    [code, pointer, message, "demo"],
  );
  assert.equal(letter.kafka.topic, "clickstream_event_v3.dlq");
  assert.deepEqual(JSON.parse(letter.original), bad);

  const landed = await until("the others are in silver", async () => {
    const rows = (await stack.rows("silver_events")).filter(
      ({ anonymous_id }) => anonymous_id === sender.anonymousId,
    );
    return rows.length >= 2 && rows;
  });
  assert.deepEqual(
    landed.map(({ event_id }) => event_id).sort(),
    [first.event_id, last.event_id].sort(),
  );
});

test("strangers_and_giants_are_turned_away_and_leave_nothing", async () => {
  const before = await stack.micro("all");
  const sender = new Sender(stack);
  const refusal = ({ status, body }) => [status, body.error.code];
  assert.deepEqual(refusal(await sender.post([sender.event()], { writeKey: "pk_wrong" })), [
    401,
    "unknown_write_key",
  ]);
  assert.deepEqual(
    refusal(await sender.post([sender.event()], { origin: "http://evil.example" })),
    [403, "origin_not_allowed"],
  );
  const giant = sender.event("page_view", { page_title: "x".repeat(513 * 1024) });
  assert.deepEqual(refusal(await sender.post([giant])), [413, "too_large"]);
  // What comes after them has arrived: so would they have. The two strangers are told, beside the stream of events.
  await sender.deliver([sender.event()]);
  const strangers = before.refused_requests + 2;
  const now = await until("the next event came in and the strangers are told", async () => {
    const counts = await stack.micro("all");
    return counts.total > before.total && counts.refused_requests >= strangers && counts;
  });
  assert.deepEqual(now, {
    total: before.total + 1,
    good: before.good + 1,
    bad: before.bad,
    refused_requests: strangers,
  });
});

test("broker_killed_and_away_for_ten_seconds_loses_nothing", async () => {
  const sender = new Sender(stack);
  await sender.deliver(batch(sender));
  const killed = await stack.kill("kafka");
  await stack.broker("stop");
  const back = Date.now() + AWAY_MS;
  await traffic(sender, () => Date.now() > back);
  assert.ok(sender.taken.length > 5, "the edge takes events while the broker is away");
  await stack.broker("start");
  assert.notEqual(await until("the broker runs", () => stack.pid("kafka")), killed);
  await sender.deliver(batch(sender));
  await assertNothingIsLostOrDouble(stack, sender);
  await assertBronzeHasEachRecordOnce(stack);
});

test("lander_killed_in_the_middle_loses_and_doubles_nothing", async () => {
  const sender = new Sender(stack);
  const landed = async () =>
    (await stack.rows("bronze_events")).some(({ record }) => record.includes(sender.anonymousId));
  await traffic(sender, landed);
  const killed = await stack.kill("land");
  await traffic(sender, () => stack.runsAgain("land", killed));
  await assertNothingIsLostOrDouble(stack, sender);
  await assertBronzeHasEachRecordOnce(stack);
});

test("power_cut_in_the_middle_loses_and_doubles_nothing", async () => {
  const sender = new Sender(stack);
  for (let batches = 0; batches < 20; batches++) await sender.deliver(batch(sender));
  await stack.cutPower();
  await sender.deliver(batch(sender));
  await assertNothingIsLostOrDouble(stack, sender);
  await assertBronzeHasEachRecordOnce(stack);
});

test("gold_has_every_cent_after_all_of_it", () => assertGoldHasEveryCent(stack));
