// Parts that stand on more than one page.

import * as columns from "../columns.js";
import { countryName, integer, money, percent } from "../format.js";
import { ratio } from "../kpi.js";

const STEP_NAMES = {
  sessions: "All sessions",
  view_item: "Viewed a product",
  add_to_cart: "Added to cart",
  begin_checkout: "Began checkout",
  purchase: "Purchased",
};
const LOSSES = {
  view_item: "viewing a product",
  add_to_cart: "adding to the cart",
  begin_checkout: "beginning the checkout",
  purchase: "buying",
};
const SYSTEMS = {
  windows: "Windows",
  macos: "macOS",
  ios: "iOS",
  android: "Android",
  linux: "Linux",
};

/** Columns of tables whose rows are groups of sessions. */
export const SESSION_COLUMNS = [
  columns.count("Sessions", "sessions", { word: "Sessions" }),
  columns.share("Bounce rate", (row) => ratio(row.bounced_sessions, row.sessions), {
    word: "Bounce rate",
  }),
  columns.share("Conversion rate", (row) => ratio(row.converted_sessions, row.sessions), {
    word: "Conversion rate",
  }),
  columns.time("Avg. duration", (row) => ratio(row.session_duration_ms, row.sessions), {
    word: "Average session duration",
  }),
  columns.count("Orders", "orders", { word: "Orders" }),
  columns.amount("Revenue", "revenue_minor", { word: "Revenue" }),
];

/** Sessions by step: the rows of the funnel's chart. */
export function stepRows(steps) {
  const all = steps.find((row) => row.step === "sessions")?.sessions ?? 0;
  if (all === 0) return [];
  return steps.map((row, index) => {
    const before = index > 0 ? steps[index - 1].sessions : null;
    const rate = ratio(row.sessions, before);
    const next = rate === null ? "" : `  ·  ${percent(rate)} went on`;
    return {
      ...row,
      name: STEP_NAMES[row.step] ?? row.step,
      share: row.sessions / all,
      share_text: percent(row.sessions / all),
      rate,
      rate_text: percent(rate),
      detail: `${integer(row.sessions)}${next}`,
    };
  });
}

/** The step before which most are lost, in a sentence. */
export function largestLoss(steps) {
  const losses = stepRows(steps)
    .filter((row) => row.rate !== null)
    .map((row) => ({ step: row.step, share: 1 - row.rate }))
    .toSorted((a, b) => b.share - a.share);
  const [worst] = losses;
  return worst?.share > 0
    ? `Largest loss: ${percent(worst.share)} leave before ${LOSSES[worst.step] ?? worst.step}`
    : "";
}

export const funnelPart = {
  name: "funnel",
  title: "Sales funnel",
  word: "Sales funnel",
  chart: "04_sales_funnel",
  step: true,
  none: "No sessions in this period.",
  rows: ({ steps }) => stepRows(steps),
  finding: ({ steps }) => largestLoss(steps),
  columns: [
    columns.text("Step", "name"),
    columns.count("Sessions", "sessions", { word: "Sales funnel" }),
    columns.share("Of all sessions", "share", { word: "Share of sessions" }),
    columns.share("Of the step before", "rate", { word: "Step rate" }),
  ],
};

export const eventsPart = {
  name: "events",
  title: "Events by type",
  word: "Events",
  chart: "05_events_by_type",
  step: true,
  none: "No events in this period.",
  rows: ({ events }) =>
    events.map((row) => ({ ...row, name: row.event_type.replaceAll("_", " ") })),
  finding: ({ events }) => {
    const total = sum(events, "events");
    return total > 0 ? `${integer(total)} events of ${events.length} types` : "";
  },
  columns: [
    columns.text("Event type", "event_type"),
    columns.count("Events", "events", { word: "Events" }),
    columns.count("Sessions with it", "sessions", { word: "Sessions" }),
  ],
};

/** Products by revenue: the rows of the chart of best sellers. */
export function productRows(products, currency) {
  return products
    .filter((row) => row.revenue_minor > 0)
    .map((row, index) => ({
      ...row,
      rank: index + 1,
      product: row.item_name || row.item_id,
      revenue: row.revenue_minor / currency.minor_per_unit,
      amount: money(row.revenue_minor, currency),
      share: ratio(row.revenue_minor, row.total_minor),
      share_text: percent(ratio(row.revenue_minor, row.total_minor)),
    }));
}

export const bestSellersPart = {
  name: "products",
  title: "Top products by revenue",
  word: "Product revenue",
  chart: "03_top_products",
  step: true,
  none: "Nothing sold in this currency in this period.",
  rows: ({ products }, { currency }) => productRows(products, currency),
  finding: ({ products }, { currency }) => {
    const [first] = productRows(products, currency);
    return first ? `${first.product} brings ${first.share_text} of product revenue` : "";
  },
  filter: (row) => ["product", row.item_id],
  columns: [
    columns.text("Product", "product", { filter: (row) => ["product", row.item_id] }),
    columns.amount("Revenue", "revenue_minor", { word: "Product revenue" }),
    columns.share("Share", "share", { word: "Product revenue" }),
    columns.count("Units sold", "quantity", { word: "Units sold" }),
  ],
};

