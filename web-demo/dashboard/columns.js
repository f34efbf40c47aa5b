// Columns of tables and of their CSV files: what a cell shows, and the plain value behind it.

import { calendarDay, decimal, duration, integer, money, percent, timeOfDay } from "./format.js";

/**
 * A column. `of` is the name of a field, or a function of the row; `word` the definition of its heading; `filter` the
 * filter that a click on a cell sets, to `value(row)`.
 */
function column(kind, label, of, more = {}) {
  const value = typeof of === "function" ? of : (row) => row[of];
  return { kind, label, value, ...more };
}

export const text = (label, of, more) => column("text", label, of, more);
export const count = (label, of, more) => column("count", label, of, more);
export const number = (label, of, more) => column("number", label, of, more);
export const share = (label, of, more) => column("share", label, of, more);
export const time = (label, of, more) => column("time", label, of, more);
export const day = (label, of, more) => column("day", label, of, more);
export const instant = (label, of, more) => column("instant", label, of, more);
/** An amount in minor units; `currency(row)` where rows have currencies of their own. */
export const amount = (label, of, more) => column("amount", label, of, more);

const SHOWN = {
  text: (value) => value ?? "–",
  count: integer,
  number: decimal,
  share: percent,
  time: duration,
  day: (value) => (value ? calendarDay(value) : "–"),
  instant: (value) => (value ? `${calendarDay(value)}, ${timeOfDay(value)}` : "–"),
};

/** What the cell of a row shows. */
export function shown(column, row, context) {
  const value = column.value(row);
  if (column.show) return column.show(value, row);
  if (column.kind === "amount") return money(value, currencyOf(column, row, context));
  return SHOWN[column.kind](value);
}

/** The rows as CSV by RFC 4180: money in units of its currency, shares from 0 to 1, durations in seconds. */
export function csv(columns, rows, context) {
  const head = columns.map((column) => quoted(headOf(column, context)));
  const lines = rows.map((row) => columns.map((column) => quoted(plain(column, row, context))));
  return [head, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

function headOf(column, context) {
  if (column.kind === "amount" && !column.currency)
    return `${column.label} (${context.currency.code})`;
  return column.kind === "time" ? `${column.label} (s)` : column.label;
}

function plain(column, row, context) {
  const value = column.value(row);
  if (value === null || value === undefined) return "";
  if (column.kind === "amount") {
    const { minor_per_unit, digits } = currencyOf(column, row, context);
    return (value / minor_per_unit).toFixed(digits);
  }
  return column.kind === "time" ? String(value / 1000) : String(value);
}

/** What strangers named themselves must not become a formula of a spreadsheet: a text that begins like one gets a quote. */
function quoted(value) {
  const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function currencyOf(column, row, context) {
  return column.currency ? context.currencyOf(column.currency(row)) : context.currency;
}
