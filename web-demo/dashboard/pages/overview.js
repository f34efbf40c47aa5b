// Is the shop on track?

import { figuresOf } from "../cards.js";
import * as columns from "../columns.js";
import { money, percent } from "../format.js";
import { ratio } from "../kpi.js";
import { courseRows } from "./course.js";
import {
  CUSTOMER_COLUMNS,
  bestSellersPart,
  channelsPart,
  devicesPart,
  eventsPart,
  funnelPart,
  trendingPart,
} from "./parts.js";

const COURSE_COLUMNS = [
  columns.text("Day or hour", "at"),
  columns.amount("Revenue", "revenue_minor", { word: "Revenue" }),
  columns.amount("Revenue before", "revenue_before_minor", { word: "Previous period" }),
  columns.count("Orders", "orders", { word: "Orders" }),
  columns.count("Sessions", "sessions", { word: "Sessions" }),
  columns.count("Sessions before", "sessions_before", { word: "Previous period" }),
  columns.share("Conversion rate", (row) => ratio(row.converted_sessions, row.sessions), {
    word: "Conversion rate",
  }),
];

const revenue = {
  name: "days",
  title: "Revenue",
  word: "Revenue",
  chart: "01_revenue_by_day",
  none: "No days in this period.",
  rows: courseRows,
  aside: ({ now }, { currency }) => `${money(now.revenue_net_minor, currency)} after refunds`,
  asideTestid: "net-revenue",
  finding: (answer, context) => bestPlace(courseRows(answer, context)),
  columns: COURSE_COLUMNS,
};

const sessions = {
  name: "sessions",
  title: "Sessions",
  word: "Sessions",
  chart: "02_sessions_by_day",
  none: "No days in this period.",
  rows: courseRows,
  columns: COURSE_COLUMNS,
};

function bestPlace(rows) {
  const [best] = rows.toSorted((a, b) => b.revenue_minor - a.revenue_minor);
  return best?.revenue_minor > 0 ? `Best: ${best.at} with ${best.amount}` : "";
}

const customers = {
  name: "customers",
  title: "Lifetime value by customer",
  word: "Lifetime value",
  none: "No customer has bought in this currency yet.",
  rows: ({ customers }) => customers,
  finding: ({ customers }) => {
    const again = customers.filter((row) => row.orders > 1).length;
    return customers.length > 0
      ? `All time; ${percent(again / customers.length)} of the top ${customers.length} bought again`
      : "";
  },
  testid: "customers",
  columns: CUSTOMER_COLUMNS,
};

export const overview = {
  title: "Overview",
  cards: [
    "revenue",
    "orders",
    "average_order_value",
    "sessions",
    "conversion_rate",
    "average_session_duration",
  ],
  figures: figuresOf,
  panels: [
    { className: "wide days", parts: [revenue, sessions] },
    { className: "side", parts: [funnelPart] },
    { className: "third", parts: [bestSellersPart] },
    { className: "third", parts: [trendingPart] },
    { className: "third", parts: [channelsPart] },
    { className: "third", parts: [devicesPart] },
    { className: "third", parts: [eventsPart] },
    { className: "third", parts: [customers] },
  ],
};
