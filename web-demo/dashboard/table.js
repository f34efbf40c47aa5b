// Tables of rows. What they show came from events: text only, never markup.

import { shown } from "./columns.js";
import { explain } from "./words.js";

const NUMBERS = new Set(["count", "number", "share", "time", "amount"]);

/** Builds a table of `columns` into `host`; the function returned fills it. */
export function createTable(host, { columns, label, testid }) {
  const table = host.appendChild(document.createElement("table"));
  if (testid) table.dataset.testid = testid;
  table.createCaption().textContent = label;
  table.caption.className = "hidden";
  const head = table.createTHead().insertRow();
  for (const column of columns) head.append(heading(column));
  const body = table.createTBody();
  return (rows, context) => body.replaceChildren(...rows.map((row) => line(columns, row, context)));
}

function heading(column) {
  const cell = document.createElement("th");
  cell.scope = "col";
  cell.className = NUMBERS.has(column.kind) ? "number" : "";
  const name = cell.appendChild(document.createElement("span"));
  name.textContent = column.label;
  if (column.word) explain(name, column.word);
  return cell;
}

function line(columns, row, context) {
  const element = document.createElement("tr");
  element.append(...columns.map((column) => cell(column, row, context)));
  return element;
}

function cell(column, row, context) {
  const element = document.createElement("td");
  element.className = NUMBERS.has(column.kind) ? "number" : column.kind;
  const words = String(shown(column, row, context));
  if (!column.filter) {
    element.textContent = words;
    if (column.kind === "text") element.title = words;
    return element;
  }
  const [name, value] = column.filter(row);
  const button = element.appendChild(document.createElement("button"));
  button.type = "button";
  button.className = "filter";
  button.textContent = words;
  button.title = `Show only ${words}`;
  button.addEventListener("click", () => context.choose({ [name]: value }));
  return element;
}
