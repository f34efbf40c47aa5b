// The dashboard's pages in a real browser, over a server that answers from fixture tables.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";

import { violations } from "./axe.mjs";
import { launchChromium } from "./browser.mjs";
import { addDays, answerOf, choicesOf, sumPeriod } from "./fixtures/dashboard/answers.mjs";
import { emptyGoldTables, goldTables } from "./fixtures/dashboard/gold.mjs";
import { serveWebDemo } from "./static-server.mjs";
import { until } from "./until.mjs";
import { kpis } from "../web-demo/dashboard/kpi.js";
import { PAGES } from "../web-demo/dashboard/pages.js";

const TODAY = "2026-03-09";
const NAMES = Object.keys(PAGES);
const HOSTILE = '<img src=x onerror="window.broken = true">';

let browser;
let server;
let source;

/** What the server says: tables and a publication, told to every open page. */
class Source {
  version = 1;
  asked = [];
  answer = (json) => ({ json });
  #streams = new Set();

  constructor(tables) {
    this.tables = tables;
  }

  open(response) {
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    this.#tell(response);
  }

  get readers() {
    return this.#streams.size;
  }

  publish(tables) {
    this.version += 1;
    this.tables = tables;
    for (const stream of this.#streams) this.#tell(stream);
  }

  end() {
    for (const stream of this.#streams) stream.end();
  }

  #tell(stream) {
    const { version } = this;
    const built_at = `${TODAY}T12:00:00Z`;
    const data = JSON.stringify({ version, built_at, time_zone: "UTC", today: TODAY });
    stream.write(`event: published\ndata: ${data}\n\n`);
  }
}

before(async () => {
  browser = await launchChromium();
  const answers = { "/data/choices": () => source.answer(choicesOf(source.tables)) };
  for (const page of NAMES) {
    answers[`/data/${page}`] = ({ searchParams }) => {
      source.asked.push(searchParams);
      return source.answer(answerOf(page, source.tables, searchParams));
    };
  }
  server = await serveWebDemo(answers, { "/data/changes": (response) => source.open(response) });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens the dashboard over `tables`; errors and refusals of the Content-Security-Policy are collected. */
async function openDashboard(tables, address = "", options = {}) {
  source = new Source(tables);
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, ...options });
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(`${server.origin}/dashboard/${address}`);
  await shown(page);
  return { page, problems };
}

const shown = (page) => page.locator('#board[aria-busy="false"]').waitFor();
const tables = () => goldTables({ today: TODAY });

const value = (page, key) => page.getByTestId(`kpi-${key}`).getAttribute("data-value").then(Number);

const untilValue = (page, key, expected) =>
  page.waitForFunction(
    ([key, expected]) =>
      Number(document.querySelector(`[data-testid=kpi-${key}]`)?.getAttribute("data-value")) ===
      expected,
    [key, expected],
  );

const panel = (page, name) => page.locator(`.part:has([data-finding="${name}"])`);

describe("figures", () => {
  test("are_the_sums_of_the_period_and_currency_chosen", async () => {
    const { page, problems } = await openDashboard(tables());
    const week = { from: addDays(TODAY, -6), to: TODAY };
    for (const currency of ["EUR", "CHF"]) {
      await page.getByTestId("currency").selectOption(currency);
      const expected = kpis(sumPeriod(source.tables.gold_daily_kpis, week, currency));
      await untilValue(page, "revenue", expected.revenue);
      for (const key of ["orders", "sessions", "conversion_rate", "average_session_duration"])
        assert.equal(await value(page, key), expected[key], key);
    }
    assert.match(await page.getByTestId("kpi-revenue").textContent(), /^CHF\s[\d,]+\.\d\d$/);
    assert.match(
      await page.getByTestId("kpi-sessions-change").textContent(),
      /^▲ [\d.]+% vs 7 days before$/,
    );
    await page.locator(".bars_marks path").nth(20).waitFor({ state: "attached" });
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("move_when_a_build_published_and_keep_their_drawings", async () => {
    const { page } = await openDashboard(tables(), "?period=today");
    const drawing = await page.locator('[data-chart="03_top_products"] svg').elementHandle();
    const sessions = await value(page, "sessions");
    const more = tables();
    more.gold_daily_kpis.at(-1).sessions += 1;
    source.publish(more);
    await untilValue(page, "sessions", sessions + 1);
    assert.equal(await drawing.evaluate((svg) => svg.isConnected), true);
    await page.close();
  });

  test("of_today_go_by_the_hour", async () => {
    const { page } = await openDashboard(tables(), "?period=today");
    await panel(page, "days").getByText("Table").click();
    assert.equal(await panel(page, "days").locator("tbody tr").count(), 24);
    await page.close();
  });

  test("are_asked_for_only_when_something_moved", async () => {
    const { page } = await openDashboard(tables());
    assert.equal(source.asked.length, 1);
    const answered = page.waitForResponse((response) => response.url().includes("/data/overview"));
    source.publish(tables());
    await answered;
    assert.equal(source.asked.length, 2);
    assert.equal(source.readers, 1);
    await page.close();
  });

  test("of_a_hidden_page_are_not_followed", async () => {
    const { page } = await openDashboard(tables());
    const hide = (isHidden) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await hide(true);
    await until("nobody follows", () => source.readers === 0);
    const more = tables();
    more.gold_daily_kpis.at(-1).sessions += 1;
    source.publish(more);
    const before = await value(page, "sessions");
    await hide(false);
    await untilValue(page, "sessions", before + 1);
    await page.close();
  });
});

describe("filters", () => {
  test("reach_every_page_and_stand_in_the_address", async () => {
    const { page } = await openDashboard(tables(), "?period=30d");
    await page.getByTestId("device").selectOption("mobile");
    for (const name of NAMES) {
      await page.locator(`nav a[data-page=${name}]`).click();
      await page.waitForFunction(
        (name) => document.querySelector("#board").className === name,
        name,
      );
      const asked = source.asked.at(-1);
      assert.equal(asked.get("device"), "mobile", name);
      assert.equal(asked.get("from"), addDays(TODAY, -29), name);
    }
    assert.equal(new URL(page.url()).search, "?page=quality&period=30d&device=mobile");
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("#board").className === "live");
    await page.getByTestId("clear").click();
    await page.waitForFunction(() => !location.search.includes("device"));
    await page.close();
  });

  test("are_set_by_a_click_on_a_bar_and_by_a_name_in_a_table", async () => {
    const { page } = await openDashboard(tables());
    await page.locator('[data-chart="03_top_products"] .bars_marks path').first().click();
    await page.waitForURL(/product=canvas-rucksack/);
    await page.getByTestId("clear").click();
    await panel(page, "channels").getByText("Table").click();
    await panel(page, "channels").getByRole("button", { name: "direct" }).click();
    await page.waitForURL(/channel=direct/);
    assert.equal(await page.getByTestId("channel").inputValue(), "direct");
    await page.locator("nav a[data-page=search]").click();
    await page.getByTestId("clear").click();
    await page.locator('[data-chart="16_search_terms"] .bars_marks path').first().click();
    await page.waitForURL(/term=mug/);
    assert.equal(await page.getByTestId("term").inputValue(), "mug");
    assert.equal(source.asked.at(-1).get("term"), "mug");
    await page.close();
  });

  test("of_one_panel_stand_in_the_address_too", async () => {
    const { page } = await openDashboard(tables(), "?page=traffic&model=first");
    const model = page.getByRole("combobox", { name: "Attribution model" });
    await page.getByText("Email gets 55.6% of the revenue less").waitFor();
    assert.equal(await model.inputValue(), "first");
    await model.selectOption("Last touch");
    await page.getByText("Email is last before 66.7% of the revenue").waitFor();
    assert.equal(new URL(page.url()).search, "?page=traffic");
    await page.close();
  });

  test("take_any_days_and_compare_with_the_year_before", async () => {
    const { page } = await openDashboard(tables());
    await page.getByTestId("from").fill("2026-03-05");
    await page.waitForURL(/from=2026-03-05&to=2026-03-09/);
    await page.getByTestId("compare").selectOption("year");
    await page.getByText("vs the year before").first().waitFor();
    assert.equal(source.asked.at(-1).get("compare"), "year");
    await page.close();
  });

  test("never_add_shops_together_unasked", async () => {
    const two = tables();
    two.gold_daily_kpis = two.gold_daily_kpis.flatMap((row) => [
      row,
      { ...row, shop_id: "outlet", sessions: 1 },
    ]);
    const { page } = await openDashboard(two, "?period=today");
    const alone = await value(page, "sessions");
    const [row] = two.gold_daily_kpis.filter((one) => one.shop_id === "outlet").slice(-2);
    assert.equal(row.sessions, 1);
    await page.getByTestId("shop").selectOption("*");
    await untilValue(page, "sessions", alone + 2);
    await page.close();
  });

  test("lead_from_a_customer_to_the_orders_in_their_own_currency", async () => {
    const { page } = await openDashboard(tables());
    await page.getByTestId("customers").getByRole("button").first().click();
    await page.waitForURL(/page=customers&customer=/);
    const orders = panel(page, "orders-of-customer").locator("tbody tr");
    await orders.first().waitFor();
    assert.match(await orders.first().textContent(), /Ft\s19,900\.00/);
    await page.close();
  });
});

describe("page", () => {
  test("gives_a_table_as_csv", async () => {
    const { page } = await openDashboard(tables());
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Top products by revenue as a CSV file" }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), "shoptrail-products.csv");
    const text = await readFile(await file.path(), "utf8");
    assert.match(
      text,
      /^Product,Revenue \(EUR\),Share,Units sold\r\n"Canvas rucksack, 22 litres",/,
    );
    await page.close();
  });

  test("says_what_to_do_while_there_is_nothing", async () => {
    const { page, problems } = await openDashboard(emptyGoldTables());
    assert.match(await page.getByTestId("notice").textContent(), /No sessions yet.*demo shop/s);
    await page.getByText("Nothing sold in this currency in this period.").first().waitFor();
    assert.deepEqual(problems, []);
    source.publish(tables());
    await page.getByTestId("notice").waitFor({ state: "hidden" });
    await page.close();
  });

  test("says_what_is_wrong_and_recovers", async () => {
    const { page } = await openDashboard(tables());
    source.answer = () => ({ status: 500, json: {} });
    source.publish(tables());
    await page.getByText("/data/choices answered 500").waitFor();
    assert.equal(await page.getByTestId("live").getAttribute("data-state"), "error");
    assert.ok((await value(page, "sessions")) > 0, "the last figures stay");
    source.answer = (json) => ({ json });
    source.publish(tables());
    await page.getByTestId("notice").waitFor({ state: "hidden" });
    source.end();
    await page.waitForFunction(
      () => document.querySelector(".live").getAttribute("data-state") === "live",
    );
    await page.close();
  });

  test("shows_hostile_names_as_text", async () => {
    const hostile = tables();
    const named = (row) => ({ ...row, item_name: HOSTILE });
    hostile.gold_product_performance = hostile.gold_product_performance.map(named);
    hostile.gold_trending_products = hostile.gold_trending_products.map(named);
    hostile.gold_customer_ltv = hostile.gold_customer_ltv.map((row) => ({
      ...row,
      customer_id: HOSTILE,
      rfm_segment: HOSTILE,
    }));
    hostile.gold_conversion_funnel = hostile.gold_conversion_funnel.map((row) => ({
      ...row,
      channel: HOSTILE,
    }));
    const { page, problems } = await openDashboard(hostile);
    await page.locator('[data-chart="03_top_products"] .bars_marks path').first().hover();
    const tooltip = page.locator(".chart-tip");
    await tooltip.waitFor();
    assert.ok((await tooltip.textContent()).includes(HOSTILE));
    assert.ok((await page.getByTestId("customers").textContent()).includes(HOSTILE));
    assert.match(await page.locator("[data-finding=products]").textContent(), /^<img src=x/);
    assert.equal(await page.locator("img[src=x]").count(), 0);
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("explains_a_word_to_mouse_and_keyboard", async () => {
    const { page } = await openDashboard(tables());
    const word = page.locator("#kpis").getByText("Conversion rate");
    const tip = page.locator(".tip");
    await word.focus();
    assert.equal(await tip.textContent(), "Sessions with a purchase divided by all sessions.");
    await page.keyboard.press("Escape");
    assert.equal(await tip.isVisible(), false);
    await page.locator("#kpis").getByText("Orders").hover();
    await page.getByText("each transaction counted once.").last().waitFor({ state: "visible" });
    const described = await word.getAttribute("aria-describedby");
    assert.match(await page.locator(`#${described}`).textContent(), /^Sessions with a purchase/);
    await page.close();
  });
});

describe("layout", () => {
  for (const width of [1920, 1280, 768]) {
    test(`no_table_scrolls_sideways_at_${width}_pixels`, async () => {
      for (const name of NAMES) {
        const { page } = await openDashboard(tables(), `?page=${name}`, {
          viewport: { width, height: 720 },
        });
        const wide = await page
          .locator(".scroll:visible")
          .evaluateAll((tables) =>
            tables
              .filter((table) => table.scrollWidth > table.clientWidth)
              .map((table) => table.ariaLabel),
          );
        assert.deepEqual(wide, [], name);
        await page.close();
      }
    });
  }

  test("nothing_moves_when_choices_and_figures_come", async () => {
    for (const [width, height] of [
      [1350, 940],
      [412, 823],
    ]) {
      const { page } = await openDashboard(tables(), "", { viewport: { width, height } });
      const moved = await page.evaluate(() => {
        const observer = new PerformanceObserver(() => {});
        observer.observe({ type: "layout-shift", buffered: true });
        const shifts = /** @type {any[]} */ (observer.takeRecords());
        return shifts.reduce((sum, { value }) => sum + value, 0);
      });
      // Lighthouse calls up to 0.1 good.
      assert.ok(moved < 0.05, `${moved} at ${width} px`);
      await page.close();
    }
  });
});

describe("accessibility", () => {
  const WIDTHS = [360, 768, 1280, 1920];

  for (const name of NAMES) {
    test(`${name}_fits_every_width_and_has_no_violation_in_light_and_dark`, async () => {
      const { page } = await openDashboard(tables(), `?page=${name}`, { reducedMotion: "reduce" });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - innerWidth,
        );
        assert.ok(overflow <= 0, `${overflow} px too wide at ${width} px`);
      }
      for (const [colorScheme, width] of [
        ["light", 1280],
        ["dark", 360],
      ]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await violations(page), [], `${colorScheme}, ${width} px`);
      }
      await page.close();
    });
  }
});
