// The dashboard: its arithmetic, its words, its charts as SVG, and the page in a real browser over fixture tables.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";

import * as vega from "vega";
import * as vegaLite from "vega-lite";

import { launchChromium } from "./browser.mjs";
import { emptyGoldTables, goldTables } from "./fixtures/dashboard/gold.mjs";
import { serveWebDemo } from "./static-server.mjs";
import { findings } from "../web-demo/dashboard/findings.js";
import { currencyInfo, minutesSeconds, money, shortMoney } from "../web-demo/dashboard/format.js";
import * as kpi from "../web-demo/dashboard/kpi.js";
import { VEGA_CONFIG } from "../web-demo/dashboard/theme.js";

const DASHBOARD = new URL("../web-demo/dashboard/", import.meta.url);
const TODAY = "2026-03-09";
const CHOICES = {
  from: "2026-03-03",
  to: TODAY,
  first_day: "2026-03-03",
  currency: currencyInfo("EUR"),
  rows: 5,
};
const HOSTILE = '<img src=x onerror="window.broken = true">';

const read = async (path) => JSON.parse(await readFile(new URL(path, DASHBOARD), "utf8"));

describe("arithmetic", () => {
  const day = (date, currency, revenue, orders, sessions, converted, duration) => ({
    day: date,
    currency,
    revenue_gross_minor: revenue,
    revenue_net_minor: revenue - 100,
    orders,
    sessions,
    converted_sessions: converted,
    session_duration_ms: duration,
  });
  const rows = [
    day("2026-03-09", "EUR", 10_001, 2, 10, 2, 600_000),
    day("2026-03-09", "CHF", 70_000, 1, 5, 1, 150_000),
    day("2026-03-08", "EUR", 20_000, 1, 90, 1, 900_000),
    day("2026-03-02", "EUR", 5_000, 1, 7, 1, 70_000),
  ];

  test("money_and_orders_are_of_one_currency_and_sessions_of_all", () => {
    const values = kpi.kpis(kpi.sumPeriod(rows, { from: TODAY, to: TODAY }, "EUR"));
    assert.deepEqual(values, {
      revenue: 10_001,
      net_revenue: 9_901,
      orders: 2,
      average_order_value: 5000.5,
      sessions: 15,
      conversion_rate: 3 / 15,
      average_session_duration: 50_000,
    });
    assert.equal(kpi.kpis(kpi.sumPeriod(rows, { from: TODAY, to: TODAY }, "CHF")).revenue, 70_000);
  });

  test("a_ratio_over_days_comes_from_sums", () => {
    const values = kpi.kpis(kpi.sumPeriod(rows, { from: "2026-03-08", to: TODAY }, "EUR"));
    assert.equal(values.conversion_rate, 4 / 105);
    assert.equal(values.average_session_duration, 1_650_000 / 105);
  });

  test("a_ratio_without_denominator_is_missing", () => {
    const values = kpi.kpis(kpi.sumPeriod([], { from: TODAY, to: TODAY }, "EUR"));
    assert.equal(values.conversion_rate, null);
    assert.equal(values.average_order_value, null);
    assert.equal(money(null, currencyInfo("EUR")), "–");
  });

  test("periods_end_today_and_the_previous_one_is_as_long", () => {
    assert.deepEqual(kpi.periodRange("7d", TODAY, rows), { from: "2026-03-03", to: TODAY });
    assert.deepEqual(kpi.previousRange({ from: "2026-03-03", to: TODAY }), {
      from: "2026-02-24",
      to: "2026-03-02",
    });
    assert.deepEqual(kpi.previousRange({ from: "2026-03-01", to: "2026-03-01" }), {
      from: "2026-02-28",
      to: "2026-02-28",
    });
    assert.deepEqual(kpi.periodRange("all", TODAY, rows), { from: "2026-03-02", to: TODAY });
    assert.deepEqual(kpi.periodRange("all", TODAY, []), { from: TODAY, to: TODAY });
  });

  test("change_needs_something_to_compare_with", () => {
    assert.equal(kpi.relativeChange(110, 100), 0.1);
    assert.equal(kpi.relativeChange(1, 0), null);
    assert.equal(kpi.relativeChange(1, null), null);
  });

  test("today_is_the_day_in_the_reporting_time_zone", () => {
    const instant = Date.parse("2026-03-09T23:30:00Z");
    assert.equal(kpi.dayIn("UTC", instant), "2026-03-09");
    assert.equal(kpi.dayIn("Europe/Berlin", instant), "2026-03-10");
  });

  test("the_currency_with_most_orders_comes_first", () => {
    assert.deepEqual(kpi.currenciesOf(rows), ["EUR", "CHF"]);
    assert.deepEqual(
      kpi.currenciesOf([
        { currency: null, orders: 9 },
        { currency: "<b>", orders: 9 },
      ]),
      [],
    );
  });

  test("amounts_have_the_digits_of_their_currency", () => {
    assert.equal(money(1_234_567, currencyInfo("EUR")), "€12,345.67");
    assert.equal(money(1_234_567, currencyInfo("JPY")), "¥1,234,567");
    assert.equal(shortMoney(123_456_789, currencyInfo("EUR")), "€1,234,568");
    assert.equal(currencyInfo("CHF").symbol, "CHF\u00a0");
    assert.equal(minutesSeconds(1_024_400), "17:04");
  });
});

