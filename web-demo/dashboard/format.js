// How numbers, money and times are written on the page.

const LOCALE = "en";
const MISSING = "–";
// From a million on, cents only make a card unreadable; its tooltip still has them.
const WHOLE_UNITS_FROM = 1_000_000;

const integerFormat = new Intl.NumberFormat(LOCALE);
const percentFormat = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 1 });

/** What formatting and charts need of a currency: code, symbol as written before an amount, digits, minor units per unit. */
export function currencyInfo(code) {
  const format = moneyFormat(code);
  const digits = format.resolvedOptions().maximumFractionDigits;
  const symbol = format.formatToParts(0).find((part) => part.type === "currency").value;
  // Letters need a space before the amount (CHF 12), signs do not (€12).
  const prefix = /[A-Za-z]$/.test(symbol) ? `${symbol}\u00a0` : symbol;
  return { code, symbol: prefix, digits, minor_per_unit: 10 ** digits };
}

/** Minor units as an amount, to the last digit: 1234567 of EUR is €12,345.67. */
export function money(minor, currency) {
  return minor === null
    ? MISSING
    : moneyFormat(currency.code).format(minor / currency.minor_per_unit);
}

/** As `money`, without the digits after the point once they no longer matter. */
export function shortMoney(minor, currency) {
  if (minor === null || minor / currency.minor_per_unit < WHOLE_UNITS_FROM)
    return money(minor, currency);
  return moneyFormat(currency.code, { maximumFractionDigits: 0 }).format(
    minor / currency.minor_per_unit,
  );
}

/** A count with separators between the thousands. */
export function integer(value) {
  return value === null ? MISSING : integerFormat.format(value);
}

/** A share such as 0.1312 as 13.1%. */
export function percent(share) {
  return share === null ? MISSING : percentFormat.format(share);
}

/** Milliseconds as minutes and seconds, mm:ss. */
export function minutesSeconds(milliseconds) {
  if (milliseconds === null) return MISSING;
  const seconds = Math.round(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Time of day of an instant in the reader's time zone, with seconds. */
export function timeOfDay(instant) {
  return new Date(instant).toLocaleTimeString(LOCALE, { hourCycle: "h23" });
}

/** Time of day without seconds. */
export function hoursMinutes(instant) {
  return new Date(instant).toLocaleTimeString(LOCALE, {
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** A calendar day such as 2026-03-09 as 9 Mar 2026. */
export function calendarDay(day) {
  return new Date(day).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
}

function moneyFormat(code, options) {
  return new Intl.NumberFormat(LOCALE, {
    style: "currency",
    currency: code,
    currencyDisplay: "narrowSymbol",
    ...options,
  });
}
