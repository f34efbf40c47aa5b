// The tables as SQL (backend/sql): Spark's dialect is generated from BigQuery's, and BigQuery's makes the tables that the polars plans
// make. DuckDB reads it here; no BigQuery and no Spark is needed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PYTHON = join(ROOT, "target/tools/local-bigquery/venv/bin/python");
const SHOPTRAIL = join(ROOT, "target/debug/shoptrail");

/** Runs a program of `backend/sql`. */
function python(program, ...args) {
  const run = spawnSync(PYTHON, [join(ROOT, "backend/sql", program), ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (run.error) throw run.error;
  return run;
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
});
