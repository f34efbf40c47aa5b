// What do visitors look for, and what do they leave in their carts?

import * as columns from "../columns.js";
import { duration, integer, money, percent, shortDay } from "../format.js";
import { ratio } from "../kpi.js";

function figuresOf(answer) {
  const before = answer.searches_before && answer.carts_before;
  return {
    values: valuesOf(answer.searches[0], answer.carts),
    before: before ? valuesOf(answer.searches_before[0], answer.carts_before) : null,
  };
}

function valuesOf(searches, carts) {
  return {
    searches: searches.searches,
    search_click_rate: ratio(searches.clicked_searches, searches.searches),
    search_revenue: searches.revenue_minor,
    carts: carts.bought + carts.recovered + carts.abandoned,
    recovery_rate: ratio(carts.recovered, carts.recovered + carts.abandoned),
    abandoned_value: carts.abandoned_minor,
  };
}

const term = columns.text("Term", "search_term", { filter: (row) => ["term", row.search_term] });

const terms = {
  name: "terms",
  title: "Search terms",
  word: "Searches",
  chart: "16_search_terms",
  step: true,
  none: "Nobody searched in this period.",
  rows: ({ terms: rows }, { currency }) =>
    rows.map((row) => ({
      ...row,
      click_text: percent(ratio(row.clicked_searches, row.searches)),
      bought_text: percent(ratio(row.converted_searches, row.searches)),
      amount: money(row.revenue_minor, currency),
      detail: `${percent(ratio(row.clicked_searches, row.searches))} click`,
    })),
  finding: ({ terms: rows }, { currency }) => {
    const [best] = rows.toSorted((a, b) => b.revenue_minor - a.revenue_minor);
    return best?.revenue_minor > 0
      ? `“${best.search_term}” brings most: ${money(best.revenue_minor, currency)}`
      : "";
  },
  filter: (row) => ["term", row.search_term],
  columns: [
    term,
    columns.count("Searches", "searches", { word: "Searches" }),
    columns.share("With a click", (row) => ratio(row.clicked_searches, row.searches), {
      word: "Click-through rate of a search",
    }),
    columns.share("With an order", (row) => ratio(row.converted_searches, row.searches)),
    columns.amount("Revenue after it", "revenue_minor", { word: "Revenue after a search" }),
  ],
};

const unclicked = {
  name: "unclicked",
  title: "Searches that lead to no product",
  word: "Searches without a click",
  none: "Every search led to a product.",
  rows: ({ terms: rows }) =>
    rows
      .map((row) => ({ ...row, unclicked: row.searches - row.clicked_searches }))
      .filter((row) => row.unclicked > 0)
      .toSorted((a, b) => b.unclicked - a.unclicked),
  finding: ({ searches: [all] }) =>
    all.searches > 0
      ? `${percent(ratio(all.searches - all.clicked_searches, all.searches))} of all searches`
      : "",
  columns: [
    term,
    columns.count("Without a click", "unclicked", { word: "Searches without a click" }),
    columns.share("Of its searches", (row) => ratio(row.unclicked, row.searches)),
    columns.count("Searched again", "refined_searches"),
  ],
};

const visits = {
  name: "visits",
  title: "Sessions with and without a search",
  word: "Sessions",
  none: "No sessions in this period.",
  rows: ({ visits: rows }) =>
    rows.map((row) => ({ ...row, kind: row.searched ? "With a search" : "Without" })),
  finding: ({ visits: rows }) => {
    const rate = (searched) => {
      const row = rows.find((one) => one.searched === searched);
      return row ? ratio(row.converted_sessions, row.sessions) : null;
    };
    const [searched, others] = [rate(true), rate(false)];
    return searched === null || others === null
      ? ""
      : `${percent(searched)} of those who search buy, ${percent(others)} of the others`;
  },
  columns: [
    columns.text("Sessions", "kind"),
    columns.count("Number", "sessions", { word: "Sessions" }),
    columns.share("Conversion rate", (row) => ratio(row.converted_sessions, row.sessions), {
      word: "Conversion rate",
    }),
    columns.amount("Revenue", "revenue_minor", { word: "Revenue" }),
    columns.amount("Per session", (row) => Math.round(row.revenue_minor / row.sessions)),
  ],
};

/** What became of a cart, in words, in the order of the chart. */
const STATUS = { bought: "Bought at once", recovered: "Recovered", abandoned: "Left" };

const carts = {
  name: "carts-by-day",
  title: "What became of carts, by the day they began",
  word: "Carts",
  chart: "17_carts_by_day",
  none: "No cart began in this currency in this period.",
  rows: ({ carts_by_day: days }, { currency }) =>
    days.map((row) => ({
      ...row,
      at: shortDay(row.day),
      status: STATUS[row.status],
      amount: money(row.value_minor, currency),
    })),
  finding: ({ carts: { bought, recovered, abandoned } }) => {
    const all = bought + recovered + abandoned;
    return all > 0
      ? `${percent(bought / all)} bought at once, ${percent(recovered / all)} later, ${percent(abandoned / all)} not so far`
      : "";
  },
  columns: [
    columns.day("Day", "day"),
    columns.text("Carts", "status", { word: "Carts" }),
    columns.count("Number", "carts", { word: "Carts" }),
    columns.amount("Value", "value_minor"),
  ],
};

const recovery = {
  name: "recovery-times",
  title: "How long until left carts are bought",
  word: "Recovered carts",
  none: "No cart was recovered in this period.",
  rows: ({ recovery_times: rows }) => rows,
  finding: ({ carts: { recovery_ms } }) =>
    recovery_ms === null ? "" : `Half of them within ${duration(recovery_ms)}`,
  columns: [
    columns.time("Within", "within_ms", { show: bound }),
    columns.count("Recovered carts", "carts", { word: "Recovered carts" }),
    columns.amount("Value", "value_minor"),
  ],
};

function bound(milliseconds) {
  const hours = milliseconds / 3_600_000;
  if (hours <= 1) return "1 hour";
  return hours <= 24 ? "1 day" : `${hours / 24} days`;
}

const left = {
  name: "left-carts",
  title: "Left carts of the largest value",
  word: "Abandoned carts",
  none: "No cart was left in this period.",
  rows: ({ left_carts: rows }) => rows,
  finding: ({ carts: { abandoned, abandoned_minor } }, { currency }) =>
    abandoned > 0
      ? `${integer(abandoned)} carts with ${money(abandoned_minor, currency)} in them`
      : "",
  columns: [
    columns.instant("Left", "left_at"),
    columns.amount("Value", "value_minor", { word: "Value left in carts" }),
    columns.count("Products added", "adds"),
    columns.count("Sessions", "sessions"),
    columns.instant("Begun", "opened_at"),
    columns.text("Cart", "cart_id"),
  ],
};

export const search = {
  title: "Search and carts",
  cards: [
    "searches",
    "search_click_rate",
    "search_revenue",
    "carts",
    "recovery_rate",
    "abandoned_value",
  ],
  figures: figuresOf,
  panels: [
    { className: "half", parts: [terms] },
    { className: "half", parts: [unclicked] },
    { className: "half", parts: [carts] },
    { className: "half", parts: [visits, recovery] },
    { className: "whole", parts: [left] },
  ],
};
