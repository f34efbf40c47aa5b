// Vega-Lite charts: the chart NN_name is charts/NN_name.vl.json, whose named data are rows as the page prepares them. A chart
// is drawn once; later rows and choices only change it, so nothing flickers.

import { VEGA_CONFIG } from "./theme.js";
import { showTooltip } from "./tooltip.js";

const SCRIPTS = ["vega", "vega-lite"];
const INTERPRETER = "/vendor/vega-interpreter.js";

let library;

/** Loads what draws charts: once, and after the figures, which need none of it. */
export function loadCharts() {
  library ??= SCRIPTS.reduce(
    (before, name) => before.then(() => loadScript(`/vendor/${name}.js`)),
    Promise.resolve(),
  ).then(() => import(INTERPRETER));
  return library;
}

/** Asks for the scripts already, side by side with the figures. */
export function preloadCharts() {
  for (const name of SCRIPTS) {
    const link = document.createElement("link");
    Object.assign(link, { rel: "preload", as: "script", href: `/vendor/${name}.js` });
    document.head.append(link);
  }
}

function loadScript(address) {
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", loaded);
    script.addEventListener("error", () =>
      failed(new Error(`${address} did not load. Install the npm packages: npm ci`)),
    );
    document.head.append(script);
  });
}

/** A chart in `host`, still without rows. `click` is called with the row of a bar that was clicked. */
export async function createChart(host, { chart, none, label, click }) {
  const [spec, { expressionInterpreter }] = await Promise.all([readSpec(chart), loadCharts()]);
  const drawing = host.appendChild(document.createElement("div"));
  drawing.className = "drawing";
  const empty = host.appendChild(document.createElement("p"));
  empty.className = "none";
  empty.textContent = none;
  empty.hidden = true;
  const { vega, vegaLite } = window;
  const described = { ...spec, description: label };
  const compiled = vegaLite.compile(described, { config: VEGA_CONFIG }).spec;
  // Expressions are interpreted, not compiled by `new Function`, which the page's Content-Security-Policy forbids.
  const view = new vega.View(vega.parse(compiled, null, { ast: true }), {
    expr: expressionInterpreter,
    renderer: "svg",
    // Vega warns of the infinite extent of every axis without data, which is how each chart starts; errors stay.
    logLevel: vega.Error,
    tooltip: (_handler, event, _item, value) => showTooltip(event, value),
  });
  await view.initialize(drawing).runAsync();
  if (click) {
    drawing.classList.add("clickable");
    view.addEventListener("click", (_event, item) => item?.datum && click(item.datum));
  }
  const params = new Set(spec.params.map((param) => param.name));
  return { host, drawing, empty, view, params, data: spec.data.name, step: spec.height.step };
}

async function readSpec(name) {
  const response = await fetch(`charts/${name}.vl.json`);
  if (!response.ok) throw new Error(`charts/${name}.vl.json answered ${response.status}.`);
  return response.json();
}

/** Gives a chart its rows and the reader's choices, by the names of the spec's params. */
export async function updateChart(
  { host, drawing, empty, view, params, data, step },
  rows,
  choices,
) {
  view.width(host.clientWidth);
  if (!step) view.height(host.clientHeight);
  // Vega writes computed fields into the rows it is given: every chart gets its own.
  view.data(
    data,
    rows.map((row) => ({ ...row })),
  );
  for (const [name, value] of Object.entries(choices))
    if (params.has(name)) view.signal(name, value);
  await view.runAsync();
  empty.hidden = rows.length > 0;
  drawing.classList.toggle("empty", rows.length === 0);
}

/** Ends a chart. */
export function removeChart({ view }) {
  view.finalize();
}
