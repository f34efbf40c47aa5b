// The Power BI project as the checks see it: every file's text, the model's tables, the report's pages and visuals.

import { readFile, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { parseTmdl, unquoted } from "./tmdl.mjs";

const DEFINITION = "Shoptrail.SemanticModel/definition/";

/** The folder of the project in this repository. */
export const PROJECT = new URL("../../powerbi/", import.meta.url).pathname;

/** Reads the project in `folder`. Throws what makes it unreadable, named with file and line. */
export async function readProject(folder) {
  const files = await readFiles(folder);
  const pages = readJson(files, "/page.json");
  return { folder, files, model: readModel(files), pages, visuals: readJson(files, "/visual.json"), phone: readJson(files, "/mobile.json") };
}

async function readFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const files = new Map();
  for (const path of paths.toSorted()) {
    files.set(relative(folder, path).split(sep).join("/"), await readFile(path, "utf8"));
  }
  return files;
}

function readModel(files) {
  const parse = (path) => parseTmdl(files.get(DEFINITION + path) ?? "", path);
  const filesOf = (folder) => [...files.keys()].filter((path) => path.startsWith(DEFINITION + folder)).map((path) => path.slice(DEFINITION.length));
  const tables = new Map(filesOf("tables/").flatMap((path) => parse(path).map((object) => [object.name, table(object, path)])));
  return {
    tables,
    measures: new Map([...tables.values()].flatMap(({ name, measures }) => [...measures.values()].map((measure) => [measure.name, { ...measure, table: name }]))),
    references: parse("model.tmdl").filter(({ kind }) => kind === "ref table").map(({ name }) => name),
    roles: filesOf("roles/").flatMap((path) => parse(path).map(({ name, children }) => ({ name, file: path, permissions: children }))),
    expressions: parse("expressions.tmdl"),
    relationships: parse("relationships.tmdl").map(({ name, properties }) => ({ name, from: end(properties.fromColumn), to: end(properties.toColumn) })),
  };
}

function table(object, file) {
  const named = (kind) => new Map(object.children.filter((child) => child.kind === kind).map((child) => [child.name, child]));
  const [partition] = named("partition").values();
  return { ...object, file, columns: named("column"), measures: named("measure"), partition };
}

/** The gold table that a model table is read from, column by column; null for a table that is made from others. */
export function goldTableOf({ partition }) {
  return /^Gold\("(gold_\w+)"\)$/.exec(partition.properties.source)?.[1] ?? null;
}

/** `'Daily KPIs'.Day` as table and column. */
function end(text = "") {
  const [, tableName = "", column = ""] = /^('(?:[^']|'')+'|[^.']+)\.(.+)$/.exec(text) ?? [];
  return { table: unquoted(tableName), column: unquoted(column) };
}

function readJson(files, end) {
  const paths = [...files.keys()].filter((path) => path.endsWith(end));
  return paths.map((path) => ({ path, json: JSON.parse(files.get(path)) }));
}

/** Every `{ kind, table, name, at }` that a page, a visual or a filter uses; `at` is the object that holds it. */
export function* fields(json, aliases = new Map()) {
  if (json === null || typeof json !== "object") return;
  const known = new Map(aliases);
  for (const { Name, Entity } of Array.isArray(json.From) ? json.From : []) if (Entity) known.set(Name, Entity);
  for (const kind of ["Measure", "Column"]) {
    const source = json[kind]?.Expression?.SourceRef;
    if (source) yield { kind, table: source.Entity ?? known.get(source.Source), name: json[kind].Property, at: json };
  }
  for (const value of Object.values(json)) yield* fields(value, known);
}
