// Rows of the charts of a course: every day of the period (every hour of a single day), with the same of the comparison.

import { daysOf } from "../days.js";
import { integer, money, percent, shortDay } from "../format.js";
import { ratio } from "../kpi.js";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** The rows by place on the axis; days and hours without figures have zeros. */
export function courseRows(answer, { currency }) {
  const places = placesOf(answer.days);
  const before = answer.days_before ? placesOf(answer.days_before) : [];
  const now = byPlace(answer.course);
  const then = byPlace(answer.course_before ?? []);
  return places.map((at, index) => {
    const row = now.get(at) ?? NOTHING;
    const earlier = then.get(before[index]) ?? (index < before.length ? NOTHING : null);
    return {
      place: index,
      at: labelOf(at),
      sessions: row.sessions,
      converted_sessions: row.converted_sessions,
      orders: row.orders,
      revenue_minor: row.revenue_gross_minor,
      revenue: row.revenue_gross_minor / currency.minor_per_unit,
      amount: money(row.revenue_gross_minor, currency),
      conversion: percent(ratio(row.converted_sessions, row.sessions)),
      sessions_before: earlier?.sessions ?? null,
      sessions_before_text: integer(earlier?.sessions),
      revenue_before_minor: earlier?.revenue_gross_minor ?? null,
      revenue_before: earlier ? earlier.revenue_gross_minor / currency.minor_per_unit : null,
      amount_before: earlier ? money(earlier.revenue_gross_minor, currency) : "–",
    };
  });
}

const NOTHING = { sessions: 0, converted_sessions: 0, orders: 0, revenue_gross_minor: 0 };

function placesOf(days) {
  return days.from === days.to ? HOURS : daysOf(days);
}

function byPlace(rows) {
  return new Map(rows.map((row) => [row.at, row]));
}

function labelOf(at) {
  return typeof at === "number" ? `${String(at).padStart(2, "0")}:00` : shortDay(at);
}
