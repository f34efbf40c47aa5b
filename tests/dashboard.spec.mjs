// The dashboard: what it computes and says, and its charts as SVG. The page in a browser is in dashboard-page.spec.mjs.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { before, describe, test } from "node:test";

import * as vega from "vega";
import * as vegaLite from "vega-lite";

import { answerOf, choicesOf, sumPeriod } from "./fixtures/dashboard/answers.mjs";
import { emptyGoldTables, goldTables } from "./fixtures/dashboard/gold.mjs";
import { changeOf } from "../web-demo/dashboard/cards.js";
import * as columns from "../web-demo/dashboard/columns.js";
import { daysOf, periodRange } from "../web-demo/dashboard/days.js";
import {
  countryName,
  currencyInfo,
  duration,
  money,
  percent,
  shortMoney,
} from "../web-demo/dashboard/format.js";
import { kpis, relativeChange } from "../web-demo/dashboard/kpi.js";
import { PAGES as LOADERS } from "../web-demo/dashboard/pages.js";
import { ALL_SHOPS, addressOf, questionOf, stateOf } from "../web-demo/dashboard/state.js";
import { VEGA_CONFIG } from "../web-demo/dashboard/theme.js";

const DASHBOARD = new URL("../web-demo/dashboard/", import.meta.url);
const TODAY = "2026-03-09";
const EUR = currencyInfo("EUR", 2);
const NAMES = Object.keys(LOADERS);
const PAGES = Object.fromEntries(
  await Promise.all(NAMES.map(async (name) => [name, await LOADERS[name]()])),
);
const CONTEXT = {
  currency: EUR,
  currencyOf: (code) => currencyInfo(code, 2),
  state: {},
  today: TODAY,
};
const WEEK = new URLSearchParams("from=2026-03-03&to=2026-03-09&currency=EUR");

const read = async (path) => JSON.parse(await readFile(new URL(path, DASHBOARD), "utf8"));
const parts = Object.values(PAGES).flatMap(({ panels }) => panels.flatMap((panel) => panel.parts));

describe("arithmetic", () => {
  test("a_ratio_comes_from_sums_and_is_missing_without_a_whole", () => {
    const tables = goldTables({ today: TODAY });
    const sums = sumPeriod(tables.gold_daily_kpis, { from: "2026-03-03", to: TODAY }, "EUR");
    const values = kpis(sums);
    assert.equal(values.conversion_rate, sums.converted_sessions / sums.sessions);
    assert.equal(values.average_order_value, sums.revenue_gross_minor / sums.orders);
    const none = kpis(sumPeriod([], { from: TODAY, to: TODAY }, "EUR"));
    assert.equal(none.conversion_rate, null);
    assert.equal(none.average_order_value, null);
    assert.equal(money(null, EUR), "–");
  });

  test("change_needs_something_to_compare_with", () => {
    assert.equal(relativeChange(110, 100), 0.1);
    assert.equal(relativeChange(1, 0), null);
    assert.equal(relativeChange(1, null), null);
    assert.equal(changeOf({}, null, 5), null);
  });

  test("fewer_losses_are_good_and_fewer_sales_are_not", () => {
    assert.deepEqual(changeOf({ points: true, less: true }, 0.3, 0.4), {
      direction: "down",
      isGood: true,
      text: "▼ 10.0 pp",
    });
    assert.equal(changeOf({}, 90, 100).isGood, false);
  });

  test("periods_end_today", () => {
    assert.deepEqual(periodRange("7d", TODAY, null), { from: "2026-03-03", to: TODAY });
    assert.deepEqual(periodRange("all", TODAY, "2026-03-02"), { from: "2026-03-02", to: TODAY });
    assert.deepEqual(periodRange("all", TODAY, null), { from: TODAY, to: TODAY });
    assert.equal(daysOf({ from: "2026-02-27", to: "2026-03-02" }).length, 4);
  });
});

