// What happens now? The last hour, whatever period is chosen.

import * as columns from "../columns.js";
import { hoursMinutes, integer, timeOfDay } from "../format.js";

const MINUTES = 60;
const MINUTE_MS = 60_000;

function figuresOf({ present: [now] }) {
  return {
    values: {
      visitors_now: now.visitors_now,
      visitors_hour: now.visitors,
      events_hour: now.events,
      orders_hour: now.orders,
      revenue_hour: now.revenue_minor,
    },
    before: null,
  };
}

/** Every minute of the last hour; quiet ones have zeros. */
function minuteRows({ at, minutes }) {
  const last = Math.floor(Date.parse(at) / MINUTE_MS);
  const known = new Map(
    minutes.map((row) => [Math.floor(Date.parse(row.minute) / MINUTE_MS), row]),
  );
  return Array.from({ length: MINUTES }, (_, index) => {
    const minute = last - MINUTES + 1 + index;
    const row = known.get(minute);
    return {
      place: index,
      at: hoursMinutes(minute * MINUTE_MS),
      events: row?.events ?? 0,
      visitors: row?.visitors ?? 0,
      orders: row?.orders ?? 0,
    };
  });
}

const minutes = {
  name: "minutes",
  title: "Events by minute",
  word: "Events",
  chart: "13_last_hour",
  none: "Nothing in the last hour.",
  rows: minuteRows,
  finding: ({ at }) => `The hour up to ${timeOfDay(at)}, whatever period is chosen`,
  columns: [
    columns.text("Minute", "at"),
    columns.count("Events", "events", { word: "Events" }),
    columns.count("Visitors", "visitors", { word: "Visitors" }),
    columns.count("Orders", "orders", { word: "Orders" }),
  ],
};

const newest = {
  name: "newest",
  title: "Newest events",
  word: "Events",
  none: "Nothing in the last hour.",
  rows: ({ newest }) => newest,
  columns: [
    columns.instant("When", "event_time", { show: timeOfDay }),
    columns.text("What", "event_type"),
    columns.text("Page", "page_path"),
    columns.text("Channel", "channel", {
      word: "Channel",
      filter: (row) => ["channel", row.channel],
    }),
    columns.text("Device", "device", { filter: (row) => ["device", row.device] }),
    columns.text("Country", "country"),
    columns.amount("Value", "value_minor", { currency: (row) => row.currency ?? "EUR" }),
  ],
};

const pages = {
  name: "pages",
  title: "Pages viewed",
  none: "No page was viewed in the last hour.",
  rows: ({ pages }) => pages,
  columns: [
    columns.text("Page", "page_path"),
    columns.count("Views", "views"),
    columns.count("Visitors", "visitors", { word: "Visitors" }),
  ],
};

const products = {
  name: "products-now",
  title: "Products looked at",
  none: "No product was looked at in the last hour.",
  rows: ({ products }) => products,
  finding: ({ products: [first] }) =>
    first ? `${first.item_name}: ${integer(first.views)} views` : "",
  columns: [
    columns.text("Product", "item_name", { filter: (row) => ["product", row.item_id] }),
    columns.count("Views", "views", { word: "Product views" }),
    columns.count("To cart", "carts", { word: "Added to cart" }),
    columns.count("Bought", "purchases", { word: "Orders with the product" }),
  ],
};

export const live = {
  title: "Live",
  cards: ["visitors_now", "visitors_hour", "events_hour", "orders_hour", "revenue_hour"],
  figures: figuresOf,
  panels: [
    { className: "whole", parts: [minutes] },
    { className: "wide", parts: [newest] },
    { className: "side", parts: [pages, products] },
  ],
};
