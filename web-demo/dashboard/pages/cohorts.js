// Who comes back: customers by the month of their first order, and how many of them ordered in the months after.

import * as columns from "../columns.js";
import { integer, money, percent } from "../format.js";
import { ratio } from "../kpi.js";

/** Months since the year 0. */
const numberOf = (day) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;

const nameOf = (month) =>
  new Date(month).toLocaleDateString("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });

/** A row for each month of each cohort up to this one; months in which nobody of it ordered have zeros. */
function cohortRows({ cohorts }, { currency, today }) {
  const known = new Map(
    cohorts.map((row) => [`${row.cohort_month} ${row.months_since_first}`, row]),
  );
  const months = [...new Set(cohorts.map((row) => row.cohort_month))];
  return months.flatMap((month) => {
    const { cohort_customers } = cohorts.find((row) => row.cohort_month === month);
    const last = Math.max(0, Math.min(23, numberOf(today) - numberOf(month)));
    return Array.from({ length: last + 1 }, (_, since) => {
      const row = known.get(`${month} ${since}`) ?? NOBODY;
      const share = ratio(row.customers, cohort_customers);
      return {
        cohort_month: month,
        cohort: nameOf(month),
        months_since_first: since,
        cohort_customers,
        customers: row.customers,
        customers_text: `${integer(row.customers)} of ${integer(cohort_customers)}`,
        share,
        share_text: percent(share),
        label: String(Math.round(share * 100)),
        orders: row.orders,
        revenue_minor: row.revenue_gross_minor,
        amount: money(row.revenue_gross_minor, currency),
      };
    });
  });
}

const NOBODY = { customers: 0, orders: 0, revenue_gross_minor: 0 };

/** How many come back in the month after their first order, of the cohorts for which that month is over. */
function cameBack(answer, context) {
  const rows = cohortRows(answer, context).filter(
    (row) =>
      row.months_since_first === 1 && numberOf(row.cohort_month) + 1 < numberOf(context.today),
  );
  const customers = rows.reduce((total, row) => total + row.cohort_customers, 0);
  const back = rows.reduce((total, row) => total + row.customers, 0);
  return customers > 0
    ? `In percent of the cohort; ${percent(back / customers)} order again in the month after the first order`
    : "In percent of the cohort";
}

export const cohortsPart = {
  name: "cohorts",
  title: "Cohorts: who orders again, by the month of the first order",
  word: "Retention",
  chart: "18_cohorts",
  step: true,
  none: "No customer has bought in this currency yet.",
  rows: cohortRows,
  finding: cameBack,
  columns: [
    columns.text("First order in", "cohort"),
    columns.count("Customers", "cohort_customers", { word: "Customers" }),
    columns.count("Months since", "months_since_first"),
    columns.count("Ordered", "customers", { word: "Retention" }),
    columns.share("Of the cohort", "share", { word: "Retention" }),
    columns.count("Orders", "orders", { word: "Orders" }),
    columns.amount("Revenue", "revenue_minor", { word: "Revenue" }),
  ],
};
