// The cross-check: that the model, the gold tables and the report fit together. No open tool knows all three. Every function
// takes the project and returns its problems as sentences, each with the file it is about.

import { nodes, parseDax } from "./dax.mjs";
import { layout, onPhone } from "./layout.mjs";
import { fields, goldTableOf } from "./project.mjs";

const MODEL_TYPES = { STRING: "string", INT64: "int64", FLOAT64: "double", BOOL: "boolean", DATE: "dateTime", TIMESTAMP: "dateTime" };
/** Measures that are words have no number format. */
const WORDS = ["Currency shown"];
/** The steps of the funnel are event types, and shown as such, too. */
const SHOWN_KEYS = ["Step"];

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
  const model = [tables, () => sources(project, gold), () => dimensions(project, gold), queries, sorting, relationships, paths, roles, measures, unused, dax];
  const checks = [...model, visuals, colours, slicers, titles, drillThrough, layout, onPhone];
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
  const problems = [...model.tables.values()].filter(goldTableOf).flatMap((table) => {
    const name = goldTableOf(table);
    read.add(name);
    return gold.has(name) ? sourceColumns(table, name, gold.get(name)) : [`${table.file}: gold has no table \`${name}\``];
  });
  for (const name of gold.keys()) if (!read.has(name)) problems.push(`no table reads \`${name}\``);
  return problems;
}

function sourceColumns({ file, columns }, source, types) {
  const problems = [];
  for (const { name, properties } of [...columns.values()].filter(({ expression }) => !expression)) {
    const type = types.get(properties.sourceColumn);
    if (!type) problems.push(`${file}: \`${source}\` has no column \`${properties.sourceColumn}\``);
    else if (MODEL_TYPES[type] !== properties.dataType) problems.push(`${file}: \`${name}\` is ${properties.dataType}, \`${source}.${properties.sourceColumn}\` is ${type}`);
  }
  const present = [...columns.values()].map(({ properties }) => properties.sourceColumn);
  for (const name of types.keys()) if (!present.includes(name)) problems.push(`${file}: \`${source}.${name}\` is missing`);
  return problems;
}

/** What the M of a table names in quotes or brackets is a column of the gold tables it reads, or one that it makes itself. */
function dimensions({ model }, gold) {
  const made = [...model.tables.values()].filter(({ partition }) => partition?.expression === "m" && partition.properties.source.includes("Gold("));
  return made.filter((table) => !goldTableOf(table)).flatMap(({ file, columns, partition }) => {
    const read = [...partition.properties.source.matchAll(/Gold\("(\w+)"\)/g)].map(([, name]) => name);
    const added = [...partition.properties.source.matchAll(/"(\w+)", each/g)].map(([, name]) => name);
    const known = [...read, ...read.flatMap((name) => [...(gold.get(name)?.keys() ?? [])]), ...added];
    const named = [...partition.properties.source.matchAll(/"(\w+)"|\[(\w+)\]/g)].map(([, quoted, inBrackets]) => quoted ?? inBrackets);
    const wanted = [...columns.values()].map(({ properties }) => properties.sourceColumn);
    const missing = new Set([...named, ...wanted].filter((name) => !known.includes(name)));
    const unread = read.filter((name) => !gold.has(name));
    return [...unread.map((name) => `${file}: gold has no table \`${name}\``), ...[...missing].map((name) => `${file}: nothing has a column \`${name}\``)];
  });
}

/** Every query calls functions that are there, every parameter is used, and `Source` offers what `Gold` reads. */
function queries({ model }) {
  const names = model.expressions.map(({ name }) => name);
  const partitions = [...model.tables.values()].filter(({ partition }) => partition?.expression === "m").map(({ file, partition }) => [file, partition.properties.source]);
  const texts = [...partitions, ...model.expressions.map(({ name, expression }) => [name, expression])];
  const problems = texts.flatMap(([place, text]) => {
    const called = [...text.replace(/"[^"]*"/g, '""').matchAll(/(?<![\w.#])(\w+)\(/g)].map(([, name]) => name);
    const own = [...text.matchAll(/(\w+) =/g)].map(([, name]) => name);
    return called.filter((name) => /^[A-Z]/.test(name) && !names.includes(name) && !own.includes(name)).map((name) => `${place}: no function ${name}`);
  });
  const isUsed = (name) => texts.some(([place, text]) => place !== name && new RegExp(`\\b${name}\\b`).test(text));
  for (const name of names) if (!isUsed(name)) problems.push(`expressions.tmdl: nothing uses ${name}`);
  const expression = (wanted) => model.expressions.find(({ name }) => name === wanted)?.expression ?? "";
  const offered = [.../List=\{(.+?)\}/.exec(expression("Source"))?.[1].matchAll(/"(\w+)"/g) ?? []].map(([, name]) => name);
  const read = [...expression("Gold").matchAll(/Source = "(\w+)" then From(\w+)\(name\)/g)].map(([, choice, reader]) => (choice === reader ? choice : `${choice} by ${reader}`));
  if (offered.join() !== read.join()) problems.push(`expressions.tmdl: Source offers ${offered.join(", ")}, Gold reads ${read.join(", ")}`);
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
    if (!many.isHidden && !SHOWN_KEYS.includes(from.column)) return [`${label}: readers see the first column and not what it points to`];
    return one.isKey ? [] : [`${label}: the second column is no key`];
  });
}

