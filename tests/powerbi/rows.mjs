// Gold rows as Power BI would load them into the model, and the model's own constant tables.

import { nodes, parseDax } from "./dax.mjs";

const DAY_MS = 86_400_000;

/** The rows of every model table, as Power BI would load or compute them. */
export function modelRows(model, tables, today) {
  const rows = Object.fromEntries([...model.tables.values()].map((table) => [table.name, loaded(table, tables)]));
  const first = Math.min(...rows["Daily KPIs"].map((row) => row.Day));
  rows.Date = Array.from({ length: dayNumber(today) - first + 1 }, (_, index) => ({ Date: first + index }));
  const used = new Set(tables.gold_daily_kpis.map(({ currency }) => currency));
  rows.Currency = constantRows(model, "Currency", ["Code", "Name", "Digits"]).filter(({ Code }) => used.has(Code));
  rows["Funnel Step"] = constantRows(model, "Funnel Step", ["Step", "Name", "Order"]);
  rows["Refusal Reason"] = constantRows(model, "Refusal Reason", ["Reason", "Name"]);
  return rows;
}

/** Days since 1970, as which dates and times are computed with. */
export function dayNumber(day) {
  return Date.parse(day) / DAY_MS;
}

function loaded({ partition, columns }, tables) {
  const source = /Name = "(gold_\w+)"/.exec(partition.properties.source)?.[1];
  const cell = (value, { dataType }) => (dataType === "dateTime" && value ? dayNumber(value) : value);
  const cells = (row) => [...columns.values()].map(({ name, properties }) => [name, cell(row[properties.sourceColumn], properties)]);
  return (tables[source] ?? []).map((row) => Object.fromEntries(cells(row)));
}

/** The rows written out in a calculated table. */
export function constantRows(model, table, names) {
  const tree = parseDax(model.tables.get(table).partition.properties.source);
  const rows = [...nodes(tree)].filter(({ kind, rows }) => kind === "rows" && rows[0].kind === "literal");
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row.rows[index].value])));
}
