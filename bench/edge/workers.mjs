// The two Workers that are measured, as modules for workerd, and what both are configured with.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { ORIGIN } from "./batch.mjs";

const ROOT = new URL("../../", import.meta.url);
export const OUT = new URL("target/bench/edge/", ROOT);

export const COMPATIBILITY_DATE = "2026-04-01";

/** The variables of both; `kafka` is where Confluent's REST API is. */
export function settings(kafka = "http://127.0.0.1:9") {
  return {
    SHOPTRAIL_SHOPS: JSON.stringify([{ write_key: "pk_demo", shop_id: "demo", origins: [ORIGIN] }]),
    SHOPTRAIL_KAFKA_REST_URL: `${kafka}/kafka`,
    SHOPTRAIL_KAFKA_CLUSTER_ID: "lkc-bench",
    SHOPTRAIL_SCHEMA_ID: "1",
    SHOPTRAIL_KAFKA_API_KEY: "key",
    SHOPTRAIL_KAFKA_API_SECRET: "secret",
  };
}

export async function rust() {
  const folder = new URL("edge-worker/build/", ROOT);
  const read = (name) => readFile(new URL(name, folder));
  return [
    { type: "ESModule", path: "index.js", contents: (await read("index.js")).toString() },
    { type: "CompiledWasm", path: "index_bg.wasm", contents: await read("index_bg.wasm") },
  ];
}

export async function typescript() {
  await mkdir(OUT, { recursive: true });
  const schema = JSON.parse(
    await readFile(new URL("schemas/json/event.schema.json", ROOT), "utf8"),
  );
  const ajv = new Ajv({
    code: { source: true, esm: true, optimize: 2 },
    strict: false,
    validateFormats: false,
    logger: false,
  });
  const code = standalone.default(ajv, ajv.compile(schema));
  await writeFile(new URL("validate.generated.mjs", OUT), code);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("peer.ts", import.meta.url))],
    alias: { "event-validator": fileURLToPath(new URL("validate.generated.mjs", OUT)) },
    nodePaths: [fileURLToPath(new URL("node_modules", ROOT))],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return [{ type: "ESModule", path: "index.js", contents: outputFiles[0].text }];
}
