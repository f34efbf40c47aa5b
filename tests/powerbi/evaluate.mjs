// Computes our measures on rows, with the few DAX functions they use: filters travel along the relationships to the facts,
// CALCULATE replaces filters, BLANK is null. A small model of the real engine; what it does not know is an error.

import { parseDax } from "./dax.mjs";

/**
 * Prepares a model over `rows` (by table name, columns by their names in the model). The function returned computes a
 * measure where `filters` (`"Table[Column]"` → a test of its value) hold.
 */
export function evaluator(model, rows) {
  const trees = new Map([...model.measures].map(([name, { expression }]) => [name, parseDax(expression)]));
  const engine = { model, rows, trees };
  return (measure, filters = {}) => value({ kind: "measure", name: measure }, { engine, filters: new Map(Object.entries(filters)), row: null, variables: new Map() });
}

/** The value of a calculated column in a row of its table. */
export function calculated(table, expression, row) {
  return value(parseDax(expression), { engine: null, filters: new Map(), row: cells(table.name, row), variables: new Map() });
}

/**
 * The rows that `reader`, who is in `role`, gets to see: those that its permissions let through, and of tables that point to
 * these, directly or not, the rows that point to rows that are seen.
 */
export function secured(model, rows, role, reader) {
  const engine = { model, rows, trees: new Map(), reader };
  const seen = { ...rows };
  for (const { name, expression } of role.permissions) {
    const tree = parseDax(expression);
    seen[name] = rows[name].filter((row) => value(tree, { engine, filters: new Map(), row: cells(name, row), variables: new Map() }));
  }
  const waiting = role.permissions.map(({ name }) => name);
  for (const table of waiting) {
    for (const { from, to } of model.relationships.filter((one) => one.to.table === table)) {
      const keys = new Set(seen[table].map((row) => row[to.column]));
      seen[from.table] = seen[from.table].filter((row) => keys.has(row[from.column]));
      waiting.push(from.table);
    }
  }
  return seen;
}

const MINUTES_PER_DAY = 24 * 60;

const key = ({ table, name }) => `${table}[${name}]`;

/** A row as the list of its columns and values, by which an expression finds them. */
const cells = (table, row) => Object.entries(row).map(([name, cell]) => [key({ table, name }), cell]);

/** Whether a filter is on a table, or on one that it points to. */
function isFiltered(table, { engine, filters }) {
  const isOwn = [...filters.keys()].some((column) => column.startsWith(`${table}[`));
  return isOwn || engine.model.relationships.some(({ from, to }) => from.table === table && isFiltered(to.table, { engine, filters }));
}

/** Rows of a table that pass the filters on it and on the tables it points to. */
function visible(table, { engine, filters }) {
  const own = [...filters].filter(([column]) => column.startsWith(`${table}[`)).map(([column, test]) => [column.slice(table.length + 1, -1), test]);
  const others = engine.model.relationships.filter(({ from, to }) => from.table === table && isFiltered(to.table, { engine, filters }));
  const allowed = others.map(({ from, to }) => [from.column, new Set(visible(to.table, { engine, filters }).map((row) => row[to.column]))]);
  return engine.rows[table].filter((row) => own.every(([column, test]) => test(row[column])) && allowed.every(([column, keys]) => keys.has(row[column])));
}

const column = (node, context) => visible(node.table, context).map((row) => row[node.name]).filter((cell) => cell !== null && cell !== undefined);
const distinct = (node, context) => [...new Set(column(node, context))];

const FUNCTIONS = {
  SUM: ([field], context) => column(field, context).reduce((sum, cell) => (sum ?? 0) + cell, null),
  MIN: ([field], context) => column(field, context).reduce((least, cell) => (least === null || cell < least ? cell : least), null),
  MAX: ([field], context) => column(field, context).reduce((most, cell) => (most === null || cell > most ? cell : most), null),
  DIVIDE: ([over, under], context) => {
    const [numerator, denominator] = [value(over, context), value(under, context)];
    return numerator === null || !denominator ? null : numerator / denominator;
  },
  SUMX: ([rows, node], context) => each(rows, node, context).reduce((sum, cell) => (cell === null ? sum : (sum ?? 0) + cell), null),
  SWITCH: ([node, ...cases], context) => {
    const wanted = value(node, context);
    const found = cases.findIndex((one, index) => index % 2 === 0 && index + 1 < cases.length && value(one, context) === wanted);
    return found < 0 ? null : value(cases[found + 1], context);
  },
  DATEDIFF: ([first, last, unit], context) => {
    if (unit.name !== "MINUTE") throw new Error(`no way to count by ${unit.name}`);
    const [from, to] = [first, last].map((moment) => Math.floor(value(moment, context) * MINUTES_PER_DAY));
    return to - from;
  },
  COUNTA: ([field], context) => column(field, context).length || null,
  FALSE: () => false,
  USERPRINCIPALNAME: (_, context) => context.engine.reader,
  BLANK: () => null,
  ISBLANK: ([node], context) => value(node, context) === null,
  IF: ([condition, yes, no], context) => (value(condition, context) ? value(yes, context) : no ? value(no, context) : null),
  HASONEVALUE: ([field], context) => distinct(field, context).length === 1,
  LOOKUPVALUE: ([result, search, wanted], context) => {
    const sought = value(wanted, context);
    return context.engine.rows[search.table].find((row) => row[search.name] === sought)?.[result.name] ?? null;
  },
  MAXX: ([table, node], context) => each(table, node, context).reduce((most, cell) => (most === null || cell > most ? cell : most), null),
  CALCULATE: ([node, ...changes], context) => value(node, changed(changes, context)),
};

