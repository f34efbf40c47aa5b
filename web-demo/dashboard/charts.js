// Puts the Vega-Lite charts on the page: an element with data-chart="NN_name" shows charts/NN_name.vl.json, which names
// the gold table it reads. A chart is drawn once; later data and choices only change it, so nothing flickers.

import { VEGA_CONFIG } from "./theme.js";

const OPTIONS = {
  config: VEGA_CONFIG,
  renderer: "svg",
  actions: false,
  defaultStyle: false,
  // Expressions are interpreted, not compiled by `new Function`, which the page's Content-Security-Policy forbids.
  ast: true,
  // Vega warns of the infinite extent of every axis without data, which is how each chart starts; errors stay.
  logLevel: 1,
  // The tooltip handler escapes what it shows.
  tooltip: { theme: "shoptrail", disableDefaultStyle: true },
};

/** Draws all charts of the page, still without data. */
export async function createCharts() {
  if (!window.vegaEmbed)
    throw new Error("/vendor/vega-embed.js did not load. Install the npm packages: npm ci");
  return Promise.all([...document.querySelectorAll("[data-chart]")].map(createChart));
}

/** The gold tables these charts read, each once. */
export function tablesOf(charts) {
  return [...new Set(charts.map((chart) => chart.table))];
}

/** Gives every chart its rows (`tables`, null to keep them) and the reader's choices, by the names of the specs' params. */
export async function updateCharts(charts, tables, choices) {
  await Promise.all(charts.map((chart) => updateChart(chart, tables, choices)));
}

async function createChart(host) {
  const name = host.dataset.chart;
  const response = await fetch(`charts/${name}.vl.json`);
  if (!response.ok) throw new Error(`charts/${name}.vl.json answered ${response.status}.`);
  const spec = await response.json();
  const drawing = host.appendChild(document.createElement("div"));
  drawing.className = "drawing";
  const none = host.appendChild(document.createElement("p"));
  none.className = "none";
  none.textContent = host.dataset.none;
  none.hidden = true;
  const { view } = await window.vegaEmbed(drawing, spec, OPTIONS);
  const params = new Set(spec.params.map((param) => param.name));
  return { host, drawing, none, view, params, table: spec.data.name, step: spec.height.step };
}

async function updateChart(chart, tables, choices) {
  const { view, table, host } = chart;
  view.width(host.clientWidth);
  if (!chart.step) view.height(host.clientHeight);
  // Vega writes computed fields into the rows it is given: every chart gets its own.
  if (tables)
    view.data(
      table,
      tables[table].map((row) => ({ ...row })),
    );
  for (const [name, value] of Object.entries({ ...choices, rows: rowsThatFit(chart) })) {
    if (chart.params.has(name)) view.signal(name, value);
  }
  await view.runAsync();
  const empty = chart.drawing.querySelector(".bars_marks path") === null;
  chart.none.hidden = !empty;
  chart.drawing.classList.toggle("empty", empty);
}

function rowsThatFit({ host, step }) {
  return Math.max(1, Math.floor(host.clientHeight / (step ?? Infinity)));
}