describe("numbers", () => {
  // Decimals by ISO 4217 as the server gives them; browsers have others for HUF, IDR, IQD and more.
  /** @type {[string, number, number, string][]} */
  const cases = [
    ["EUR", 2, 1_234_567, "€12,345.67"],
    ["JPY", 0, 1_234_567, "¥1,234,567"],
    ["HUF", 2, 1_234_567, "Ft\u00a012,345.67"],
    ["IDR", 2, 1_234_567, "Rp\u00a012,345.67"],
    ["KWD", 3, 1_234_567, "KWD\u00a01,234.567"],
    ["IQD", 3, 1_234_567, "IQD\u00a01,234.567"],
    ["COP", 2, 1_234_567, "$12,345.67"],
    ["CLF", 4, 1_234_567, "CLF\u00a0123.4567"],
  ];
  for (const [code, digits, minor, expected] of cases) {
    test(`an_amount_in_${code}_has_the_decimals_of_iso_4217`, () => {
      const currency = currencyInfo(code, digits);
      assert.equal(money(minor, currency), expected);
      assert.equal(currency.minor_per_unit, 10 ** digits);
    });
  }

  test("large_amounts_leave_cents_to_the_tooltip", () => {
    assert.equal(shortMoney(123_456_789, EUR), "€1,234,568");
  });

  test("shares_are_written_in_one_form_and_durations_have_units", () => {
    assert.deepEqual([0.08, 1, 0.1312, null].map(percent), ["8.0%", "100.0%", "13.1%", "–"]);
    assert.deepEqual([0, 350, 115_000, 1_024_400, 7_500_000, null].map(duration), [
      "0 s",
      "350 ms",
      "1 min 55 s",
      "17 min 4 s",
      "2 h 5 min",
      "–",
    ]);
    assert.deepEqual(["DE", "unknown"].map(countryName), ["Germany", "Unknown"]);
  });
});

describe("address", () => {
  test("holds_what_was_chosen_and_nothing_else", () => {
    const search =
      "?page=traffic&from=2026-03-01&to=2026-03-05&compare=year&currency=CHF&channel=Email";
    const state = stateOf(search, NAMES);
    assert.deepEqual([state.page, state.period, state.channel], ["traffic", "custom", "Email"]);
    assert.equal(addressOf(state, NAMES), search);
    assert.equal(addressOf(stateOf("", NAMES), NAMES), "?");
  });

  test("that_makes_no_sense_gives_the_usual", () => {
    const state = stateOf("?page=nope&period=__proto__&from=x&to=y&compare=1", NAMES);
    assert.deepEqual([state.page, state.period, state.compare], ["overview", "7d", "before"]);
    assert.equal(stateOf("?from=2026-03-05&to=2026-03-01", NAMES).period, "7d");
  });

  test("asks_for_one_shop_unless_all_are_chosen", () => {
    const choices = {
      ...choicesOf(goldTables({ today: TODAY })),
      shops: [{ shop_id: "large" }, { shop_id: "small" }],
      currencies: [
        { shop_id: "large", currency: "EUR", orders: 9 },
        { shop_id: "small", currency: "HUF", orders: 2 },
      ],
    };
    const asked = (search) =>
      new URL(questionOf(stateOf(search, NAMES), choices, TODAY), "http://x").searchParams;
    assert.equal(asked("").get("shop"), "large");
    assert.equal(asked("?shop=small").get("currency"), "HUF", "a currency that the shop has");
    assert.equal(asked("?shop=gone").get("shop"), "large");
    assert.equal(asked(`?shop=${ALL_SHOPS}`).get("shop"), null);
    assert.equal(asked("?period=all").get("compare"), "none");
    assert.equal(asked("?product=a%26b").get("product"), "a&b");
  });
});

