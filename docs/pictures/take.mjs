// Takes the documentation's pictures from a running demo: the dashboard as it is, and the pages of the Power BI report as we
// draw them. `cargo xtask pictures` runs it over a demo of its own.
//
//   node docs/pictures/take.mjs http://127.0.0.1:8080

import { pageHtml } from "./report.mjs";
import { launchChromium } from "../../tests/browser.mjs";
import { evaluator } from "../../tests/powerbi/evaluate.mjs";
import { PROJECT, goldTableOf, readProject } from "../../tests/powerbi/project.mjs";
import { dayNumber, modelRows } from "../../tests/powerbi/rows.mjs";

const DOCS = new URL("../", import.meta.url);
const THEME = "Shoptrail.Report/StaticResources/RegisteredResources/Shoptrail.json";
/** The slicers' period. */
const DAYS = 30;

const [shop] = process.argv.slice(2);
if (!shop) throw new Error("no address of a demo; hint: cargo xtask pictures");

const browser = await launchChromium();
try {
  await takeDashboard();
  await takeReport();
} finally {
  await browser.close();
}

/** The first page of the dashboard, at the width of a laptop. */
async function takeDashboard() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1180 } });
  await page.goto(new URL("/dashboard/", shop).href);
  await page.locator('#board[aria-busy="false"]').waitFor();
  await page.locator(".drawing svg").nth(5).waitFor();
  await page.screenshot({ path: file("dashboard.png") });
  await page.close();
}

async function takeReport() {
  const report = await readReport();
  const page = await browser.newPage({ viewport: { width: 1280, height: 744 } });
  for (const name of JSON.parse(report.order).pageOrder) {
    await page.setContent(await pageHtml(name, report, filtersOf(name, report)));
    await page.screenshot({ path: file(`powerbi-${name}.png`) });
  }
}

/** The project, with the rows that Power BI would load now. */
async function readReport() {
  const { files, model, visuals } = await readProject(PROJECT);
  const { today, built_at } = await json("/data/version");
  const tables = [...model.tables.values()].map(goldTableOf).filter(Boolean);
  const gold = Object.fromEntries(
    await Promise.all(tables.map(async (name) => [name, await json(`/data/${name}.json`)])),
  );
  const rows = modelRows(model, gold, today);
  rows["Key Figures"] = [{ "Refreshed At": dayNumber(built_at) }];
  return {
    model,
    visuals,
    rows,
    today: dayNumber(today),
    theme: JSON.parse(files.get(THEME)),
    order: files.get("Shoptrail.Report/definition/pages/pages.json"),
    compute: evaluator(model, rows),
  };
}

/** What is chosen on a page: the slicers' period, and on the page of one product or customer the one that brings most. */
function filtersOf(name, { today, visuals, rows, compute }) {
  const isOfDays = visuals.some(
    ({ path, json: { visual } }) =>
      path.includes(`/pages/${name}/`) &&
      JSON.stringify(visual.query ?? {}).includes('"Date.Date"'),
  );
  const days = { "Date[Date]": (day) => day > today - DAYS && day <= today };
  const slicers = isOfDays ? days : {};
  if (name === "product") return bestOf("Product", "Product", "Product revenue");
  if (name === "customer") return bestOf("Customer", "Customer ID", "Lifetime value");
  return slicers;

  function bestOf(table, column, measure) {
    const only = (value) => ({ ...slicers, [`${table}[${column}]`]: (cell) => cell === value });
    const [best] = rows[table]
      .map((row) => ({ value: row[column], worth: compute(measure, only(row[column])) }))
      .toSorted((a, b) => b.worth - a.worth);
    return only(best.value);
  }
}

async function json(path) {
  const response = await fetch(new URL(path, shop));
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function file(name) {
  return new URL(name, DOCS).pathname;
}
