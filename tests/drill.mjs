// Drills: traffic while something is broken, and what must hold afterwards wherever the tables are.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { until } from "./until.mjs";

/** The pace of the traffic while something is broken. */
const BATCH_EVERY_MS = 200;
const PRICE_MINOR = 1001;
/**
 * From the edge to silver after whatever was broken: on a busy machine a build takes BigQuery's server here more than a minute,
 * and two may come to nothing before, one killed and one that met what the killed one still committed.
 */
const ARRIVE_SECONDS = 400;

/** Some page views and one purchase. */
export const batch = (sender) => [
  ...Array.from({ length: 4 }, () => sender.event()),
  sender.purchase(PRICE_MINOR),
];

/** Sends batches, one after another, until `done` says so; at least one. */
export async function traffic(sender, done) {
  do {
    await sender.deliver(batch(sender));
    await pause(BATCH_EVERY_MS);
  } while (!(await done()));
}

/** Waits until silver has all that the edge took from `sender`, and checks that it has each event and each order once. */
export async function assertNothingIsLostOrDouble(stack, sender) {
  const ids = sender.taken.map(({ event_id }) => event_id).sort();
  const mine = (rows) => rows.filter(({ anonymous_id }) => anonymous_id === sender.anonymousId);
  const events = await until(
    "all events are in silver",
    async () => {
      const rows = mine(await stack.rows("silver_events"));
      return rows.length >= ids.length && rows;
    },
    ARRIVE_SECONDS,
  );
  assert.deepEqual(events.map(({ event_id }) => event_id).sort(), ids);

  const bought = sender.taken
    .filter(({ event_type }) => event_type === "purchase")
    .map(({ transaction_id }) => transaction_id);
  const orders = mine(await stack.rows("silver_orders"));
  assert.deepEqual(orders.map(({ transaction_id }) => transaction_id).sort(), bought.sort());
  assert.ok(orders.every(({ gross_minor }) => gross_minor === PRICE_MINOR));

  const sessions = mine(await stack.rows("silver_sessions"));
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].events, ids.length);
  assert.equal(sessions[0].revenue_minor, bought.length * PRICE_MINOR);
}

/** Each record of the topic landed once: the broker numbers those of a partition from 0, without a gap. */
export async function assertBronzeHasEachRecordOnce(stack) {
  const rows = await stack.rows("bronze_events");
  for (const partition of new Set(rows.map(({ _partition }) => _partition))) {
    const offsets = rows
      .filter(({ _partition }) => _partition === partition)
      .map(({ _offset }) => _offset);
    assert.deepEqual(
      offsets.sort((a, b) => a - b),
      offsets.map((_, index) => index),
      `partition ${partition}`,
    );
  }
}

/** Waits until gold has all orders of silver, and checks that the dashboard gets what they came to. */
export async function assertGoldHasEveryCent(stack) {
  const orders = await stack.rows("silver_orders");
  const days = await until("gold has every order", async () => {
    const rows = await stack.gold("gold_daily_kpis");
    return rows.reduce((sum, row) => sum + row.orders, 0) === orders.length && rows;
  });
  assert.equal(
    days.reduce((sum, row) => sum + row.revenue_gross_minor, 0),
    orders.length * PRICE_MINOR,
  );
}
