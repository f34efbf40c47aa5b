// The page: shows what the state in the address asks for, asks again when the server says that there is something newer.

import { createCards } from "./cards.js";
import { preloadCharts } from "./charts.js";
import { createFilters } from "./filters.js";
import { currencyInfo, timeOfDay } from "./format.js";
import { PAGES } from "./pages.js";
import { createPanel } from "./panels.js";
import { followChanges, readJson } from "./source.js";
import { addressOf, questionOf, shopOf, stateOf } from "./state.js";
import { readWords } from "./words.js";

const NAMES = Object.keys(PAGES);
/** The live page's hour moves on although nothing is published. */
const LIVE_MS = 15_000;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);
let state = stateOf(location.search, NAMES);
let published = null;
let choices = null;
let shown = null;
let showFilters;
let asking = null;

await start();

async function start() {
  preloadCharts();
  try {
    await readWords();
  } catch (error) {
    showNotice("error", "The dashboard cannot start", error.message);
    return;
  }
  showFilters = createFilters(choose);
  wireNavigation();
  followChanges({ published: onPublished, lost: onLost });
  setInterval(() => state.page === "live" && !document.hidden && published && refresh(), LIVE_MS);
}

async function onPublished(version) {
  const isNew = published?.version !== version.version;
  published = version;
  await refresh(isNew);
}

function onLost() {
  const since = published?.built_at ? `; figures of ${timeOfDay(published.built_at)}` : "";
  setLive("error", `No connection${since}`);
  showNotice(
    "error",
    "No fresh figures",
    "The figures cannot be reached. Is the local stack (shoptrail local) still running?",
  );
}

/** Asks for what the state wants and shows it. A newer wish ends the older one. */
async function refresh(isNewPublication = false) {
  asking?.abort();
  const { signal } = (asking = new AbortController());
  try {
    if (isNewPublication || !choices) choices = await readJson("/data/choices", signal);
    showFilters(state, choices, today());
    const [answer, definition] = await Promise.all([
      readJson(questionOf(state, choices, today()), signal),
      PAGES[state.page](),
    ]);
    if (signal.aborted) return;
    await show(answer, definition);
    setLive(
      "live",
      published.version
        ? `Live, updated ${timeOfDay(published.built_at)}`
        : "Live, waiting for the first build",
    );
    showWhatIsMissing();
  } catch (error) {
    if (error.name === "AbortError") return;
    setLive("error", "No connection");
    showNotice("error", "No fresh figures", error.message);
  }
}

async function show(answer, definition) {
  const page = shown?.name === state.page ? shown : openPage(state.page, definition);
  shown = page;
  page.currency = currencyOf(answer.currency);
  page.fillCards(page.figures(answer), comparisonOf(answer), page.currency);
  for (const panel of page.panels) await panel.update(answer);
  const board = byId("board");
  board.setAttribute("aria-busy", "false");
  board.dataset.version = answer.version;
}

/** Puts a page's cards and panels on the board, still empty. */
function openPage(name, definition) {
  for (const panel of shown?.panels ?? []) panel.remove();
  const board = byId("board");
  board.className = name;
  byId("kpis").replaceChildren();
  byId("panels").replaceChildren();
  byId("page-title").textContent = definition.title;
  document.title = `${definition.title} · Shoptrail`;
  for (const link of pageLinks()) {
    if (link.dataset.page === name) link.ariaCurrent = "page";
    else link.removeAttribute("aria-current");
  }
  const page = { name, figures: definition.figures, currency: null };
  page.fillCards = createCards(byId("kpis"), definition.cards);
  const context = {
    get currency() {
      return page.currency;
    },
    get state() {
      return state;
    },
    get today() {
      return today();
    },
    currencyOf,
    choose,
    problem: (title, text) => showNotice("error", title, text),
    chartChoices: () => ({ currency: page.currency }),
  };
  page.panels = definition.panels.map((panel) => createPanel(byId("panels"), panel, context));
  return page;
}

function currencyOf(code) {
  // A currency that the figures do not know has no row of money either.
  return currencyInfo(code, choices.digits[code] ?? 2);
}

/** The day it is in the shop that the figures are of. */
function today() {
  return published.today_of?.[shopOf(state, choices.shops)] ?? published.today;
}

/** What the figures are compared with, in words. */
function comparisonOf({ days, days_before: before }) {
  if (!before) return null;
  const isOneDay = days.from === days.to;
  if (state.compare === "year") return isOneDay ? "the day a year before" : "the year before";
  if (isOneDay) return days.to === today() ? "yesterday" : "the day before";
  const count = (Date.parse(days.to) - Date.parse(days.from)) / 86_400_000 + 1;
  return `${count} days before`;
}

/** @returns {NodeListOf<HTMLAnchorElement>} */
function pageLinks() {
  return document.querySelectorAll("nav a[data-page]");
}

function wireNavigation() {
  for (const link of pageLinks()) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose({ page: link.dataset.page }, "push");
    });
  }
  addEventListener("popstate", () => {
    state = stateOf(location.search, NAMES);
    if (published) refresh();
  });
  let resized;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => published && refresh(), 150);
  });
}

/** Takes a choice into the state and its address. */
function choose(choice, how = "replace") {
  state = { ...state, ...choice };
  // Whoever asks for a customer wants to see the orders.
  if (choice.customer && state.page !== "customers") {
    state.page = "customers";
    how = "push";
  }
  const address = addressOf(state, NAMES);
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  for (const link of pageLinks())
    link.href = addressOf({ ...state, page: link.dataset.page }, NAMES);
  return published && refresh();
}

function setLive(kind, text) {
  byId("live").dataset.state = kind;
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

function showWhatIsMissing() {
  if (choices.shops.length > 0) byId("notice").hidden = true;
  else
    showNotice(
      "empty",
      "No sessions yet",
      "Click around in the demo shop and come back: the first figures appear here within seconds.",
    );
}

function showNotice(kind, title, text) {
  const notice = byId("notice");
  notice.dataset.kind = kind;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("notice-shop").hidden = kind !== "empty";
  notice.hidden = false;
}
