// Who buys, who comes back, and what are they worth?

import * as columns from "../columns.js";
import { integer, money, percent, shortDay } from "../format.js";
import { ratio } from "../kpi.js";
import { cohortsPart } from "./cohorts.js";
import { CUSTOMER_COLUMNS } from "./parts.js";

function figuresOf({ summary: [all] }) {
  return {
    values: {
      customers: all.customers,
      repeat_rate: ratio(all.repeat_customers, all.customers),
      value_per_customer: ratio(all.lifetime_value_minor, all.customers),
      expected_value: ratio(all.expected_value_12m_minor, all.customers),
      average_order_value: ratio(all.lifetime_value_minor, all.orders),
    },
    before: null,
  };
}

const worth = [
  columns.count("Customers", "customers", { word: "Customers" }),
  columns.share("Bought again", (row) => ratio(row.repeat_customers, row.customers), {
    word: "Repeat rate",
  }),
  columns.amount("Value", "lifetime_value_minor", { word: "Lifetime value" }),
  columns.amount("Value each", (row) => average(row.lifetime_value_minor, row.customers), {
    word: "Lifetime value",
  }),
];

function average(part, whole) {
  return whole ? Math.round(part / whole) : null;
}

/** What the segments mean (docs/metrics.md has the same bounds). */
const SEGMENTS = {
  Champion: "ordered in the last 30 days, 4 times or more",
  Loyal: "ordered in the last 90 days, more than once",
  New: "ordered in the last 30 days",
  "At risk": "ordered more than once, not in the last 90 days",
  Occasional: "ordered once, within the last year",
  Lost: "has not ordered for a year",
};

const segments = {
  name: "segments",
  title: "Segments of customers",
  word: "Segment",
  chart: "12_customer_groups",
  step: true,
  none: "No customer has bought in this currency yet.",
  rows: ({ groups }, { currency }) =>
    groups.map((row) => {
      const meaning = SEGMENTS[row.rfm_segment] ?? "";
      const number = row.customers === 1 ? "1 customer" : `${integer(row.customers)} customers`;
      return {
        ...row,
        group: row.rfm_segment,
        meaning,
        value: row.lifetime_value_minor / currency.minor_per_unit,
        amount: money(row.lifetime_value_minor, currency),
        detail: meaning ? `${number}: ${meaning}` : number,
      };
    }),
  finding: ({ groups, summary: [all] }) => {
    const [first] = groups;
    return all.lifetime_value_minor > 0
      ? `${percent(first.lifetime_value_minor / all.lifetime_value_minor)} of the value is of the segment ${first.rfm_segment}`
      : "";
  },
  columns: [
    columns.text("Segment", "group", { word: "Segment" }),
    columns.text("Who", "meaning"),
    ...worth,
  ],
};

const newAndReturning = {
  name: "new-and-returning",
  title: "Revenue of new and returning customers",
  word: "New customers",
  chart: "11_new_and_returning",
  none: "No orders in this currency in this period.",
  rows: ({ new_and_returning: days }, { currency }) =>
    days.flatMap((row) =>
      [
        ["New", row.new_orders, row.new_revenue_minor],
        ["Returning", row.returning_orders, row.returning_revenue_minor],
      ].map(([who, orders, revenue_minor]) => ({
        day: row.day,
        at: shortDay(row.day),
        who,
        orders,
        revenue_minor,
        revenue: revenue_minor / currency.minor_per_unit,
        amount: money(revenue_minor, currency),
      })),
    ),
  finding: ({ new_and_returning: days }) => {
    const sum = (field) => days.reduce((total, row) => total + row[field], 0);
    const [fresh, back] = [sum("new_revenue_minor"), sum("returning_revenue_minor")];
    return fresh + back > 0
      ? `${percent(back / (fresh + back))} of the revenue is of customers who had bought before`
      : "";
  },
  columns: [
    columns.day("Day", "day"),
    columns.text("Customers", "who", { word: "New customers" }),
    columns.count("Orders", "orders", { word: "Orders" }),
    columns.amount("Revenue", "revenue_minor", { word: "Revenue" }),
  ],
};

const firstChannels = {
  name: "first-channels",
  title: "Channel of the first order",
  none: "No customer has bought in this currency yet.",
  rows: ({ first_channels: rows }) => rows,
  columns: [columns.text("Channel", "first_channel", { word: "Channel" }), ...worth],
};

const best = {
  name: "customers",
  title: "Lifetime value by customer",
  word: "Lifetime value",
  none: "No customer has bought in this currency yet.",
  rows: ({ customers }) => customers,
  testid: "customers",
  columns: [
    ...CUSTOMER_COLUMNS,
    columns.amount("Expected in 12 months", "expected_value_12m_minor", { word: "Expected value" }),
    columns.text("First channel", "first_channel", { word: "Channel" }),
    columns.instant("Last order", "last_order_at"),
  ],
};

const orders = {
  name: "orders-of-customer",
  title: "Orders of one customer",
  word: "Orders of a customer",
  none: "Choose a customer in the table to see the orders.",
  rows: ({ orders }) => orders ?? [],
  finding: (_answer, { state }) => state.customer,
  columns: [
    columns.text("Order", "transaction_id"),
    columns.instant("When", "ordered_at"),
    columns.amount("Value", "gross_minor", { currency: (row) => row.currency, word: "Revenue" }),
    columns.amount("Refunded", "refunds_minor", { currency: (row) => row.currency }),
    columns.text("Currency", "currency"),
    columns.count("Units", "quantity", { word: "Units sold" }),
    columns.text("Channel", "channel", { word: "Channel" }),
    columns.text("Device", "device"),
  ],
};

export const customers = {
  title: "Customers",
  cards: ["customers", "repeat_rate", "value_per_customer", "expected_value"],
  figures: figuresOf,
  panels: [
    { className: "half", parts: [newAndReturning] },
    { className: "half", parts: [segments] },
    { className: "whole", parts: [cohortsPart] },
    { className: "wide", parts: [best] },
    { className: "side", parts: [firstChannels] },
    { className: "whole", parts: [orders] },
  ],
};