export const trendingPart = {
  name: "trending",
  title: "Trending",
  word: "Trend score",
  chart: "06_trending_products",
  step: true,
  none: "No product rises above its usual pace.",
  rows: ({ trending }) =>
    trending.map((row, index) => ({
      ...row,
      rank: index + 1,
      product: row.item_name || row.item_id,
      detail: `${integer(row.views)} ${row.views === 1 ? "view" : "views"} · ${integer(row.carts)} to cart · ${integer(row.purchases)} bought`,
    })),
  finding: ({ trending }) => windowOf(trending),
  filter: (row) => ["product", row.item_id],
  columns: [
    columns.text("Product", "product", { filter: (row) => ["product", row.item_id] }),
    columns.number("Trend score", "trend_score", { word: "Trend score" }),
    columns.count("Views", "views", { word: "Product views" }),
    columns.count("Added to cart", "carts", { word: "Added to cart" }),
    columns.count("Bought", "purchases"),
  ],
};

function windowOf(trending) {
  if (trending.length === 0) return "";
  const latest = trending.reduce((last, row) => (row.window_end > last.window_end ? row : last));
  const shown = (instant) =>
    columns.shown(
      columns.instant("", () => instant),
      {},
      {},
    );
  return `Ten minutes up to ${shown(latest.window_end)}`;
}

/** Sessions by device, split by the systems that have a colour of their own. */
export function deviceRows(devices) {
  const groups = new Map();
  for (const row of devices) {
    const os = SYSTEMS[(row.os ?? "").toLowerCase()] ?? "Other";
    const device = row.device ?? "other";
    const key = `${device}\n${os}`;
    const group = groups.get(key) ?? { device, os, sessions: 0, converted_sessions: 0 };
    group.sessions += row.sessions;
    group.converted_sessions += row.converted_sessions;
    groups.set(key, group);
  }
  const rows = [...groups.values()];
  return rows.map((row) => ({
    ...row,
    device_sessions: sum(
      rows.filter((other) => other.device === row.device),
      "sessions",
    ),
    conversion: percent(ratio(row.converted_sessions, row.sessions)),
  }));
}

export const devicesPart = {
  name: "devices",
  title: "Devices and systems",
  word: "Sessions by device",
  chart: "07_device_os",
  none: "No sessions in this period.",
  rows: ({ devices }) => deviceRows(devices),
  finding: ({ devices }) => {
    const [first] = deviceRows(devices).toSorted((a, b) => b.device_sessions - a.device_sessions);
    return first
      ? `${percent(first.device_sessions / sum(devices, "sessions"))} of sessions on ${first.device}`
      : "";
  },
  filter: (row) => row.device && ["device", row.device],
  columns: [
    columns.text("Device", "device", { filter: (row) => ["device", row.device] }),
    columns.text("System", "os"),
    columns.count("Sessions", "sessions", { word: "Sessions by device" }),
    columns.share("Conversion rate", (row) => ratio(row.converted_sessions, row.sessions), {
      word: "Conversion rate",
    }),
  ],
};

export const channelsPart = {
  name: "channels",
  title: "Sessions by channel",
  word: "Channel",
  chart: "08_channels",
  step: true,
  none: "No sessions in this period.",
  rows: ({ channels }, { currency }) =>
    channels.map((row) => ({
      ...row,
      conversion: percent(ratio(row.converted_sessions, row.sessions)),
      amount: money(row.revenue_minor, currency),
      detail: `${percent(ratio(row.converted_sessions, row.sessions))} buy`,
    })),
  finding: ({ channels }) => {
    const best = channels
      .filter((row) => row.sessions >= 20)
      .toSorted((a, b) => b.converted_sessions / b.sessions - a.converted_sessions / a.sessions)[0];
    return best
      ? `${best.channel} converts best: ${percent(best.converted_sessions / best.sessions)}`
      : "";
  },
  filter: (row) => ["channel", row.channel],
  columns: [
    columns.text("Channel", "channel", {
      word: "Channel",
      filter: (row) => ["channel", row.channel],
    }),
    ...SESSION_COLUMNS,
  ],
};

export const countriesPart = {
  name: "countries",
  title: "Countries",
  word: "Country",
  none: "No sessions in this period.",
  rows: ({ countries }) => countries,
  columns: [
    columns.text("Country", "country", {
      show: countryName,
      filter: (row) => ["country", row.country],
    }),
    ...SESSION_COLUMNS,
  ],
};

/** The most valuable customers, as every page lists them. */
export const CUSTOMER_COLUMNS = [
  columns.text("Customer", "customer_id", { filter: (row) => ["customer", row.customer_id] }),
  columns.text("Segment", "rfm_segment", { word: "Segment" }),
  columns.count("Orders", "orders", { word: "Orders of a customer" }),
  columns.amount("Value", "lifetime_value_minor", { word: "Lifetime value" }),
];

/** The sum of a field. */
export function sum(rows, field) {
  return rows.reduce((total, row) => total + row[field], 0);
}
