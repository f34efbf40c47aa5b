// The tables as SQL (backend/sql): Spark's dialect is generated from BigQuery's, and BigQuery's makes the tables that the polars plans
// make. DuckDB reads it here; no BigQuery and no Spark is needed. Turns that Spark takes are taken here with what DuckDB makes, and in a
// server with BigQuery's API.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { BigQueryServer } from "./bigquery-server.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PYTHON = join(ROOT, "target/tools/local-bigquery/venv/bin/python");
const SHOPTRAIL = join(ROOT, "target/debug/shoptrail");

/** Runs a program. */
function run(program, args, env = {}) {
  const ended = spawnSync(program, args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (ended.error) throw ended.error;
  return ended;
}

/** Runs a program of `backend/sql`. */
function python(program, ...args) {
  return run(PYTHON, [join(ROOT, "backend/sql", program), ...args]);
}

test("spark's dialect is what is generated from BigQuery's", () => {
  const { status, stderr } = python("generate.py", "--check");
  assert.equal(status, 0, stderr);
});

describe("the golden cases", () => {
  let folder;
  let lake;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shoptrail-sql-"));
    lake = join(folder, "lake");
    const { status, stderr } = python("golden.py", SHOPTRAIL, lake);
    assert.equal(status, 0, stderr);
  });
  after(() => rm(folder, { recursive: true }));

  test("are the same tables by SQL as by polars, row for row", () => {
    const { status, stdout, stderr } = python("parity.py", lake);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^silver_orders: [1-9]\d* rows, equal$/m);
  });

  test("are published from elsewhere in turn, and a build goes on from there", () => {
    const turns = python("turns.py", SHOPTRAIL, lake);
    assert.equal(turns.status, 0, turns.stdout + turns.stderr);
    assert.match(turns.stdout, /^published: 2\ntoo late: another build .*\nhint: .*\nbuilt: 3$/m);
    const { status, stdout, stderr } = python("parity.py", lake);
    assert.equal(status, 0, stdout + stderr);
  });
});

describe("a dataset", () => {
  let server;
  before(async () => {
    server = await BigQueryServer.start();
    const { status, stderr } = run(SHOPTRAIL, ["build", ...server.flags]);
    assert.equal(status, 0, stderr);
  });
  after(() => server?.stop());

  test("takes over all tables of a turn or none, and none of one that is too late", () => {
    const turns = join(ROOT, "tests/bigquery/turns.py");
    const { status, stdout, stderr } = run(PYTHON, [turns], server.emulator);
    assert.equal(status, 0, stderr);
    const expected = [
      "published 2: a b",
      "too late: another build has published meanwhile, before this one or after it",
      "hint: run again",
      "still: a b",
      "failed, still: a b",
      `publication 2, cursor {"landed_at":1}, tables ['silver_quarantine']`,
    ];
    assert.deepEqual(stdout.trimEnd().split("\n"), expected);
  });
});
