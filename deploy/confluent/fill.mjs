// Fills the placeholders of a connector's configuration from the environment:
//
//     node deploy/confluent/fill.mjs deploy/confluent/bigquery-sink.json > filled.json
//
// A value that is `${NAME}` becomes the variable's value, quotes and line breaks escaped as JSON wants them: a service account's key
// is JSON itself. The output holds secrets.

import { readFile } from "node:fs/promises";
import { argv, env, exit, stderr, stdout } from "node:process";
import { pathToFileURL } from "node:url";

export const PLACEHOLDER = /^\$\{([A-Z][A-Z0-9_]*)\}$/;

/** The configuration with every placeholder replaced, or an error that names every variable that is missing. */
export function fill(config, variables) {
  const name = (value) => PLACEHOLDER.exec(value)?.[1];
  const missing = Object.values(config)
    .map(name)
    .filter((variable) => variable !== undefined && !variables[variable]);
  if (missing.length > 0) throw new Error(`not set: ${missing.join(", ")}`);
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      name(value) === undefined ? value : variables[name(value)],
    ]),
  );
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  try {
    if (argv.length !== 3) throw new Error("usage: node fill.mjs CONFIG.json");
    stdout.write(
      `${JSON.stringify(fill(JSON.parse(await readFile(argv[2], "utf8")), env), null, 2)}\n`,
    );
  } catch (error) {
    stderr.write(`error: ${error.message}\n`);
    exit(2);
  }
}