/** From one table to another there is one way: with two, Power BI makes a relationship inactive, and a filter stops. */
function paths({ model }) {
  const ways = (table) => model.relationships.filter(({ from }) => from.table === table).flatMap(({ to }) => [to.table, ...ways(to.table)]);
  return [...model.tables.keys()].flatMap((table) => {
    const reached = ways(table);
    const twice = new Set(reached.filter((name, index) => reached.indexOf(name) !== index));
    return [...twice].map((name) => `relationships.tmdl: two ways from ${table} to ${name}`);
  });
}

/** A role that filters leaves no table whole that tells about shops: it filters the table, or one that the table points to. */
function roles({ model }) {
  const tellsOfShops = (table) => goldTableOf(table) || [...table.columns.values()].some(({ properties }) => properties.sourceColumn === "shop_id");
  return model.roles.filter(({ permissions }) => permissions.length > 0).flatMap(({ name, file, permissions }) => {
    const filtered = permissions.map((permission) => permission.name);
    const isFiltered = (table) => filtered.includes(table) || model.relationships.some(({ from, to }) => from.table === table && isFiltered(to.table));
    const unknown = filtered.filter((table) => !model.tables.has(table)).map((table) => `${file}: no table ${table}`);
    const open = [...model.tables.values()].filter(tellsOfShops).filter((table) => !isFiltered(table.name));
    return [...unknown, ...open.map((table) => `${file}: \`${name}\` sees all of ${table.name}`)];
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
  const ofColumns = [...model.tables.values()].flatMap(({ file, columns }) => [...columns.values()].filter(({ expression }) => expression).map(({ name, expression }) => [`${file}: ${name}`, expression, null]));
  const ofRoles = model.roles.flatMap(({ file, permissions }) => permissions.map(({ name, expression }) => [`${file}: ${name}`, expression, null]));
  return [...ofMeasures, ...ofTables, ...ofColumns, ...ofRoles].flatMap(([place, text, table]) => {
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

/**
 * A visual's colour is written out, and is one of the theme's for data. By number (`ThemeDataColor`) Desktop counts the background and the
 * ink before these, so that 0 paints white on white.
 */
function colours({ files, visuals: all }) {
  const { dataColors } = JSON.parse(files.get("Shoptrail.Report/StaticResources/RegisteredResources/Shoptrail.json"));
  return all.flatMap(({ path, json }) => {
    const text = JSON.stringify(json);
    const strange = [...text.matchAll(/'(#[0-9a-f]+)'/gi)].filter(([, colour]) => !dataColors.includes(colour));
    const numbered = text.includes('"ThemeDataColor"') ? [`${path}: has a colour by its number`] : [];
    return [...strange.map(([, colour]) => `${path}: ${colour} is no data colour of the theme`), ...numbered];
  });
}

/** A slicer is of a table that filters others, and the column by which another table is joined is not shown in its place. */
function slicers({ model, visuals: all }) {
  const filtering = new Set(model.relationships.map(({ to }) => to.table));
  const isKey = ({ table, name }) => model.relationships.some(({ from }) => from.table === table && from.column === name && !SHOWN_KEYS.includes(name));
  return all.flatMap(({ path, json }) => {
    const used = [...fields(json)].filter(({ kind }) => kind === "Column");
    const alone = json.visual.visualType === "slicer" ? used.filter(({ table }) => !filtering.has(table)) : [];
    return [
      ...alone.map(({ table }) => `${path}: a slicer of ${table} filters nothing else`),
      ...used.filter(isKey).map(({ table, name }) => `${path}: shows ${table}[${name}] and not what it points to`),
    ];
  });
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
