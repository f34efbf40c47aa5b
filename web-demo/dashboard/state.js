// What the reader has chosen. It stands in the address, so that a view can be shared, and says what to ask of the server.

import { COMPARISONS, PERIODS, isDay, periodRange } from "./days.js";

/** Filters that every figure obeys. */
export const FILTERS = ["channel", "device", "country", "product", "term"];
/** Stands in the address for all shops together, which nobody gets without asking for it. */
export const ALL_SHOPS = "*";
const TEXTS = ["currency", "shop", "customer", "model", ...FILTERS];

/** The state that an address (its part after `?`) stands for; what it does not say is as usual. */
export function stateOf(search, pages) {
  const query = new URLSearchParams(search);
  const known = (name, names, usual) => (names.includes(query.get(name)) ? query.get(name) : usual);
  const [from, to] = [query.get("from"), query.get("to")];
  const hasDays = isDay(from) && isDay(to) && from <= to;
  const state = {
    page: known("page", pages, pages[0]),
    period: hasDays ? "custom" : known("period", Object.keys(PERIODS), "7d"),
    compare: known("compare", Object.keys(COMPARISONS), "before"),
  };
  if (hasDays) Object.assign(state, { from, to });
  for (const name of TEXTS) state[name] = query.get(name) ?? "";
  return state;
}

/** The address of a state: only what is not as usual, so that it stays short. */
export function addressOf(state, pages) {
  const query = new URLSearchParams();
  if (state.page !== pages[0]) query.set("page", state.page);
  if (state.period === "custom") {
    query.set("from", state.from);
    query.set("to", state.to);
  } else if (state.period !== "7d") query.set("period", state.period);
  if (state.compare !== "before") query.set("compare", state.compare);
  for (const name of TEXTS) if (state[name]) query.set(name, state[name]);
  return `?${query}`;
}

/** The days that a state asks for. */
export function rangeOf(state, today, firstDay) {
  return state.period === "custom"
    ? { from: state.from, to: state.to }
    : periodRange(state.period, today, firstDay);
}

/** The shop that a state is about: the one chosen, else the one with the most sessions; empty for all together. */
export function shopOf(state, shops) {
  if (state.shop === ALL_SHOPS) return "";
  const ids = shops.map((shop) => shop.shop_id);
  return ids.includes(state.shop) ? state.shop : (ids[0] ?? "");
}

/** The currency of a state: the one chosen while the shop has it, else the one with the most orders. */
export function currencyOf(state, currencies, shop) {
  const codes = codesOf(currencies, shop);
  return codes.includes(state.currency) ? state.currency : (codes[0] ?? "EUR");
}

/** The currencies of a shop (of all without one), the one with the most orders first. */
export function codesOf(currencies, shop) {
  const orders = new Map();
  for (const row of currencies)
    if (!shop || row.shop_id === shop)
      orders.set(row.currency, (orders.get(row.currency) ?? 0) + row.orders);
  return [...orders.keys()].sort((a, b) => orders.get(b) - orders.get(a) || (a < b ? -1 : 1));
}

/** What the server is asked for a page. */
export function questionOf(state, choices, today) {
  const shop = shopOf(state, choices.shops);
  const query = new URLSearchParams({
    ...rangeOf(state, today, choices.first_day[0]?.day),
    compare: state.period === "all" ? "none" : state.compare,
    currency: currencyOf(state, choices.currencies, shop),
  });
  if (shop) query.set("shop", shop);
  for (const name of FILTERS) if (state[name]) query.set(name, state[name]);
  if (state.page === "customers" && state.customer) query.set("customer", state.customer);
  return `/data/${state.page}?${query}`;
}
