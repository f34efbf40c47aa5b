// The arithmetic behind the KPI cards: rows of gold_daily_kpis in, plain numbers out. Definitions: docs/metrics.md.
//
// Ratios are computed from sums and never averaged, and money of two currencies is never added: money and orders are
// counted in one currency, sessions in all of them, because a visit has no currency.

const DAY_MS = 86_400_000;

/** The periods a reader can choose, by the name used in the address and in the page. `days` is null for all days. */
export const PERIODS = {
  today: { days: 1, previous: "yesterday" },
  "7d": { days: 7, previous: "7 days before" },
  "30d": { days: 30, previous: "30 days before" },
  all: { days: null, previous: null },
};

/** The calendar day `YYYY-MM-DD` that lies `count` days after `day` (before it when negative). */
export function addDays(day, count) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** The calendar day `YYYY-MM-DD` of an instant in a time zone such as `Europe/Berlin`. */
export function dayIn(timeZone, instant) {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const part = Object.fromEntries(
    parts.formatToParts(instant).map(({ type, value }) => [type, value]),
  );
  return `${part.year}-${part.month}-${part.day}`;
}

/** First and last day of a period named in `PERIODS`, both inclusive; `all` reaches back to the first day with data. */
export function periodRange(name, today, rows) {
  const { days } = PERIODS[name];
  if (days !== null) return { from: addDays(today, 1 - days), to: today };
  const present = rows.map((row) => row.day);
  return {
    from: present.reduce((first, day) => (day < first ? day : first), today),
    to: present.reduce((last, day) => (day > last ? day : last), today),
  };
}

/** The period of equal length that ends the day before `range` begins. */
export function previousRange({ from, to }) {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return { from: addDays(from, -days), to: addDays(from, -1) };
}

/** Sums of the rows of one period: money and orders in `currency` alone, sessions in every currency. */
export function sumPeriod(rows, { from, to }, currency) {
  const sums = {
    revenue: 0,
    netRevenue: 0,
    orders: 0,
    sessions: 0,
    convertedSessions: 0,
    durationMs: 0,
  };
  for (const row of rows) {
    if (row.day < from || row.day > to) continue;
    sums.sessions += row.sessions;
    sums.convertedSessions += row.converted_sessions;
    sums.durationMs += row.session_duration_ms;
    if (row.currency !== currency) continue;
    sums.revenue += row.revenue_gross_minor;
    sums.netRevenue += row.revenue_net_minor;
    sums.orders += row.orders;
  }
  return sums;
}

/** The KPI values of one period. Money is in minor units; a ratio without a denominator is null. */
export function kpis(sums) {
  return {
    revenue: sums.revenue,
    net_revenue: sums.netRevenue,
    orders: sums.orders,
    average_order_value: ratio(sums.revenue, sums.orders),
    sessions: sums.sessions,
    conversion_rate: ratio(sums.convertedSessions, sums.sessions),
    average_session_duration: ratio(sums.durationMs, sums.sessions),
  };
}

/** How far `now` lies above (below: negative) `before`, as a share of `before`; null when there is nothing to compare. */
export function relativeChange(now, before) {
  if (now === null || before === null || before === 0) return null;
  return (now - before) / before;
}

/** The currencies that have money in the rows, the one with the most orders first. */
export function currenciesOf(rows) {
  const orders = new Map();
  for (const { currency, orders: count } of rows) {
    // A code that is not three letters cannot be formatted; the contract never lets one through.
    if (!/^[A-Z]{3}$/.test(currency ?? "")) continue;
    orders.set(currency, (orders.get(currency) ?? 0) + count);
  }
  const codes = [...orders.keys()];
  return codes.sort((a, b) => orders.get(b) - orders.get(a) || (a < b ? -1 : 1));
}

function ratio(numerator, denominator) {
  return denominator === 0 ? null : numerator / denominator;
}
