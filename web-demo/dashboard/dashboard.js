// The page: asks /data/version twice a second while it is visible, reads the gold tables when it changed, and shows them for the period and
// currency that the reader chose.

import { createCards } from "./cards.js";
import { createCharts, tablesOf, updateCharts } from "./charts.js";
import { showCustomers } from "./customers.js";
import { findings } from "./findings.js";
import { currencyInfo, money, timeOfDay } from "./format.js";
import {
  PERIODS,
  addDays,
  currenciesOf,
  dayIn,
  periodRange,
  previousRange,
  sumPeriod,
} from "./kpi.js";
import { readTables, readVersion } from "./source.js";
import { explainWords } from "./words.js";

const POLL_MS = 500;
// A single day says little about a course: by-day charts never show fewer than these.
const FEWEST_DAYS_DRAWN = 7;
const FALLBACK_CURRENCY = "EUR";
const ALSO_READ = ["gold_customer_ltv"];

const byId = (id) => document.getElementById(id);
const chosen = chosenInAddress();
let charts = [];
let fillCards;
let published = null;
let tables = null;
let versionShown = null;

await start();

async function start() {
  try {
    fillCards = createCards(byId("kpis"));
    [charts] = await Promise.all([createCharts(), explainWords()]);
  } catch (error) {
    showProblem("The dashboard cannot start", error.message);
    return;
  }
  wireControls();
  await poll();
}

async function poll() {
  try {
    if (!document.hidden) await refresh();
    setTimeout(poll, POLL_MS);
  } catch (error) {
    setLive(
      "error",
      tables ? `No connection; figures of ${timeOfDay(published.built_at)}` : "No connection",
    );
    showProblem("No fresh figures", error.message);
    setTimeout(poll, POLL_MS);
  }
}

async function refresh() {
  const version = await readVersion();
  if (version.version !== versionShown) {
    tables = await readTables([...tablesOf(charts), ...ALSO_READ]);
    published = version;
    await show(tables);
    versionShown = version.version;
  }
  setLive(
    "live",
    published.version
      ? `Live, updated ${timeOfDay(published.built_at)}`
      : "Live, waiting for the first build",
  );
  hideProblem();
}

/** Shows the tables under the reader's choices; `fresh` is null when only the choices changed. */
async function show(fresh) {
  const daily = tables.gold_daily_kpis;
  const today = dayIn(published.time_zone ?? "UTC", Date.now());
  const range = periodRange(chosen.period, today, daily);
  const currency = currencyInfo(offerCurrencies(daily));
  const comparison = PERIODS[chosen.period].previous;
  const before = comparison && sumPeriod(daily, previousRange(range), currency.code);
  const sums = sumPeriod(daily, range, currency.code);
  fillCards(sums, before, comparison, currency);
  byId("net-revenue").textContent = `${money(sums.netRevenue, currency)} after refunds`;
  showCustomers(byId("customers"), tables.gold_customer_ltv, currency);
  for (const [name, text] of Object.entries(findings(tables, range, currency, Date.now()))) {
    document.querySelector(`[data-finding="${name}"]`).textContent = text;
  }
  await updateCharts(charts, fresh, { ...range, first_day: firstDayDrawn(range), currency });
  const board = byId("board");
  board.setAttribute("aria-busy", "false");
  board.dataset.version = published.version;
}

function firstDayDrawn({ from, to }) {
  const earliest = addDays(to, 1 - FEWEST_DAYS_DRAWN);
  return from < earliest ? from : earliest;
}

/** Fills the currency selector and returns the code to show: the reader's choice while it exists, else the first. */
function offerCurrencies(daily) {
  const codes = currenciesOf(daily);
  if (codes.length === 0) codes.push(FALLBACK_CURRENCY);
  const code = codes.includes(chosen.currency) ? chosen.currency : codes[0];
  const select = byId("currency");
  if ([...select.options].map((option) => option.value).join() !== codes.join()) {
    select.replaceChildren(...codes.map((value) => new Option(value, value)));
  }
  select.value = code;
  return code;
}

function wireControls() {
  for (const radio of document.querySelectorAll("[name=period]")) {
    radio.checked = radio.value === chosen.period;
    radio.addEventListener("change", () => choose({ period: radio.value }));
  }
  byId("currency").addEventListener("change", (event) => choose({ currency: event.target.value }));
  let resized;
  addEventListener("resize", () => {
    cancelAnimationFrame(resized);
    resized = requestAnimationFrame(() => tables && show(null));
  });
}

async function choose(choice) {
  Object.assign(chosen, choice);
  history.replaceState(null, "", `?${new URLSearchParams(chosen)}`);
  if (tables) await show(null);
}

function chosenInAddress() {
  const query = new URLSearchParams(location.search);
  const period = query.get("period");
  return {
    period: Object.hasOwn(PERIODS, period ?? "") ? period : "7d",
    currency: query.get("currency") ?? "",
  };
}

function setLive(state, text) {
  document.querySelector(".live").dataset.state = state;
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

function hideProblem() {
  if (tables.gold_daily_kpis.length > 0) byId("notice").hidden = true;
  else
    showNotice(
      "empty",
      "No sessions yet",
      "Click around in the demo shop and come back: the first figures appear here within seconds.",
    );
}

function showProblem(title, text) {
  showNotice("error", title, text);
}

function showNotice(kind, title, text) {
  const notice = byId("notice");
  notice.dataset.kind = kind;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("notice-shop").hidden = kind !== "empty";
  notice.hidden = false;
}
