// Where do we lose them?

import { figuresOf } from "../cards.js";
import * as columns from "../columns.js";
import { percent, shortDay } from "../format.js";
import { ratio } from "../kpi.js";
import { eventsPart, funnelPart } from "./parts.js";

const STEPS = ["sessions", "view_item", "add_to_cart", "begin_checkout", "purchase"];

/** One row per value of `by`, with the sessions of each step. */
function stepsBy(rows, by) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row[by]) ?? { name: row[by] };
    group[row.step] = row.sessions;
    groups.set(row[by], group);
  }
  return [...groups.values()].toSorted((a, b) => b.sessions - a.sessions);
}

function comparison(name, title, label, filter) {
  const share = (label, step, before) =>
    columns.share(label, (row) => ratio(row[step], row[before]), { word: "Sales funnel" });
  return {
    name: `funnel-by-${filter}`,
    title,
    word: "Sales funnel",
    none: "No sessions in this period.",
    rows: (answer) => stepsBy(answer[name], filter),
    columns: [
      columns.text(label, "name", { filter: (row) => [filter, row.name] }),
      columns.count("Sessions", "sessions", { word: "Sessions" }),
      share("Viewed a product", STEPS[1], STEPS[0]),
      share("… then to cart", STEPS[2], STEPS[1]),
      share("… then checkout", STEPS[3], STEPS[2]),
      share("… then bought", STEPS[4], STEPS[3]),
      share("Bought, of all", STEPS[4], STEPS[0]),
    ],
  };
}

const byDay = {
  name: "conversion-by-day",
  title: "Reached the cart and the purchase, by day",
  word: "Sales funnel",
  chart: "09_conversion_by_day",
  none: "No sessions in this period.",
  rows: ({ by_day: days }) =>
    days.flatMap((row) =>
      [
        ["Added to cart", row.add_to_cart],
        ["Purchased", row.purchase],
      ].map(([step, reached]) => ({
        day: row.day,
        at: shortDay(row.day),
        step,
        reached,
        sessions: row.sessions,
        share: ratio(reached, row.sessions) ?? 0,
        share_text: percent(ratio(reached, row.sessions)),
      })),
    ),
  columns: [
    columns.day("Day", "day"),
    columns.text("Step", "step"),
    columns.count("Sessions that reached it", "reached", { word: "Sales funnel" }),
    columns.share("Of all sessions", "share", { word: "Share of sessions" }),
  ],
};

/** A session is of no category, what was done with products is. */
const byCategory = {
  name: "funnel-by-category",
  title: "By product category",
  word: "Buy rate",
  none: "No product was seen in this period.",
  rows: ({ categories }) => categories,
  columns: [
    columns.text("Category", "category"),
    columns.count("Product views", "views", { word: "Product views" }),
    columns.count("Added to cart", "carts", { word: "Added to cart" }),
    columns.count("Orders", "purchases", { word: "Orders with the product" }),
    columns.share("Bought per view", (row) => ratio(row.purchases, row.views), {
      word: "Buy rate",
    }),
  ],
};

export const funnel = {
  title: "Funnel",
  cards: ["sessions", "conversion_rate", "cart_abandonment_rate", "orders", "revenue"],
  figures: figuresOf,
  panels: [
    { className: "half", parts: [funnelPart] },
    { className: "half", parts: [byDay] },
    { className: "half", parts: [comparison("by_device", "By device", "Device", "device")] },
    { className: "half", parts: [comparison("by_channel", "By channel", "Channel", "channel")] },
    { className: "half", parts: [byCategory] },
    { className: "half", parts: [eventsPart] },
  ],
};
