// The cards of key figures: value, comparison with another period, and the word's definition.

import { decimal, duration, integer, money, percent, shortMoney } from "./format.js";
import { difference, kpis, relativeChange } from "./kpi.js";
import { explain } from "./words.js";

/** Every card a page can show, by the name of its figure. `less` is better where the figure is a loss. */
const CARDS = {
  revenue: { word: "Revenue", show: shortMoney, exact: money },
  net_revenue: { word: "Revenue after refunds", show: shortMoney, exact: money },
  orders: { word: "Orders", show: integer },
  average_order_value: { word: "Average order value", show: shortMoney, exact: money },
  sessions: { word: "Sessions", show: integer },
  conversion_rate: { word: "Conversion rate", show: percent, points: true },
  average_session_duration: {
    word: "Average session duration",
    label: "Avg. session duration",
    show: duration,
  },
  bounce_rate: { word: "Bounce rate", show: percent, points: true, less: true },
  cart_abandonment_rate: {
    word: "Cart abandonment rate",
    show: percent,
    points: true,
    less: true,
  },
  page_views_per_session: { word: "Page views per session", show: decimal },
  customers: { word: "Customers", show: integer },
  repeat_rate: { word: "Repeat rate", show: percent, points: true },
  value_per_customer: { word: "Lifetime value", label: "Lifetime value each", show: money },
  expected_value: { word: "Expected value", label: "Expected value each", show: money },
  searches: { word: "Searches", show: integer },
  search_click_rate: {
    word: "Click-through rate of a search",
    label: "Searches with a click",
    show: percent,
    points: true,
  },
  search_revenue: { word: "Revenue after a search", show: shortMoney, exact: money },
  carts: { word: "Carts", show: integer },
  recovery_rate: { word: "Recovery rate", show: percent, points: true },
  abandoned_value: { word: "Value left in carts", show: shortMoney, exact: money, less: true },
  visitors_now: { word: "Visitors now", show: integer },
  visitors_hour: { word: "Visitors", label: "Visitors, last hour", show: integer },
  events_hour: { word: "Events", label: "Events, last hour", show: integer },
  orders_hour: { word: "Orders", label: "Orders, last hour", show: integer },
  revenue_hour: { word: "Revenue", label: "Revenue, last hour", show: shortMoney, exact: money },
};

/** Figures of two answers of sums, as `createCards` fills them. */
export function figuresOf(answer) {
  return { values: kpis(answer.now), before: answer.before && kpis(answer.before) };
}

/** Builds the cards of these names into `host`; the function returned fills them. */
export function createCards(host, names) {
  const cards = names.map((key) => ({ key, ...CARDS[key], ...createCard(host, key) }));
  return ({ values, before }, comparison, currency) => {
    for (const card of cards) fill(card, values, before, before && comparison, currency);
  };
}

function createCard(host, key) {
  const card = host.appendChild(document.createElement("article"));
  card.className = "kpi";
  const [title, value, change] = ["h3", "p", "p"].map((tag) =>
    card.appendChild(document.createElement(tag)),
  );
  const name = title.appendChild(document.createElement("span"));
  name.textContent = CARDS[key].label ?? CARDS[key].word;
  explain(name, CARDS[key].word);
  value.className = "value";
  value.dataset.testid = `kpi-${key}`;
  change.className = "change";
  change.dataset.testid = `kpi-${key}-change`;
  return { value, change };
}

function fill(card, values, before, comparison, currency) {
  const value = values[card.key];
  const text = card.show(value, currency);
  if (card.value.textContent !== text) {
    const isFirst = card.value.textContent === "";
    card.value.textContent = text;
    if (!isFirst) highlight(card.value);
  }
  // The exact figure, in minor units, milliseconds or as a share: for tests and for whoever copies it.
  card.value.dataset.value = value ?? "";
  card.value.title = card.exact ? card.exact(value, currency) : "";
  const change = comparison ? changeOf(card, value, before[card.key] ?? null) : null;
  card.change.dataset.direction = change?.direction ?? "none";
  card.change.dataset.good = String(change?.isGood ?? "");
  card.change.textContent = comparison ? sentence(change, comparison) : "";
}

function sentence(change, comparison) {
  return change ? `${change.text} vs ${comparison}` : `no figure for ${comparison}`;
}

/** How a figure changed, in words and as a direction; null where there is nothing to compare with. */
export function changeOf({ points = false, less = false }, now, before) {
  const change = points ? difference(now, before) : relativeChange(now, before);
  if (change === null) return null;
  if (Math.abs(change) < 0.0005) return { direction: "none", text: "unchanged" };
  const direction = change > 0 ? "up" : "down";
  const arrow = direction === "up" ? "▲" : "▼";
  const size = points ? `${Math.abs(change * 100).toFixed(1)} pp` : percent(Math.abs(change));
  return { direction, isGood: change > 0 !== Boolean(less), text: `${arrow} ${size}` };
}

function highlight(element) {
  element.classList.remove("changed");
  // Reading a layout property between the two makes the browser start the animation again.
  void element.offsetWidth;
  element.classList.add("changed");
}
