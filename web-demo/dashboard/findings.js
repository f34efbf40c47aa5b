// One sentence under each title that says what the chart shows. Pure: rows, choices and the time come in, text goes out.

import { hoursMinutes, calendarDay, integer, money, percent } from "./format.js";
import { topCustomers } from "./customers.js";

const DAY_MS = 86_400_000;
const STEP_NAMES = {
  view_item: "viewing a product",
  add_to_cart: "adding to the cart",
  begin_checkout: "beginning the checkout",
  purchase: "buying",
};

/** The sentence of every panel, by its `data-finding` name; empty where there is nothing to say. */
export function findings(tables, range, currency, now) {
  const within = (rows) => rows.filter(({ day }) => day >= range.from && day <= range.to);
  const funnel = within(tables.gold_conversion_funnel);
  return {
    days:
      range.from === range.to
        ? "The days before are drawn faintly"
        : bestDay(within(tables.gold_daily_kpis), currency),
    funnel: largestLoss(funnel.filter((row) => row.kind === "step")),
    events: eventCount(funnel.filter((row) => row.kind === "event")),
    products: leadingProduct(within(tables.gold_product_performance), currency),
    trending: latestWindow(tables.gold_trending_products, now),
    devices: leadingDevice(within(tables.gold_device_trends)),
    customers: customerShare(tables.gold_customer_ltv, currency),
  };
}

function bestDay(rows, currency) {
  const byDay = largestFirst(
    sumBy(
      rows.filter((row) => row.currency === currency.code),
      "day",
      "revenue_gross_minor",
    ),
  );
  if (byDay.length < 2 || byDay[0][1] === 0) return "";
  return `Best day: ${calendarDay(byDay[0][0])} with ${money(byDay[0][1], currency)}`;
}

function largestLoss(rows) {
  const order = [
    ...new Set(rows.toSorted((a, b) => a.step_order - b.step_order).map((row) => row.step)),
  ];
  const sessions = sumBy(rows, "step", "sessions");
  const losses = order
    .slice(1)
    .map((step, index) => [step, lossShare(sessions.get(order[index]), sessions.get(step))]);
  const [step, share] = losses.toSorted((a, b) => b[1] - a[1])[0] ?? [];
  return share > 0
    ? `Largest loss: ${percent(share)} leave before ${STEP_NAMES[step] ?? step}`
    : "";
}

function lossShare(before, after) {
  return before === 0 ? 0 : 1 - after / before;
}

function eventCount(rows) {
  const total = rows.reduce((sum, row) => sum + row.events, 0);
  return total === 0 ? "" : `${integer(total)} events in all`;
}

function leadingProduct(rows, currency) {
  const chosen = rows.filter((row) => row.currency === currency.code);
  const [[id, revenue] = []] = largestFirst(sumBy(chosen, "item_id", "revenue_minor"));
  const total = chosen.reduce((sum, row) => sum + row.revenue_minor, 0);
  if (!revenue) return "";
  const name = chosen.findLast((row) => row.item_id === id).item_name ?? id;
  return `${name} brings ${percent(revenue / total)} of product revenue`;
}

function latestWindow(rows, now) {
  if (rows.length === 0) return "";
  const latest = rows.reduce((last, row) => (row.window_end > last.window_end ? row : last));
  const times = `${hoursMinutes(latest.window_start)} to ${hoursMinutes(latest.window_end)}`;
  const isOld = now - Date.parse(latest.window_end) > DAY_MS;
  return isOld
    ? `Last seen on ${calendarDay(latest.window_end)}, ${times}`
    : `Latest window: ${times}`;
}

function leadingDevice(rows) {
  const [[device, sessions] = []] = largestFirst(sumBy(rows, "device", "sessions"));
  const total = rows.reduce((sum, row) => sum + row.sessions, 0);
  return total === 0 ? "" : `${percent(sessions / total)} of sessions on ${device ?? "other"}`;
}

function customerShare(rows, currency) {
  const customers = topCustomers(rows, currency);
  const repeat = customers.filter((row) => row.orders > 1).length;
  return customers.length === 0
    ? "No customer has bought in this currency yet."
    : `All time; ${repeat} of the top ${customers.length} bought again`;
}

function sumBy(rows, key, field) {
  const sums = new Map();
  for (const row of rows) sums.set(row[key], (sums.get(row[key]) ?? 0) + row[field]);
  return sums;
}

function largestFirst(sums) {
  return [...sums].sort((a, b) => b[1] - a[1]);
}
