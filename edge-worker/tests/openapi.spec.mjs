// What the Worker replies is what `openapi.json` says.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Gateway } from "./gateway.mjs";
import { batch, event, startWorker } from "./worker.mjs";

const description = JSON.parse(await readFile(new URL("../openapi.json", import.meta.url), "utf8"));
const ajv = new Ajv2020({ strict: false, formats: { uint: true, uint32: true } }).addSchema(
  description,
  "openapi",
);

let gateway;
let worker;

before(async () => {
  gateway = await new Gateway().start();
  worker = await startWorker(gateway);
});
after(async () => {
  await worker.stop();
  await gateway.stop();
});

async function isDescribed(path, method, response) {
  const responses = description.paths[path][method].responses;
  assert.ok(responses[response.status], `${response.status} is not described`);
  const pointer = `#/paths/${path.replace("/", "~1")}/${method}/responses/${response.status}/content/application~1json/schema`;
  const body = await response.json();
  const validate = ajv.compile({ $ref: `openapi${pointer}` });
  assert.ok(validate(body), JSON.stringify({ body, errors: validate.errors }));
  return response.status;
}

test("replies_to_batches_are_as_described", async () => {
  const replies = [
    await worker.post(batch([event(1), event(2, { user_id: 42 })])),
    await worker.post(batch([event(1), "01"])),
    await worker.post(batch(["01"])),
    await worker.post("{"),
    await worker.post(batch([event(1)], { write_key: "pk_stranger" })),
    await worker.post(batch([event(1)]), { origin: "https://evil.example" }),
    await worker.post("x".repeat(600_000)),
  ];
  const statuses = [];
  for (const reply of replies) {
    statuses.push(await isDescribed("/b", "post", reply));
  }
  assert.deepEqual(statuses, [202, 207, 400, 400, 401, 403, 413]);
});

test("health_is_as_described", async () => {
  assert.equal(
    await isDescribed("/health", "get", await fetch(new URL("/health", worker.url))),
    200,
  );
  const misconfigured = await startWorker(gateway, { vars: { SHOPTRAIL_SCHEMA_ID: "latest" } });
  try {
    assert.equal(
      await isDescribed("/health", "get", await fetch(new URL("/health", misconfigured.url))),
      500,
    );
  } finally {
    await misconfigured.stop();
  }
});
