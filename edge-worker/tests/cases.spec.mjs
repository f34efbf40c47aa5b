// Batches that real shops sent and that cost them orders.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { record, startWorker, until } from "./worker.mjs";

let gateway;
let worker;

before(async () => {
  gateway = await new Gateway().start();
  worker = await startWorker(gateway, { vars: { SHOPTRAIL_MAX_AGE_DAYS: "36500" } });
});
after(async () => {
  await worker.stop();
  await gateway.stop();
});

/** Posts a case and returns its records by `seq`. */
async function records(name) {
  gateway.events.length = 0;
  const body = await readFile(new URL(`cases/${name}.json`, import.meta.url), "utf8");
  const response = await worker.post(body);
  const { accepted, rejected } = await response.json();
  assert.deepEqual([response.status, rejected], [202, 0]);
  await until("the events in Kafka", () => gateway.events.length === accepted);
  return gateway.events.map(record).sort((a, b) => a.event.seq - b.event.seq);
}

test("numeric_customer_id_is_a_text_and_an_empty_one_is_none", async () => {
  const found = await records("numeric_and_empty_customer_id");
  assert.deepEqual(
    found.map(({ event }) => event.user_id ?? null),
    ["42", null, "42"],
  );
});

test("half_an_emoji_costs_a_character_not_the_order", async () => {
  const [order, view] = await records("half_an_emoji_in_a_product_name");
  assert.equal(order.event.items[0].item_name, "Mug with ribbon \ufffd");
  assert.equal(order.edge.value_minor, 2500);
  const repaired = ({ edge }) => edge.warnings.map(({ pointer }) => pointer);
  assert.ok(repaired(order).includes("/items/0/item_name"));
  assert.ok(!repaired(view).includes("/items/0/item_name"));
});

test("numbers_as_texts_fractions_and_a_voucher_are_orders", async () => {
  const found = await records("numbers_as_texts_fractions_and_a_voucher");
  assert.deepEqual(
    found.map(({ edge }) => edge.value_minor),
    [424542, 44875, 1850, 8962, 2500],
  );
  assert.equal(found[2].edge.item_amounts[0].amount_minor, 1850);
  assert.equal(found[3].edge.item_amounts[1].amount_minor, -1038);
});
