// The KPI cards: value, comparison with the period before, and the word's definition.

import { kpis, relativeChange } from "./kpi.js";
import { integer, minutesSeconds, money, percent, shortMoney } from "./format.js";

const CARDS = [
  { key: "revenue", word: "Revenue", show: shortMoney, exact: money },
  { key: "orders", word: "Orders", show: integer },
  { key: "average_order_value", word: "Average order value", show: shortMoney, exact: money },
  { key: "sessions", word: "Sessions", show: integer },
  { key: "conversion_rate", word: "Conversion rate", show: percent, points: true },
  {
    key: "average_session_duration",
    word: "Average session duration",
    label: "Avg. session duration",
    show: minutesSeconds,
  },
];

/** Builds the cards into `host`; the function returned fills them. */
export function createCards(host) {
  const cards = CARDS.map((card) => ({ ...card, ...createCard(host, card) }));
  return (now, before, comparison, currency) => {
    const values = kpis(now);
    const previous = before && kpis(before);
    for (const card of cards) fill(card, values, previous, comparison, currency);
  };
}

function createCard(host, { key, word, label }) {
  const card = host.appendChild(document.createElement("article"));
  card.className = "kpi";
  const [title, value, change] = ["h2", "p", "p"].map((tag) =>
    card.appendChild(document.createElement(tag)),
  );
  const name = title.appendChild(document.createElement("span"));
  name.dataset.word = word;
  name.textContent = label ?? word;
  value.className = "value";
  value.dataset.testid = `kpi-${key}`;
  change.className = "change";
  change.dataset.testid = `kpi-${key}-change`;
  return { value, change };
}

function fill(card, values, previous, comparison, currency) {
  const value = values[card.key];
  const text = card.show(value, currency);
  if (card.value.textContent !== text) {
    card.value.textContent = text;
    highlight(card.value);
  }
  // The exact figure, in minor units, milliseconds or as a share: for tests and for whoever copies it.
  card.value.dataset.value = value ?? "";
  card.value.title = card.exact ? card.exact(value, currency) : "";
  const change = changeOf(card, value, previous?.[card.key] ?? null);
  card.change.dataset.direction = change?.direction ?? "none";
  if (!comparison) card.change.textContent = "";
  else
    card.change.textContent = change
      ? `${change.text} vs ${comparison}`
      : `no figure for ${comparison}`;
}

function changeOf({ points }, now, before) {
  const change = points ? difference(now, before) : relativeChange(now, before);
  if (change === null) return null;
  const direction = Math.abs(change) < 0.0005 ? "none" : change > 0 ? "up" : "down";
  if (direction === "none") return { direction, text: "unchanged" };
  const arrow = direction === "up" ? "▲" : "▼";
  const size = points ? `${Math.abs(change * 100).toFixed(1)} pp` : percent(Math.abs(change));
  return { direction, text: `${arrow} ${size}` };
}

function difference(now, before) {
  return now === null || before === null ? null : now - before;
}

function highlight(element) {
  element.classList.remove("changed");
  // Reading a layout property between the two makes the browser start the animation anew.
  void element.offsetWidth;
  element.classList.add("changed");
}
