// What sells, and what only gets looked at?

import { figuresOf } from "../cards.js";
import * as columns from "../columns.js";
import { integer, percent } from "../format.js";
import { ratio } from "../kpi.js";
import { bestSellersPart, trendingPart } from "./parts.js";

/** Fewer views say nothing of a rate. */
const FEWEST_VIEWS = 10;

const views = columns.count("Views", "views", { word: "Product views" });
const orders = columns.count("Orders", "purchases", { word: "Orders with the product" });
const buyRate = columns.share("Bought per view", (row) => ratio(row.purchases, row.views), {
  word: "Buy rate",
});
const revenue = columns.amount("Revenue", "revenue_minor", { word: "Product revenue" });
const figures = [
  views,
  columns.count("Added to cart", "carts", { word: "Added to cart" }),
  orders,
  buyRate,
  columns.count("Units", "quantity", { word: "Units sold" }),
  revenue,
];

const viewsAndRate = {
  name: "views-and-rate",
  title: "Looked at and bought",
  word: "Buy rate",
  chart: "10_views_and_buy_rate",
  none: "No product has ten views in this period.",
  rows: ({ products }) =>
    products
      .filter((row) => row.views >= FEWEST_VIEWS)
      .map((row) => ({
        ...row,
        product: row.item_name || row.item_id,
        rate: row.purchases / row.views,
        rate_text: percent(row.purchases / row.views),
      })),
  finding: ({ products }) => {
    const [worst] = products
      .filter((row) => row.views >= 2 * FEWEST_VIEWS && row.purchases === 0)
      .toSorted((a, b) => b.views - a.views);
    return worst ? `${worst.item_name}: ${integer(worst.views)} views, never bought` : "";
  },
  filter: (row) => ["product", row.item_id],
  columns: [
    columns.text("Product", "product", { filter: (row) => ["product", row.item_id] }),
    ...figures,
  ],
};

const all = {
  name: "all-products",
  title: "All products",
  word: "Product revenue",
  none: "No product was seen in this period.",
  rows: ({ products }) => products,
  columns: [
    columns.text("Product", (row) => row.item_name || row.item_id, {
      filter: (row) => ["product", row.item_id],
    }),
    columns.text("Category", "item_category"),
    ...figures,
    columns.amount("Refunded", "refunds_minor", { word: "Product refunds" }),
  ],
};

const categories = {
  name: "categories",
  title: "Categories",
  none: "No product was seen in this period.",
  rows: ({ categories }) => categories,
  columns: [columns.text("Category", "category"), views, orders, buyRate, revenue],
};

export const products = {
  title: "Products",
  cards: ["revenue", "orders", "average_order_value", "net_revenue"],
  figures: figuresOf,
  panels: [
    { className: "third", parts: [bestSellersPart] },
    { className: "third", parts: [trendingPart] },
    { className: "third", parts: [viewsAndRate] },
    { className: "wide", parts: [all] },
    { className: "side", parts: [categories] },
  ],
};
