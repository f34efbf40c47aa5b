// What is deployed stays small: Cloudflare counts the compressed bundle, and each new instance compiles all of it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 300_000;

test("bundle_is_within_its_budget", async () => {
  const files = ["index.js", "index_bg.wasm"].map((name) =>
    readFile(new URL(`../build/${name}`, import.meta.url)),
  );
  const bytes = gzipSync(Buffer.concat(await Promise.all(files)), { level: 9 }).length;
  assert.ok(bytes <= BUDGET_BYTES, `${bytes} bytes as gzip, of ${BUDGET_BYTES}`);
});
