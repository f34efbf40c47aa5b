// How numbers, money and times are written on the page.

const LOCALE = "en";
const MISSING = "–";
// From a million on, cents only make a card unreadable; its tooltip still has them.
const WHOLE_UNITS_FROM = 1_000_000;

const integerFormat = new Intl.NumberFormat(LOCALE);
const decimalFormat = new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const percentFormat = new Intl.NumberFormat(LOCALE, {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/**
 * What formatting and charts need of a currency. `digits` are its decimals by ISO 4217, which the server says: browsers
 * have others for some (HUF, IDR, IQD …), and money would be off by a factor of 100 or 1000.
 */
export function currencyInfo(code, digits) {
  const parts = moneyFormat(code, digits).formatToParts(0);
  const symbol = parts.find((part) => part.type === "currency").value;
  // Letters need a space before the amount (CHF 12), signs do not (€12).
  const prefix = /[A-Za-z]$/.test(symbol) ? `${symbol}\u00a0` : symbol;
  return { code, symbol: prefix, digits, minor_per_unit: 10 ** digits };
}

/** Minor units as an amount, to the last digit: 1234567 of EUR is €12,345.67. */
export function money(minor, currency) {
  if (isMissing(minor)) return MISSING;
  return moneyFormat(currency.code, currency.digits).format(minor / currency.minor_per_unit);
}

/** As `money`, without the digits after the point once they no longer matter. */
export function shortMoney(minor, currency) {
  if (isMissing(minor) || minor / currency.minor_per_unit < WHOLE_UNITS_FROM)
    return money(minor, currency);
  return moneyFormat(currency.code, 0).format(minor / currency.minor_per_unit);
}

/** A count with separators between the thousands. */
export function integer(value) {
  return isMissing(value) ? MISSING : integerFormat.format(value);
}

/** A number with one decimal. */
export function decimal(value) {
  return isMissing(value) ? MISSING : decimalFormat.format(value);
}

/** A share such as 0.1312 as 13.1%: always with one decimal. */
export function percent(share) {
  return isMissing(share) ? MISSING : percentFormat.format(share);
}

/** Milliseconds with their units: 350 ms, 5 s, 1 min 55 s, 2 h 5 min. */
export function duration(milliseconds) {
  if (isMissing(milliseconds)) return MISSING;
  if (milliseconds > 0 && milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 1000);
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${integerFormat.format(h)} h ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
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

/** A calendar day without its year, as axes have it: 9 Mar. */
export function shortDay(day) {
  return new Date(day).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** The country of an ISO 3166 code. */
export function countryName(code) {
  if (code === "unknown") return "Unknown";
  try {
    return new Intl.DisplayNames([LOCALE], { type: "region" }).of(code);
  } catch {
    return code;
  }
}

function isMissing(value) {
  return value === null || value === undefined;
}

function moneyFormat(code, digits) {
  return new Intl.NumberFormat(LOCALE, {
    style: "currency",
    currency: code,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
