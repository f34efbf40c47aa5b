// The core without WASM and the WASM module as built answer the vectors as `tests/vectors.rs` has the Rust core do.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { createCore } from "../js/fallback.js";
import { IMPORTS, coreOf } from "../js/module.js";

const built = new URL("../../target/tracker-parts/", import.meta.url);
const scenarios = JSON.parse(
  await readFile(new URL("../vectors/core.json", import.meta.url), "utf8"),
);

const expand = (arg) => {
  if (typeof arg !== "object") return arg;
  return arg.repeat ? arg.repeat[0].repeat(arg.repeat[1]) : arg.concat.map(expand).join("");
};

const check = (create) => {
  assert.ok(scenarios.length > 0);
  for (const { name, steps } of scenarios) {
    const core = create();
    for (const [number, { call, args, want }] of steps.entries()) {
      const answer = core[call](...args.map(expand));
      // WebAssembly has no booleans.
      const given = typeof want === "boolean" ? Boolean(answer) : answer;
      assert.deepEqual(given, want, `${name}, step ${number}: ${call}`);
    }
  }
};

test("the core without WASM answers the vectors", () => check(createCore));

test("the WASM module answers the vectors", async () => {
  const module = await readFile(new URL("collector.wasm", built));
  check(coreOf((await WebAssembly.instantiate(module, IMPORTS)).instance));
});