describe("words", () => {
  test("the_explanations_are_those_of_the_documentation", async () => {
    const text = await readFile(new URL("../docs/metrics.md", import.meta.url), "utf8");
    const documented = new Map(
      [...text.matchAll(/^## (.+)\n\n(.+)\n/gm)].map(([, word, first]) => [word, first]),
    );
    for (const [word, definition] of Object.entries(await read("metrics.json")))
      assert.equal(definition, documented.get(word), word);
  });

  test("every_marked_word_has_an_explanation", async () => {
    const pages = await Promise.all(
      ["index.html", "cards.js"].map((file) => readFile(new URL(file, DASHBOARD), "utf8")),
    );
    const marked = [...pages.join().matchAll(/(?:data-word="|word: ")([^"]+)"/g)].map(
      ([, word]) => word,
    );
    const metrics = await read("metrics.json");
    assert.ok(marked.length >= 10);
    assert.deepEqual(
      marked.filter((word) => !metrics[word]),
      [],
    );
  });
});

describe("findings", () => {
  test("say_what_the_charts_show", () => {
    const said = findings(
      goldTables({ today: TODAY }),
      CHOICES,
      currencyInfo("EUR"),
      Date.parse("2026-03-09T14:32:00Z"),
    );
    assert.equal(said.funnel, "Largest loss: 56.4% leave before adding to the cart");
    assert.match(said.products, /^Canvas rucksack, 22 litres brings 22\.1% of product revenue$/);
    assert.match(said.devices, /% of sessions on mobile$/);
    assert.match(said.days, /^Best day: \d+ Mar 2026 with €/);
  });

  test("say_nothing_where_there_is_nothing", () => {
    const said = findings(emptyGoldTables(), CHOICES, currencyInfo("EUR"), 0);
    assert.deepEqual(
      new Set(Object.values(said)),
      new Set(["", "No customer has bought in this currency yet."]),
    );
  });
});

describe("charts", async () => {
  // Vega-Lite says this of every chart whose height follows its rows; it is what we ask for.
  const EXPECTED_WARNING = 'Dropping "fit-y" because spec has discrete height.';
  const files = (await readdir(new URL("charts/", DASHBOARD))).toSorted();
  const specs = Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(0, 2), await read(`charts/${file}`)])),
  );

  function compile(spec) {
    const warnings = [];
    const note = (...parts) => warnings.push(parts.join(" "));
    const logger = {
      level: () => logger,
      error: note,
      warn: note,
      info: () => logger,
      debug: () => logger,
    };
    const compiled = vegaLite.compile(spec, { config: VEGA_CONFIG, logger }).spec;
    return { compiled, warnings: warnings.filter((warning) => warning !== EXPECTED_WARNING) };
  }

  /** The texts of a chart drawn as SVG over `tables`. */
  async function drawn(number, tables, choices = CHOICES) {
    // There is no page here whose panel gives the size.
    const spec = { ...specs[number], width: 420 };
    if (spec.height === "container") spec.height = 200;
    const view = new vega.View(vega.parse(compile(spec).compiled), { renderer: "none" });
    view.data(spec.data.name, structuredClone(tables[spec.data.name]));
    for (const { name } of spec.params) view.signal(name, choices[name]);
    const svg = await view.toSVG();
    view.finalize();
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    return { svg, texts };
  }

  const tables = goldTables({ today: TODAY });

  for (const file of files) {
    test(`${file}_compiles_without_a_warning`, () =>
      assert.deepEqual(compile(specs[file.slice(0, 2)]).warnings, []));
    test(`${file}_stands_on_the_page`, async () => {
      const page = await readFile(new URL("index.html", DASHBOARD), "utf8");
      assert.ok(page.includes(`data-chart="${file.replace(".vl.json", "")}"`));
    });
  }

  test("revenue_by_day_has_a_bar_a_day_in_the_chosen_currency", async () => {
    const { svg } = await drawn("01", tables);
    assert.equal([...svg.matchAll(/aria-roledescription="bar"/g)].length, 7);
    assert.match(svg, /aria-label="[^"]*Day: 2026-03-09; Revenue: €3,985\.18; Orders: 58"/);
    const chf = await drawn("01", tables, { ...CHOICES, currency: currencyInfo("CHF") });
    assert.ok(chf.texts.some((text) => text.startsWith("CHF")));
  });

  test("sessions_by_day_names_the_days", async () => {
    const { texts } = await drawn("02", tables);
    assert.ok(texts.includes("3 Mar") && texts.includes("9 Mar"), texts.join());
  });

  test("top_products_are_sorted_and_of_one_currency", async () => {
    const { texts } = await drawn("03", tables);
    const names = texts.slice(0, 5);
    assert.deepEqual(names.slice(0, 3), [
      "Canvas rucksack, 22 litres",
      "Wool blanket",
      "Paper globe lamp",
    ]);
    const amounts = texts.slice(5).map((text) => Number(text.replace(/[€,]/g, "")));
    assert.deepEqual(
      amounts,
      amounts.toSorted((a, b) => b - a),
    );
    assert.equal(amounts[0], expectedRevenue("canvas-rucksack", "EUR"));
  });

  function expectedRevenue(id, currency) {
    const rows = tables.gold_product_performance.filter(
      (row) => row.item_id === id && row.currency === currency,
    );
    return (
      rows
        .filter((row) => row.day >= CHOICES.from)
        .reduce((sum, row) => sum + row.revenue_minor, 0) / 100
    );
  }

  test("the_funnel_gives_share_of_the_first_and_of_the_step_before", async () => {
    const { texts } = await drawn("04", tables);
    assert.deepEqual(texts.slice(0, 5), [
      "All sessions",
      "Viewed a product",
      "Added to cart",
      "Began checkout",
      "Purchased",
    ]);
    assert.ok(
      texts.some((text) => /^1,100\s+·\s+44% of the step before$/.test(text)),
      texts.join(),
    );
    assert.deepEqual(texts.slice(-5), ["100.0%", "71.0%", "31.0%", "19.0%", "13.1%"]);
  });

  test("events_are_counted_by_type", async () => {
    const { texts } = await drawn("05", tables);
    assert.deepEqual(texts.slice(0, 5), ["page view", "page ping", "click", "scroll", "view item"]);
    assert.equal(texts[5], "18,463");
  });

  test("trending_products_are_those_of_the_two_latest_windows", async () => {
    const { texts } = await drawn("06", tables);
    assert.equal(texts[0], "Canvas rucksack, 22 litres");
    assert.ok(
      texts.includes("31 views · 7 to cart · 0 bought") && texts.includes("6.4"),
      texts.join(),
    );
    const old = tables.gold_trending_products.map((row, index) =>
      index === 12 ? { ...row, item_id: "old", trend_score: 99 } : row,
    );
    assert.ok(!(await drawn("06", { gold_trending_products: old })).texts.includes("99.0"));
  });

  test("devices_are_split_by_known_systems_and_other", async () => {
    const [row] = tables.gold_device_trends;
    const odd = [{ ...row, day: TODAY, device: null, os: HOSTILE, sessions: 3 }];
    const { texts, svg } = await drawn("07", { gold_device_trends: odd });
    assert.ok(texts.includes("other") && texts.includes("3"), texts.join());
    assert.ok(!svg.includes("onerror"));
  });

  test("a_chart_without_rows_draws_no_bar", async () => {
    for (const number of Object.keys(specs)) {
      const { svg } = await drawn(number, emptyGoldTables());
      assert.ok(!svg.includes('aria-roledescription="bar"'), number);
    }
  });
});

