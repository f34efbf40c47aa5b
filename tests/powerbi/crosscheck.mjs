// The cross-check: that the model, the gold tables and the report fit together. No open tool knows all three. Every function
// takes the project and returns its problems as sentences, each with the file it is about.

import { nodes, parseDax } from "./dax.mjs";
import { fields } from "./project.mjs";

const MODEL_TYPES = { STRING: "string", INT64: "int64", FLOAT64: "double", BOOL: "boolean", DATE: "dateTime", TIMESTAMP: "dateTime" };
/** Measures that are words have no number format. */
const WORDS = ["Currency shown"];

/** The gold tables of `docs/tables.md`: by name, a map of columns to types. */
export function goldTables(markdown) {
  const sections = markdown.split(/^## /m).slice(1).filter((section) => section.startsWith("gold_"));
  return new Map(sections.map((section) => {
    /** @type {[string, string][]} */
    const columns = [...section.matchAll(/^\| `(\w+)` \| (\w+)/gm)].map(([, name, type]) => [name, type]);
    return [section.split("\n", 1)[0], new Map(columns)];
  }));
}

/** All problems of a project. */
export function crossCheck(project, gold) {
  const checks = [tables, () => sources(project, gold), sorting, relationships, measures, unused, dax, visuals, titles, drillThrough, layout, readingOrder];
  return checks.flatMap((check) => check(project));
}

function tables({ model, files }) {
  const problems = [];
  const names = [...model.tables.keys()];
  for (const name of model.references) if (!names.includes(name)) problems.push(`model.tmdl: \`ref table ${name}\` has no file`);
  for (const { name, file, columns } of model.tables.values()) {
    if (!model.references.includes(name)) problems.push(`${file}: \`${name}\` is not in model.tmdl`);
    if (file !== `tables/${name}.tmdl`) problems.push(`${file}: the file of \`${name}\` has another name`);
    if (columns.has(name) && columns.get(name).properties.sourceColumn === name) problems.push(`${file}: a column is named like its table`);
  }
  const tags = [...files].filter(([path]) => path.endsWith(".tmdl")).flatMap(([, text]) => [...text.matchAll(/lineageTag: (\S+)/g)].map(([, tag]) => tag));
  for (const tag of new Set(tags.filter((tag, index) => tags.indexOf(tag) !== index))) problems.push(`lineageTag ${tag} is used twice`);
  return problems;
}

/** Every imported column exists in gold with a fitting type, and every gold column is in the model. */
function sources({ model }, gold) {
  const read = new Set();
  const problems = [...model.tables.values()].filter(({ partition }) => partition?.properties.source.includes("GoogleBigQuery")).flatMap((table) => {
    const name = /Name = "(gold_\w+)"/.exec(table.partition.properties.source)?.[1];
    read.add(name);
    return gold.has(name) ? sourceColumns(table, name, gold.get(name)) : [`${table.file}: gold has no table \`${name}\``];
  });
  for (const name of gold.keys()) if (!read.has(name)) problems.push(`no table reads \`${name}\``);
  return problems;
}

function sourceColumns({ file, columns }, source, types) {
  const problems = [];
  for (const { name, properties } of columns.values()) {
    const type = types.get(properties.sourceColumn);
    if (!type) problems.push(`${file}: \`${source}\` has no column \`${properties.sourceColumn}\``);
    else if (MODEL_TYPES[type] !== properties.dataType) problems.push(`${file}: \`${name}\` is ${properties.dataType}, \`${source}.${properties.sourceColumn}\` is ${type}`);
  }
  const present = [...columns.values()].map(({ properties }) => properties.sourceColumn);
  for (const name of types.keys()) if (!present.includes(name)) problems.push(`${file}: \`${source}.${name}\` is missing`);
  return problems;
}

function sorting({ model }) {
  return [...model.tables.values()].flatMap(({ file, columns }) => {
    const sorted = [...columns.values()].filter(({ properties }) => properties.sortByColumn);
    const by = ({ properties }) => properties.sortByColumn.replaceAll("'", "");
    return sorted.filter((column) => !columns.has(by(column))).map((column) => `${file}: \`${column.name}\` is sorted by \`${by(column)}\`, which is not there`);
  });
}

function relationships({ model }) {
  return model.relationships.flatMap(({ from, to }) => {
    const label = `relationships.tmdl: ${from.table}[${from.column}] to ${to.table}[${to.column}]`;
    const [many, one] = [from, to].map(({ table, column }) => model.tables.get(table)?.columns.get(column)?.properties);
    if (!many || !one) return [`${label}: ${many ? "the second" : "the first"} column is not there`];
    if (many.dataType !== one.dataType) return [`${label}: joins ${many.dataType} with ${one.dataType}`];
    return one.isKey ? [] : [`${label}: the second column is no key`];
  });
}

function measures({ model }) {
  return [...model.measures.values()].flatMap(({ name, description, properties }) => {
    const missing = [];
    if (!description) missing.push(`measure [${name}] has no description`);
    if (!properties.formatString && !WORDS.includes(name)) missing.push(`measure [${name}] has no format`);
    return missing;
  });
}

/** Measures that no visual shows and no other measure builds on. */
function unused({ model, visuals: all }) {
  const shown = all.map(({ json }) => JSON.stringify(json)).join("");
  const dax = [...model.measures.values()].map(({ expression }) => expression).join("");
  return [...model.measures.keys()]
    .filter((name) => !shown.includes(`"Property":${JSON.stringify(name)}`) && !dax.includes(`[${name}]`))
    .map((name) => `measure [${name}] is used nowhere`);
}

/** Syntax of all DAX, and that what it names is there. */
function dax({ model }) {
  const ofMeasures = [...model.measures.values()].map(({ name, expression }) => [`measure [${name}]`, expression, null]);
  const calculated = [...model.tables.values()].filter(({ partition }) => partition?.expression === "calculated");
  const ofTables = calculated.map((table) => [table.file, table.partition.properties.source, table]);
  return [...ofMeasures, ...ofTables].flatMap(([place, text, table]) => {
    try {
      return [...nodes(parseDax(text))].flatMap((node) => dangling(node, model, table)).map((problem) => `${place}: ${problem}`);
    } catch (error) {
      return [`${place}: ${error.message}`];
    }
  });
}

/** What a node names that is not there. Inside a calculated table, a bare [Name] is a column it makes. */
function dangling(node, model, table) {
  if (node.kind === "column" && !model.tables.get(node.table)?.columns.has(node.name)) return [`no column ${node.table}[${node.name}]`];
  if (node.kind === "measure" && !model.measures.has(node.name) && !table?.columns.has(node.name)) return [`no measure [${node.name}]`];
  if (node.kind === "table" && !model.tables.has(node.name)) return [`no table '${node.name}'`];
  return [];
}

function visuals({ model, visuals: all }) {
  return all.flatMap(({ path, json }) => {
    const problems = [];
    for (const { kind, table, name } of fields(json)) {
      const isThere = kind === "Measure" ? model.measures.get(name)?.table === table : model.tables.get(table)?.columns.has(name);
      if (!isThere) problems.push(`${path}: no ${kind.toLowerCase()} ${table}[${name}]`);
    }
    for (const { field, queryRef } of projections(json)) {
      const [{ Expression, Property }] = Object.values(field);
      const expected = `${Expression.SourceRef.Entity}.${Property}`;
      if (queryRef !== expected) problems.push(`${path}: queryRef ${queryRef} is not ${expected}`);
    }
    return [...problems, ...selectors(json, path)];
  });
}

const projections = (json) => Object.values(json.visual.query?.queryState ?? {}).flatMap((role) => role.projections);

/** A format for one field names the field as the query does. */
function selectors(json, path) {
  const known = projections(json).map(({ queryRef }) => queryRef);
  const used = Object.values(json.visual.objects ?? {}).flat().map(({ selector }) => selector?.metadata).filter(Boolean);
  return [...new Set(used)].filter((name) => !known.includes(name)).map((name) => `${path}: formats ${name}, which it does not show`);
}

/** Charts and tables say what they answer; key figures, slicers, buttons and text speak for themselves. */
function titles({ visuals: all }) {
  const untitled = all.filter(({ json }) => !["actionButton", "cardVisual", "slicer", "textbox"].includes(json.visual.visualType)).filter(({ json }) => {
    const { show, text } = json.visual.visualContainerObjects.title[0].properties;
    return show.expr.Literal.Value !== "true" || !/^'.{10,}'$/.test(text?.expr.Literal.Value ?? "");
  });
  return untitled.map(({ path }) => `${path}: no title`);
}

/** A page about one thing is bound to a field that its filter has, that is there, and that another page shows. */
function drillThrough({ model, pages, visuals: all }) {
  return pages.flatMap(({ path, json }) => {
    const bound = [...fields(json)];
    const problems = bound.filter(({ table, name }) => !model.tables.get(table)?.columns.has(name)).map(({ table, name }) => `${path}: no column ${table}[${name}]`);
    const filters = (json.filterConfig?.filters ?? []).map(({ name }) => name);
    const parameters = json.pageBinding?.parameters ?? [];
    if (json.type === "Drillthrough" && parameters.length === 0) problems.push(`${path}: is bound to nothing`);
    for (const { boundFilter } of parameters) if (!filters.includes(boundFilter)) problems.push(`${path}: has no filter ${boundFilter}`);
    const elsewhere = all.filter((visual) => !visual.path.startsWith(path.replace("page.json", ""))).flatMap((visual) => [...fields(visual.json)]);
    const isReached = ({ table, name }) => elsewhere.some((field) => field.table === table && field.name === name);
    return [...problems, ...bound.filter((field) => !isReached(field)).map(({ table, name }) => `${path}: no other page shows ${table}[${name}]`)];
  });
}

/** The tab key goes through a page as one reads it: by rows, each from the left. */
function readingOrder({ visuals: all }) {
  const page = ({ path }) => path.split("/visuals/")[0];
  return [...new Set(all.map(page))].flatMap((name) => {
    const read = all.filter((visual) => page(visual) === name).toSorted(({ json: { position: a } }, { json: { position: b } }) => a.y - b.y || a.x - b.x);
    const early = read.filter(({ json }, index) => index > 0 && json.position.tabOrder <= read[index - 1].json.position.tabOrder);
    return early.map(({ path }) => `${path}: the tab key comes to it too early`);
  });
}

/** Visuals keep to the page and do not overlap. */
function layout({ visuals: all }) {
  const problems = [];
  const boxes = all.map(({ path, json }) => ({ path, page: path.split("/visuals/")[0], ...json.position }));
  const overlap = (a, b) => a.page === b.page && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  boxes.forEach((a, index) => boxes.slice(index + 1).filter((b) => overlap(a, b)).forEach((b) => problems.push(`${a.path} overlaps ${b.path}`)));
  return problems;
}