/** The context inside CALCULATE and CALCULATETABLE. */
function changed(changes, context) {
  const filters = new Map(context.filters);
  // Inside an iteration the row becomes a filter.
  for (const [name, cell] of context.row ?? []) filters.set(name, (other) => other === cell);
  for (const change of changes) narrow(change, filters, context);
  return { ...context, filters, row: null };
}

/** Applies one filter argument of CALCULATE; its values are computed outside the new filters. */
function narrow(change, filters, context) {
  const drop = (table) => [...filters.keys()].filter((name) => name.startsWith(`${table}[`)).forEach((name) => filters.delete(name));
  const remove = (node) => (node.kind === "column" ? filters.delete(key(node)) : drop(node.name));
  if (change.kind === "binary" && ["=", ">"].includes(change.operator) && change.left.kind === "column") {
    const wanted = value(change.right, context);
    return filters.set(key(change.left), (cell) => OPERATORS[change.operator](cell, wanted));
  }
  if (change.name === "REMOVEFILTERS") return change.arguments.forEach(remove);
  if (change.name === "DATESBETWEEN") {
    const [field, first, last] = change.arguments;
    const [from, to] = [value(first, context), value(last, context)];
    drop(field.table);
    return filters.set(key(field), (day) => day >= from && day <= to);
  }
  throw new Error(`no way to filter by ${change.name ?? change.kind}`);
}

/** The rows of a table expression; each is a list of column and value. */
function table(node, context) {
  if (node.kind === "table") return visible(node.name, context).map((row) => cells(node.name, row));
  if (node.name === "CALCULATETABLE") return table(node.arguments[0], changed(node.arguments.slice(1), context));
  if (node.name === "VALUES") return distinct(node.arguments[0], context).map((cell) => [[key(node.arguments[0]), cell]]);
  if (node.name !== "TOPN") throw new Error(`no table ${node.name}`);
  const [count, rows, ...orders] = node.arguments;
  const ranked = table(rows, context).map((row) => ({ row, by: orders.filter((_, index) => index % 2 === 0).map((order) => value(order, { ...context, row })) }));
  const signs = orders.filter((_, index) => index % 2 === 1).map((direction) => (direction.name === "DESC" ? -1 : 1));
  const compare = (a, b) => signs.map((sign, index) => (a.by[index] < b.by[index] ? -sign : a.by[index] > b.by[index] ? sign : 0)).find((order) => order !== 0) ?? 0;
  return ranked.toSorted(compare).slice(0, value(count, context)).map(({ row }) => row);
}

const each = (rows, node, context) => table(rows, context).map((row) => value(node, { ...context, row }));

const OPERATORS = {
  "+": (a, b) => (a === null && b === null ? null : a + b),
  "-": (a, b) => (a === null && b === null ? null : a - b),
  "*": (a, b) => (a === null || b === null ? null : a * b),
  "/": (a, b) => (a === null ? null : a / b),
  "^": (a, b) => a ** b,
  "&": (a, b) => `${a ?? ""}${b ?? ""}`,
  "=": (a, b) => a === b,
  ">": (a, b) => a > b,
  "||": (a, b) => a || b,
  "&&": (a, b) => a && b,
};

function value(node, context) {
  if (node.kind === "literal") return node.value;
  if (node.kind === "measure") {
    const tree = context.engine.trees.get(node.name);
    if (!tree) throw new Error(`no measure [${node.name}]`);
    return FUNCTIONS.CALCULATE([tree], { ...context, variables: new Map() });
  }
  if (node.kind === "column") return new Map(context.row).get(key(node)) ?? null;
  if (node.kind === "name") return context.variables.get(node.name);
  if (node.operator === "IN") return table(node.right, context).some(([[, cell]]) => cell === value(node.left, context));
  if (node.kind === "binary") return OPERATORS[node.operator](value(node.left, context), value(node.right, context));
  if (node.kind === "call" && FUNCTIONS[node.name]) return FUNCTIONS[node.name](node.arguments, context);
  if (node.kind !== "let") throw new Error(`no way to compute ${node.name ?? node.kind}`);
  const variables = new Map(context.variables);
  for (const variable of node.variables) variables.set(variable.name, value(variable.value, { ...context, variables }));
  return value(node.body, { ...context, variables });
}