describe("page", () => {
  const now = Date.now();
  const today = new Date(now).toISOString().slice(0, 10);
  let browser;
  let server;
  let source;

  before(async () => {
    browser = await launchChromium();
    const answers = {
      "/data/version": () =>
        source.answer({ version: source.version, built_at: new Date(now).toISOString() }),
    };
    for (const table of Object.keys(emptyGoldTables()))
      answers[`/data/${table}.json`] = () => source.answer(source.tables[table]);
    server = await serveWebDemo(answers);
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens the dashboard over `tables`; errors and refusals of the Content-Security-Policy are collected. */
  async function openDashboard(tables, address = "") {
    source = { version: 1, tables, answer: (json) => ({ json }) };
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(`${server.origin}/dashboard/${address}`);
    await page.locator('#board[aria-busy="false"]').waitFor();
    return { page, problems };
  }

  const value = (page, key) =>
    page.getByTestId(`kpi-${key}`).getAttribute("data-value").then(Number);

  test("shows_the_sums_of_the_period_and_currency_chosen", async () => {
    const tables = goldTables({ today, now });
    const { page, problems } = await openDashboard(tables);
    const week = { from: kpi.addDays(today, -6), to: today };
    for (const currency of ["EUR", "CHF"]) {
      await page.getByTestId("currency").selectOption(currency);
      const expected = kpi.kpis(kpi.sumPeriod(tables.gold_daily_kpis, week, currency));
      await page.waitForFunction(
        (revenue) =>
          Number(document.querySelector("[data-testid=kpi-revenue]").dataset.value) === revenue,
        expected.revenue,
      );
      for (const key of ["orders", "sessions", "conversion_rate", "average_session_duration"])
        assert.equal(await value(page, key), expected[key], key);
    }
    assert.match(await page.getByTestId("kpi-revenue").textContent(), /^CHF\s[\d,]+\.\d\d$/);
    assert.match(
      await page.getByTestId("kpi-sessions-change").textContent(),
      /^▲ [\d.]+% vs 7 days before$/,
    );
    assert.equal((await page.locator(".bars_marks path").count()) > 20, true);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("moves_when_a_build_published_and_keeps_its_drawings", async () => {
    const { page } = await openDashboard(goldTables({ today, now }), "?period=today");
    const drawing = await page.locator('[data-chart="03_top_products"] svg').elementHandle();
    const sessions = await value(page, "sessions");
    const more = goldTables({ today, now });
    more.gold_daily_kpis.at(-1).sessions += 1;
    source = { ...source, version: 2, tables: more };
    await page.waitForFunction(
      (before) =>
        Number(document.querySelector("[data-testid=kpi-sessions]").dataset.value) === before + 1,
      sessions,
    );
    assert.equal(await drawing.evaluate((svg) => svg.isConnected), true);
    await page.close();
  });

  test("says_what_to_do_while_there_is_nothing", async () => {
    const { page, problems } = await openDashboard(emptyGoldTables());
    assert.match(await page.getByTestId("notice").textContent(), /No sessions yet.*demo shop/s);
    assert.equal(
      await page.getByText("Nothing sold in this currency in this period.").isVisible(),
      true,
    );
    assert.deepEqual(problems, []);
    source = { ...source, version: 2, tables: goldTables({ today, now }) };
    await page.getByTestId("notice").waitFor({ state: "hidden" });
    await page.close();
  });

  test("says_what_is_wrong_and_recovers", async () => {
    const { page } = await openDashboard(goldTables({ today, now }));
    source.answer = () => ({ status: 500, json: {} });
    await page.getByText("/data/version answered 500").waitFor();
    assert.equal(await page.getByTestId("live").getAttribute("data-state"), "error");
    assert.ok((await value(page, "sessions")) > 0, "the last figures stay");
    source.answer = (json) => ({ json });
    await page.getByTestId("notice").waitFor({ state: "hidden" });
    await page.close();
  });

  test("hostile_names_are_text", async () => {
    const tables = goldTables({ today, now });
    const hostile = (row) => ({ ...row, item_name: HOSTILE });
    tables.gold_product_performance = tables.gold_product_performance.map(hostile);
    tables.gold_trending_products = tables.gold_trending_products.map(hostile);
    tables.gold_customer_ltv = tables.gold_customer_ltv.map((row) => ({
      ...row,
      customer_id: HOSTILE,
      rfm_segment: HOSTILE,
    }));
    tables.gold_conversion_funnel.push({
      day: today,
      kind: "event",
      step: HOSTILE,
      step_order: 0,
      sessions: 1,
      events: 1e6,
    });
    const { page, problems } = await openDashboard(tables);
    await page.locator('[data-chart="03_top_products"] .bars_marks path').first().hover();
    const tooltip = page.locator("#vg-tooltip-element.visible");
    await tooltip.waitFor();
    assert.ok((await tooltip.textContent()).includes(HOSTILE));
    assert.ok((await page.getByTestId("customers").textContent()).includes(HOSTILE));
    assert.match(await page.locator("[data-finding=products]").textContent(), /^<img src=x/);
    assert.equal(await page.locator("img[src=x]").count(), 0);
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("a_word_explains_itself_to_the_keyboard", async () => {
    const { page } = await openDashboard(goldTables({ today, now }));
    const word = page.locator("#kpis").getByText("Conversion rate");
    await word.focus();
    await page
      .getByText("Sessions with a purchase divided by all sessions.")
      .waitFor({ state: "visible" });
    await page.close();
  });
});