describe("csv", () => {
  const of = (definitions, rows) => columns.csv(definitions, rows, CONTEXT);

  test("has_plain_values_in_units", () => {
    const text = of(
      [
        columns.text("Name", "name"),
        columns.amount("Value", "minor"),
        columns.time("Took", "ms"),
        columns.share("Share", "share"),
        columns.count("Missing", "none"),
      ],
      [{ name: 'a "b", c', minor: 1234, ms: 1500, share: 0.25, none: null }],
    );
    assert.equal(
      text,
      'Name,Value (EUR),Took (s),Share,Missing\r\n"a ""b"", c",12.34,1.5,0.25,\r\n',
    );
  });

  test("makes_no_formula_of_a_name_from_a_stranger", () => {
    const text = of([columns.text("Name", "name")], [{ name: '=HYPERLINK("x")' }, { name: "-5" }]);
    assert.equal(text, `Name\r\n"'=HYPERLINK(""x"")"\r\n-5\r\n`);
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

  test("every_word_that_is_marked_has_an_explanation_and_every_explanation_a_word", async () => {
    const metrics = await read("metrics.json");
    const cards = await readFile(new URL("cards.js", DASHBOARD), "utf8");
    const marked = new Set([...cards.matchAll(/word: "([^"]+)"/g)].map(([, word]) => word));
    for (const part of parts) {
      if (part.word) marked.add(part.word);
      for (const { word } of part.columns) if (word) marked.add(word);
    }
    assert.deepEqual([...marked].toSorted(), Object.keys(metrics).toSorted());
  });
});

describe("findings", () => {
  /** @param {any} tables */
  const finding = (page, name, tables = goldTables({ today: TODAY })) => {
    const answer = answerOf(page, tables, WEEK);
    return parts.find((part) => part.name === name).finding(answer, CONTEXT);
  };

  test("say_what_the_charts_show", () => {
    assert.equal(
      finding("overview", "funnel"),
      "Largest loss: 56.4% leave before adding to the cart",
    );
    assert.match(
      finding("overview", "products"),
      /^Canvas rucksack, 22 litres brings 22\.1% of product revenue$/,
    );
    assert.match(finding("overview", "devices"), /% of sessions on mobile$/);
    assert.match(finding("overview", "days"), /^Best: \d+ Mar with €/);
  });

  test("of_attribution_are_of_the_model_chosen", () => {
    const shift = (model) => {
      const answer = answerOf("traffic", goldTables({ today: TODAY }), WEEK);
      const part = parts.find(({ name }) => name === "credited-channels");
      const context = { ...CONTEXT, state: { model } };
      return [part.rows(answer, context)[0].channel, part.finding(answer, context)];
    };
    assert.deepEqual(shift(""), ["Email", "Email is last before 66.7% of the revenue"]);
    assert.deepEqual(shift("first"), [
      "Paid Search",
      "Email gets 55.6% of the revenue less than by last touch",
    ]);
    assert.deepEqual(shift("constructor"), shift(""));
  });

  test("of_cohorts_leave_out_the_month_that_is_not_over", () => {
    // 12 of 40 and 20 of 55; the 8 of 61 are of this month.
    assert.match(finding("customers", "cohorts"), /; 33\.7% order again in the month after/);
  });

  test("of_searches_and_carts_add_up", () => {
    assert.equal(finding("search", "unclicked"), "43.5% of all searches");
    assert.equal(
      finding("search", "carts-by-day"),
      "28.6% bought at once, 14.3% later, 57.1% not so far",
    );
    assert.equal(finding("search", "recovery-times"), "Half of them within 3 h 5 min");
    assert.equal(finding("search", "visits"), "20.0% of those who search buy, 10.0% of the others");
  });

  test("say_nothing_where_there_is_nothing", () => {
    for (const name of ["funnel", "products", "devices", "days", "events", "customers"])
      assert.equal(finding("overview", name, emptyGoldTables()), "", name);
    for (const name of ["terms", "unclicked", "carts-by-day", "left-carts"])
      assert.equal(finding("search", name, emptyGoldTables()), "", name);
  });
});

describe("charts", async () => {
  // Vega-Lite says this of every chart whose height follows its rows; it is what we ask for.
  const EXPECTED_WARNING = 'Dropping "fit-y" because spec has discrete height.';
  const files = (await readdir(new URL("charts/", DASHBOARD))).toSorted();
  const specs = Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file.replace(".vl.json", ""), await read(`charts/${file}`)]),
    ),
  );
  const tables = goldTables({ today: TODAY });
  let answers;

  before(() => {
    answers = Object.fromEntries(NAMES.map((page) => [page, answerOf(page, tables, WEEK)]));
  });

  function compile(spec) {
    const warnings = [];
    const note = (...words) => warnings.push(words.join(" "));
    /** @type {any} */
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

  /** The texts of a chart drawn as SVG over rows. */
  async function drawn(name, rows, currency = EUR) {
    // There is no page here whose panel gives the size.
    const spec = { ...specs[name], width: 420 };
    if (spec.height === "container") spec.height = 200;
    const view = new vega.View(vega.parse(compile(spec).compiled), { renderer: "none" });
    view.data(spec.data.name, structuredClone(rows));
    for (const param of spec.params) view.signal(param.name, { currency }[param.name]);
    const svg = await view.toSVG();
    view.finalize();
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    return { svg, texts };
  }

  const rowsOf = (page, name, context = CONTEXT) => {
    const all = PAGES[page].panels.flatMap((panel) => panel.parts);
    return all.find((part) => part.name === name).rows(answers[page], context);
  };

  for (const name of Object.keys(specs)) {
    test(`${name}_compiles_without_a_warning_and_stands_on_a_page`, () => {
      assert.deepEqual(compile(specs[name]).warnings, []);
      assert.ok(parts.some((part) => part.chart === name));
    });
  }

  test("every_chart_gets_rows_and_shows_no_missing_value", async () => {
    for (const [page, { panels }] of Object.entries(PAGES)) {
      for (const part of panels.flatMap((panel) => panel.parts).filter(({ chart }) => chart)) {
        const { svg } = await drawn(part.chart, part.rows(answers[page], CONTEXT));
        assert.match(svg, /<(path|text)/, `${page}: ${part.chart}`);
        assert.doesNotMatch(svg, /null|undefined|NaN|Infinity/, `${page}: ${part.chart}`);
      }
    }
  });

  test("revenue_by_day_has_a_bar_a_day_and_the_days_before_as_a_line", async () => {
    const { svg } = await drawn("01_revenue_by_day", rowsOf("overview", "days"));
    assert.equal([...svg.matchAll(/aria-roledescription="bar"/g)].length, 7);
    assert.match(
      svg,
      /aria-label="[^"]*When: 9 Mar; Revenue: €3,985\.18; Before: €[\d,.]+; Orders: 58"/,
    );
    assert.match(svg, /aria-roledescription="line mark"/);
  });

  test("day_without_sessions_is_a_gap_on_the_axis", () => {
    const answer = { ...answers.overview, course: answers.overview.course.slice(0, 2) };
    const part = parts.find(({ name }) => name === "days");
    const rows = part.rows(answer, CONTEXT);
    assert.equal(rows.length, 7);
    assert.equal(rows[6].sessions, 0);
    assert.equal(rows[6].conversion, "–");
  });

  test("sessions_by_day_names_the_days", async () => {
    const { texts } = await drawn("02_sessions_by_day", rowsOf("overview", "sessions"));
    assert.ok(texts.includes("3 Mar") && texts.includes("9 Mar"), texts.join());
  });

  test("top_products_are_sorted_and_of_one_currency", async () => {
    const { texts } = await drawn("03_top_products", rowsOf("overview", "products").slice(0, 5));
    assert.deepEqual(texts.slice(0, 3), [
      "Canvas rucksack, 22 litres",
      "Wool blanket",
      "Paper globe lamp",
    ]);
    const amounts = texts.slice(5).map((text) => Number(text.replace(/[€,]/g, "")));
    assert.deepEqual(
      amounts,
      amounts.toSorted((a, b) => b - a),
    );
  });

  test("the_funnel_gives_share_of_the_first_and_of_the_step_before", async () => {
    const { texts } = await drawn("04_sales_funnel", rowsOf("overview", "funnel"));
    assert.deepEqual(texts.slice(0, 5), [
      "All sessions",
      "Viewed a product",
      "Added to cart",
      "Began checkout",
      "Purchased",
    ]);
    assert.ok(
      texts.some((text) => /^1,100\s+·\s+43\.6% went on$/.test(text)),
      texts.join(),
    );
    assert.deepEqual(texts.slice(-5), ["100.0%", "71.0%", "31.0%", "19.0%", "13.1%"]);
  });

  test("every_event_type_is_counted", async () => {
    const { texts } = await drawn("05_events_by_type", rowsOf("overview", "events"));
    assert.deepEqual(texts.slice(0, 3), ["page view", "page ping", "click"]);
    assert.ok(texts.includes("purchase") && texts.includes("18,463"), texts.join());
    assert.equal(texts.length, 2 * answers.overview.events.length);
  });

  test("cohorts_have_a_cell_for_each_month_until_now", () => {
    const rows = rowsOf("customers", "cohorts");
    assert.deepEqual(
      rows.filter((row) => row.cohort === "Dec 2025").map((row) => row.label),
      ["100", "30", "23", "0"],
    );
    assert.equal(rows.length, 4 + 3 + 2);
  });

  test("devices_are_split_by_known_systems_and_other", async () => {
    const hostile = '<img src=x onerror="window.broken = true">';
    const odd = { devices: [{ device: null, os: hostile, sessions: 3, converted_sessions: 0 }] };
    const rows = parts.find(({ name }) => name === "devices").rows(odd, CONTEXT);
    const { texts, svg } = await drawn("07_device_os", rows);
    assert.ok(texts.includes("other") && texts.includes("3"), texts.join());
    assert.ok(!svg.includes("onerror"));
  });
});
