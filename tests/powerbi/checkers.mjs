// Checks by other people's tools: Microsoft's JSON schemas, Microsoft's report checker, Microsoft's parser of M.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { Ajv } from "ajv";

const { DefaultSettings, TaskUtils } = createRequire(import.meta.url)("@microsoft/powerquery-parser");
const HOST = "https://developer.microsoft.com/json-schemas/";

/** Where Microsoft's schemas lie; the path below it is the path of a schema's address. */
export const SCHEMAS = process.env.SHOPTRAIL_PBI_SCHEMAS ?? new URL("../../../shared/pbi-schemas", import.meta.url).pathname;

/** Why the schemas cannot be used, or null. */
export const schemasMissing = existsSync(join(SCHEMAS, "fabric")) ? null : `no schemas in ${SCHEMAS} (SHOPTRAIL_PBI_SCHEMAS)`;

/** Why layouts for phones cannot be validated, or null. */
export const phoneSchemaMissing = existsSync(join(SCHEMAS, "fabric/item/report/definition/visualContainerMobileState")) ? null : `no visualContainerMobileState in ${SCHEMAS}`;

/** Validates every JSON file of the project by the schema it names. */
export async function schemaProblems({ files }) {
  const ajv = await readSchemas();
  return [...files].filter(([path]) => /(\.json|\.pbi[prs]m?|\.platform)$/.test(path)).flatMap(([path, text]) => {
    const json = JSON.parse(text);
    // A theme may name no schema; the checker knows themes.
    if (path.includes("/StaticResources/")) return [];
    const validate = ajv.getSchema(json.$schema ?? "");
    // Folders of schemas from before there were layouts for phones lack theirs.
    if (!validate && path.endsWith("/mobile.json") && phoneSchemaMissing) return [];
    if (!validate) return [`${path}: no schema ${json.$schema}`];
    return validate(json) ? [] : validate.errors.map(({ instancePath, message, params }) => `${path}: ${instancePath} ${message} ${JSON.stringify(params)}`);
  });
}

async function readSchemas() {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const path of await readdir(SCHEMAS, { recursive: true })) {
    if (!path.endsWith(".json")) continue;
    // Some name themselves with a dot where their address, which others refer to, has a hyphen.
    const schema = { ...JSON.parse(await readFile(join(SCHEMAS, path), "utf8")), $id: HOST + path };
    ajv.addSchema(schema);
  }
  return ajv;
}

/** What Microsoft's report checker finds, as `CODE: message`. It works offline, so without the schemas. */
export async function checkerProblems({ folder }) {
  const cli = join(dirname(createRequire(import.meta.url).resolve("ajv/package.json")), "../@microsoft/powerbi-report-authoring-cli/dist/cli.js");
  const output = await new Promise((resolve, reject) => {
    const args = [cli, "validate", join(folder, "Shoptrail.Report"), "--no-schema"];
    execFile(process.execPath, args, (error, stdout) => (stdout ? resolve(stdout) : reject(error)));
  });
  const { data, error } = JSON.parse(output);
  if (error) return [`${error.code}: ${error.message}`];
  return Object.entries(data.diagnostics ?? {}).flatMap(([code, { items }]) => items.map(({ message }) => `${code}: ${message}`));
}

/** Syntax errors in the M of the model's partitions and parameters. */
export async function mProblems({ model }) {
  const queries = [...model.tables.values()].filter(({ partition }) => partition?.expression === "m");
  const texts = [...queries.map(({ file, partition }) => [file, partition.properties.source]), ...model.expressions.map(({ name, expression }) => [name, expression])];
  const results = await Promise.all(texts.map(async ([place, text]) => [place, await TaskUtils.tryLexParse(DefaultSettings, text)]));
  return results.filter(([, task]) => !TaskUtils.isParseStageOk(task)).map(([place, task]) => `${place}: ${task.error?.message ?? "not M"}`);
}
