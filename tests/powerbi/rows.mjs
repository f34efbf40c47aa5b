// Gold rows as Power BI would load them into the model, and the tables that the model makes from them or has itself.

import { nodes, parseDax } from "./dax.mjs";
import { calculated } from "./evaluate.mjs";
import { goldTableOf } from "./project.mjs";

const DAY_MS = 86_400_000;

/** The rows of every model table, as Power BI would load or compute them. */
export function modelRows(model, tables, today) {
  const rows = Object.fromEntries([...model.tables.values()].map((table) => [table.name, loaded(table, tables)]));
  const first = Math.min(...rows["Daily KPIs"].map((row) => row.Day));
  rows.Date = Array.from({ length: dayNumber(today) - first + 1 }, (_, index) => ({ Date: first + index }));
  const used = new Set(tables.gold_daily_kpis.map(({ currency }) => currency));
  rows.Currency = constantRows(model, "Currency", ["Code", "Name", "Digits"]).filter(({ Code }) => used.has(Code));
  Object.assign(rows, dimensions(tables));
  rows["Funnel Step"] = constantRows(model, "Funnel Step", ["Step", "Name", "Order"]);
  rows["Refusal Reason"] = constantRows(model, "Refusal Reason", ["Reason", "Name"]);
  return rows;
}

/** Days since 1970, as which dates and times are computed with. */
export function dayNumber(day) {
  return Date.parse(day) / DAY_MS;
}

function loaded(table, tables) {
  const columns = [...table.columns.values()];
  const cell = (value, { dataType }) => (dataType === "dateTime" && value ? dayNumber(value) : value);
  const cells = (row) => columns.map(({ name, properties }) => [name, cell(row[properties.sourceColumn], properties)]);
  const rows = (tables[goldTableOf(table)] ?? []).map((row) => Object.fromEntries(cells(row)));
  for (const { name, expression } of columns.filter(({ expression }) => expression)) for (const row of rows) row[name] = calculated(table, expression, row);
  return rows;
}

/** What the M of the dimensions makes of gold. */
function dimensions(tables) {
  const distinct = (column, ...sources) => [...new Set(sources.flatMap(([name, from]) => tables[name].map((row) => row[from])))].map((cell) => ({ [column]: cell }));
  const byDay = tables.gold_product_performance.toSorted((a, b) => a.day.localeCompare(b.day));
  const product = ({ shop_id, item_id, item_name, item_category }) => ({ "Product Key": `${shop_id}/${item_id}`, "Shop ID": shop_id, "Product ID": item_id, Product: item_name, Category: item_category });
  const customer = ({ shop_id, customer_id }) => ({ "Customer Key": `${shop_id}/${customer_id}`, "Shop ID": shop_id, "Customer ID": customer_id });
  const keyed = (key, rows) => [...new Map(rows.map((row) => [row[key], row])).values()];
  return {
    Shop: distinct("Shop", ["gold_pipeline_completeness", "shop_id"]),
    Product: keyed("Product Key", byDay.map(product)),
    Customer: keyed("Customer Key", tables.gold_customer_ltv.map(customer)),
    Channel: distinct("Channel", ["gold_conversion_funnel", "channel"], ["gold_channel_attribution", "channel"], ["gold_customer_ltv", "first_channel"]),
    Device: distinct("Device", ["gold_conversion_funnel", "device"], ["gold_device_trends", "device"]),
  };
}

/** The rows written out in a calculated table. */
export function constantRows(model, table, names) {
  const tree = parseDax(model.tables.get(table).partition.properties.source);
  const rows = [...nodes(tree)].filter(({ kind, rows }) => kind === "rows" && rows[0].kind === "literal");
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row.rows[index].value])));
}
