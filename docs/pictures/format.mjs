// Values as the model's format strings show them.

const DAY_MS = 86_400_000;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A value as Power BI writes it by a format string; days since 1970 by a format of dates. */
export function formatted(value, format) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number" || !format) return String(value);
  if (/yyyy/.test(format)) return date(value, format);
  const [positive, negative, zero] = format.split(";");
  if (value < 0 && negative) return number(-value, negative);
  return number(value, value === 0 && zero ? zero : positive);
}

function number(value, section) {
  const pattern = /[#0][#0,.]*/.exec(section)[0];
  const decimals = pattern.split(".")[1] ?? "";
  const text = (section.includes("%") ? value * 100 : value).toLocaleString("en-US", {
    useGrouping: pattern.includes(","),
    minimumFractionDigits: decimals.replaceAll("#", "").length,
    maximumFractionDigits: decimals.length,
  });
  const [before, after] = section.split(pattern);
  return plain(before) + text + plain(after);
}

function date(days, format) {
  const moment = new Date(Math.round(days * DAY_MS));
  const two = (part) => String(part).padStart(2, "0");
  const parts = {
    yyyy: String(moment.getUTCFullYear()),
    mmm: MONTHS[moment.getUTCMonth()],
    hh: two(moment.getUTCHours()),
    nn: two(moment.getUTCMinutes()),
    d: String(moment.getUTCDate()),
  };
  return format.replace(/\\.|yyyy|mmm|hh|nn|d/g, (part) => parts[part] ?? plain(part));
}

const plain = (text) => text.replaceAll("\\", "");
