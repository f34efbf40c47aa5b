// Calendar days as texts YYYY-MM-DD, and the periods a reader can choose.

const DAY_MS = 86_400_000;

/** The periods by the name used in the address and on the page. `days` is null for all days. */
export const PERIODS = {
  today: { label: "Today", days: 1 },
  "7d": { label: "7 days", days: 7 },
  "30d": { label: "30 days", days: 30 },
  "90d": { label: "90 days", days: 90 },
  all: { label: "All", days: null },
};

/** Days that the server answers for at once, at most. */
export const MOST_DAYS = 1100;

/** The day that lies `count` days after `day` (before it when negative). */
export function addDays(day, count) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** How many days a period has. */
export function dayCount({ from, to }) {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}

/** Every day of a period, in order. */
export function daysOf({ from, to }) {
  return Array.from({ length: dayCount({ from, to }) }, (_, index) => addDays(from, index));
}

/** Whether a text is a day of the calendar. */
export function isDay(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text));
}

/** First and last day of a named period that ends today; `all` reaches back to the first day with figures. */
export function periodRange(name, today, firstDay) {
  const { days } = PERIODS[name];
  if (days !== null) return { from: addDays(today, 1 - days), to: today };
  const earliest = addDays(today, 1 - MOST_DAYS);
  const first = firstDay && firstDay < today ? firstDay : today;
  return { from: first < earliest ? earliest : first, to: today };
}

/** The days that a period is compared with, as the server chooses them too. */
export const COMPARISONS = {
  before: { label: "the days before" },
  year: { label: "a year before" },
  none: { label: "nothing" },
};
