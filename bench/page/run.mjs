// Lighthouse over the demo shop and every page of the dashboard, as a phone and as a desktop sees them: performance (the
// median of some rounds) and accessibility. Exit code 1 where one is below 95. `cargo xtask bench page` runs it beside
// `cargo xtask demo`.
//
//   node bench/page/run.mjs [--shop http://127.0.0.1:8080] [--rounds 3] [--only dashboard]

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";

import { installPackages } from "../packages.mjs";
import { launchChromium } from "../../tests/browser.mjs";
import { close, listen } from "../../tests/loopback.mjs";
import { PAGES } from "../../web-demo/dashboard/pages.js";

const ROOT = new URL("../../", import.meta.url);
const LEAST = 95;
const FORMS = ["mobile", "desktop"];

const { values } = parseArgs({
  options: {
    shop: { type: "string" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
  },
});
const packages = await installPackages(new URL(".", import.meta.url));
const { default: lighthouse } = await import(new URL("lighthouse/core/index.js", packages).href);
const shop = values.shop ?? (await shopOfTheDemo());
const paths = [
  "/",
  "/product/enamel-mug",
  ...Object.keys(PAGES).map((name) => `/dashboard/?page=${name}`),
].filter((path) => path.includes(values.only));

const port = await freePort();
const browser = await launchChromium({ more: [`--remote-debugging-port=${port}`] });
const rows = [];
printHead();
try {
  for (const path of paths)
    for (const form of FORMS) {
      rows.push(await measure(path, form));
      print(rows.at(-1));
    }
} finally {
  await browser.close();
}
printEnd();

/** A port of the loopback that nobody listens on. */
async function freePort() {
  const server = createServer();
  const port = await listen(server);
  await close(server);
  return port;
}

/** The address in the file of a demo that runs. */
async function shopOfTheDemo() {
  try {
    return JSON.parse(await readFile(new URL("data/stack.json", ROOT), "utf8")).shop;
  } catch {
    throw new Error("no demo runs here; hint: start `cargo xtask demo`, or say --shop ADDRESS");
  }
}

/** The scores of a page, and what Lighthouse would have better. */
async function measure(path, form) {
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round += 1)
    rounds.push(await audit(path, form));
  const performance = median(rounds.map(({ categories }) => categories.performance.score));
  const accessibility = Math.min(...rounds.map(({ categories }) => categories.accessibility.score));
  const timing = (id) => Math.round(median(rounds.map(({ audits }) => audits[id].numericValue)));
  const bytes = Math.max(...rounds.map(({ audits }) => audits["total-byte-weight"].numericValue));
  return {
    path,
    form,
    performance: Math.round(performance * 100),
    accessibility: Math.round(accessibility * 100),
    firstPaint: timing("first-contentful-paint"),
    largestPaint: timing("largest-contentful-paint"),
    blocked: timing("total-blocking-time"),
    shift: median(rounds.map(({ audits }) => audits["cumulative-layout-shift"].numericValue)),
    kilobytes: Math.round(bytes / 1000),
    failed: failedIn(rounds[0]),
  };
}

async function audit(path, form) {
  const isDesktop = form === "desktop";
  const desktop = isDesktop
    ? (await import(new URL("lighthouse/core/config/desktop-config.js", packages).href)).default
    : undefined;
  const flags = { port, onlyCategories: ["performance", "accessibility"], logLevel: "error" };
  const { lhr } = await lighthouse(new URL(path, shop).href, flags, desktop);
  if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
  return lhr;
}

/** The audits of accessibility that a page fails. */
function failedIn({ categories, audits }) {
  const ids = categories.accessibility.auditRefs.map(({ id }) => id);
  return ids.filter((id) => audits[id].score !== null && audits[id].score < 1);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function load() {
  return loadavg()[0].toFixed(1);
}

function printHead() {
  const figures = "performance | accessibility | first paint, ms | largest paint, ms | blocked, ms";
  console.log(`${cpus().length} cores, load ${load()} before`);
  console.log(`| page | as | ${figures} | shift | kB |`);
  console.log("|---|---|---|---|---|---|---|---|---|");
}

function print({ failed: _, ...row }) {
  console.log(`| ${Object.values({ ...row, shift: row.shift.toFixed(3) }).join(" | ")} |`);
}

function printEnd() {
  console.log(`load ${load()} after`);
  const low = rows.filter((row) => Math.min(row.performance, row.accessibility) < LEAST);
  for (const { path, form, failed } of low)
    console.log(`below ${LEAST}: ${path} as ${form} ${failed.join(", ")}`.trimEnd());
  if (low.length > 0) process.exitCode = 1;
}
