// The table of customers by lifetime value. Customer numbers come from events: text only, never markup.

import { integer, money } from "./format.js";

const MOST_ROWS = 50;

/** Customers in `currency`, the most valuable first, at most `MOST_ROWS`. */
export function topCustomers(rows, currency) {
  const chosen = rows.filter((row) => row.currency === currency.code);
  return chosen.sort((a, b) => b.lifetime_value_minor - a.lifetime_value_minor).slice(0, MOST_ROWS);
}

/** Fills the table body `host`. */
export function showCustomers(host, rows, currency) {
  host.replaceChildren(...topCustomers(rows, currency).map((row) => tableRow(row, currency)));
}

function tableRow(row, currency) {
  const line = document.createElement("tr");
  const customer = line.appendChild(cell("", "customer"));
  const name = customer.appendChild(document.createElement("span"));
  name.textContent = row.customer_id;
  name.title = row.customer_id;
  line.append(
    cell(row.rfm_segment, "group"),
    cell(integer(row.orders), "number"),
    cell(money(row.lifetime_value_minor, currency), "number"),
  );
  return line;
}

function cell(text, className) {
  const element = document.createElement("td");
  element.className = className;
  element.textContent = text;
  return element;
}
