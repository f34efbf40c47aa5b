// The report's figures are the dashboard's. The measures' own DAX is computed (evaluate.mjs) on the rows the dashboard's tests
// use, and compared with the answers that the dashboard shows over them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { evaluator, secured } from "./evaluate.mjs";
import { PROJECT, readProject } from "./project.mjs";
import { dayNumber, modelRows } from "./rows.mjs";
import * as answers from "../fixtures/dashboard/answers.mjs";
import { goldTables as fixture } from "../fixtures/dashboard/gold.mjs";
import { kpis, relativeChange } from "../../web-demo/dashboard/kpi.js";
import { deviceRows, stepRows } from "../../web-demo/dashboard/pages/parts.js";

const TODAY = "2026-03-09";
const MINUTE_MS = 60_000;
const DIGITS = { EUR: 2, CHF: 2, JPY: 0, BHD: 3 };

const { model } = await readProject(PROJECT);
const gold = withMoreCurrencies(fixture({ today: TODAY }));
gold.gold_pipeline_completeness = completeness(gold.gold_daily_kpis);
const compute = evaluator(model, withRefresh(modelRows(model, gold, TODAY)));

/** Two browsers' hours of every day; in the newest hour nothing came that can be used. */
function completeness(daily) {
  const days = [...new Set(daily.map(({ day }) => day))];
  const row = (day, hour, browser, used) => {
    const refused = { refused_malformed_record: 1, refused_time_out_of_range: 2, refused_unknown_currency: used % 3, refused_amount_too_large: 0 };
    const sums = { refused: 3 + (used % 3), by_programs: 5, duplicates: used % 4, missing: used % 5, ...refused };
    const received = used + sums.by_programs + sums.refused;
    return { ...sums, day, hour: `${day}T${hour}:00:00.000Z`, shop_id: "demo", browser, used, received, made: received + sums.missing, landed: received + sums.duplicates };
  };
  return days.flatMap((day, index) => [row(day, "09", "Chrome", 90 + index), row(day, "09", "Safari", 40 + 2 * index), row(day, "10", "unknown", 0)]);
}

/** The rows as read two and a half hours after the newest hour with events. */
function withRefresh(rows) {
  return { ...rows, "Key Figures": [{ "Refreshed At": dayNumber(`${TODAY}T11:30:00.000Z`) }] };
}

/** The fixture with orders in yen, which have no decimals, and in dinars, which have three. */
function withMoreCurrencies(tables) {
  const copies = (rows) => rows.flatMap((row) => (row.currency === "CHF" ? [row, { ...row, currency: "JPY" }, { ...row, currency: "BHD" }] : [row]));
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, copies(rows)]));
}

const during = ({ from, to }) => ({ "Date[Date]": (day) => day >= dayNumber(from) && day <= dayNumber(to) });
const only = (column, value) => ({ [column]: (cell) => cell === value });
const near = (actual, expected, message) => assert.ok(Math.abs((actual ?? 0) - (expected ?? 0)) < 1e-9 && (actual === null) === (expected === null), `${message}: ${actual}, not ${expected}`);

/** @type {[string, {from: any, to: any}][]} */
const PERIODS = ["today", "7d", "30d", "all"].map((name) => [name, answers.periodRange(name, TODAY, gold.gold_daily_kpis)]);
const CURRENCIES = Object.keys(DIGITS);

/** The dashboard's values as the report gives them: in units of money, and minutes. */
function dashboardValues(range, currency) {
  const values = kpis(answers.sumPeriod(gold.gold_daily_kpis, range, currency));
  const units = 10 ** DIGITS[currency];
  const part = (value, by) => (value === null ? null : value / by);
  return {
    Revenue: part(values.revenue, units), "Revenue after refunds": part(values.net_revenue, units), Orders: values.orders,
    "Average order value": part(values.average_order_value, units), Sessions: values.sessions,
    "Conversion rate": values.conversion_rate, "Average session duration": part(values.average_session_duration, MINUTE_MS),
  };
}

describe("key figures", () => {
  for (const currency of CURRENCIES) for (const [period, range] of PERIODS) {
    test(`of_${period}_in_${currency}_are_those_of_the_cards`, () => {
      const chosen = { ...during(range), ...only("Currency[Code]", currency) };
      for (const [measure, expected] of Object.entries(dashboardValues(range, currency))) near(compute(measure, chosen), expected, measure);
    });
  }

  for (const [period, range] of PERIODS.filter(([name]) => name !== "all")) {
    test(`of_${period}_are_compared_as_on_the_cards`, () => {
      const chosen = { ...during(range), ...only("Currency[Code]", "EUR") };
      const [now, before] = [range, answers.previousRange(range)].map((days) => dashboardValues(days, "EUR"));
      for (const measure of Object.keys(now).filter((name) => model.measures.has(`${name} (change)`))) {
        near(compute(`${measure} (previous)`, chosen), before[measure], `${measure} (previous)`);
        const change = measure === "Conversion rate" ? 100 * (now[measure] - before[measure]) : relativeChange(now[measure], before[measure]);
        near(compute(`${measure} (change)`, chosen), change, `${measure} (change)`);
      }
    });
  }

  test("have_no_change_where_nothing_came_before", () => {
    const all = PERIODS.at(-1)[1];
    for (const measure of model.measures.keys()) if (measure.endsWith("(change)")) assert.equal(compute(measure, during(all)), null, measure);
  });

  test("are_in_the_currency_with_most_orders_unless_one_is_chosen", () => {
    const [most] = answers.currenciesOf(gold.gold_daily_kpis);
    assert.equal(compute("Currency shown"), most);
    assert.equal(compute("Currency shown", during({ from: "2020-01-01", to: "2020-01-02" })), most, "in a period without orders");
    assert.equal(compute("Currency shown", only("Currency[Code]", "JPY")), "JPY");
    assert.equal(compute("Revenue"), compute("Revenue", only("Currency[Code]", most)));
    const several = { "Currency[Code]": (code) => ["JPY", "CHF"].includes(code) };
    assert.equal(compute("Revenue", several), compute("Revenue", only("Currency[Code]", "CHF")), "of equals, the first in the alphabet");
  });

  test("that_are_on_no_card_are_ratios_of_sums_too", () => {
    const sum = (column) => gold.gold_daily_kpis.reduce((total, row) => total + row[column], 0);
    near(compute("Bounce rate"), sum("bounced_sessions") / sum("sessions"), "Bounce rate");
    near(compute("Cart abandonment rate"), sum("abandoned_cart_sessions") / sum("cart_sessions"), "Cart abandonment rate");
  });
});

describe("pipeline", () => {
  const [week, before] = [PERIODS[1][1], answers.previousRange(PERIODS[1][1])];
  const SUMS = { "Events made": "made", "Events received": "received", "Missing events": "missing", "Refused events": "refused", "Events used": "used", Programs: "by_programs", Duplicates: "duplicates" };
  const sum = ({ from, to }, column, browser = null) => gold.gold_pipeline_completeness.filter((row) => row.day >= from && row.day <= to && (browser ?? row.browser) === row.browser).reduce((total, row) => total + row[column], 0);

  test("sums_are_those_of_the_hours", () => {
    for (const [measure, column] of Object.entries(SUMS)) {
      near(compute(measure, during(week)), sum(week, column), measure);
      near(compute(measure, { ...during(week), ...only("Pipeline Completeness[Browser]", "Safari") }), sum(week, column, "Safari"), `${measure} of Safari`);
      if (model.measures.has(`${measure} (change)`)) near(compute(`${measure} (change)`, during(week)), relativeChange(sum(week, column), sum(before, column)), `${measure} (change)`);
    }
  });

  test("received_events_are_used_or_of_programs_or_refused", () => {
    const parts = ["Events used", "Programs", "Refused events"].map((measure) => compute(measure, during(week)));
    near(compute("Events received", during(week)), parts.reduce((total, part) => total + part), "received");
    near(compute("Events made", during(week)), compute("Events received", during(week)) + compute("Missing events", during(week)), "made");
  });

  test("completeness_is_a_ratio_of_sums", () => {
    const share = (range) => sum(range, "received") / sum(range, "made");
    near(compute("Completeness", during(week)), share(week), "Completeness");
    near(compute("Completeness (change)", during(week)), 100 * (share(week) - share(before)), "change");
  });

  test("every_reason_of_gold_has_a_name_and_its_events", () => {
    const reasons = [...model.tables.get("Pipeline Completeness").columns.values()].map(({ properties }) => /^refused_(.+)$/.exec(properties.sourceColumn)?.[1]).filter(Boolean);
    assert.ok(reasons.length > 0);
    for (const reason of reasons) near(compute("Refused events", { ...during(week), ...only("Refusal Reason[Reason]", reason) }), sum(week, `refused_${reason}`), reason);
    const several = { ...during(week), "Refusal Reason[Reason]": (reason) => reason !== "malformed_record" };
    near(compute("Refused events", several), sum(week, "refused") - sum(week, "refused_malformed_record"), "of several reasons");
  });

  test("freshness_is_of_all_time_and_of_hours_with_events_in_the_figures", () => {
    for (const chosen of [{}, during(before), only("Pipeline Completeness[Browser]", "unknown")]) {
      assert.equal(compute("Newest hour", chosen), dayNumber(`${TODAY}T09:00:00.000Z`));
      near(compute("Age of the newest hour", chosen), 2.5, "hours");
    }
  });

  test("checks_are_those_of_the_dashboard", () => {
    const { checks } = answers.answerOf("quality", gold, new URLSearchParams({ ...week, currency: "EUR" }));
    assert.equal(compute("Checks with findings", during(week)), checks.filter(({ status }) => status !== "passed").length);
    assert.equal(compute("Checks with findings", only("Quality Checks[Status]", "passed")), 0);
    for (const row of checks) assert.equal(compute("Failing rows", only("Quality Checks[Check Name]", row.check_name)), row.failing_rows, row.check_name);
  });
});

describe("two shops", () => {
  const role = model.roles.find(({ name }) => name === "Shop reader");
  const [first, second] = ["demo", "north"];
  const rowsOf = (...shops) => {
    const copies = (rows) => rows.flatMap((row) => (row.shop_id ? shops.map((shop_id) => ({ ...row, shop_id })) : [row]));
    const rows = modelRows(model, Object.fromEntries(Object.entries(gold).map(([name, table]) => [name, copies(table)])), TODAY);
    rows["Shop Reader"] = [["anna@example.com", first], ["ben@example.com", first], ["ben@example.com", second]].map(([Reader, shop]) => ({ Reader, "Shop ID": shop }));
    return withRefresh(rows);
  };
  const both = rowsOf(first, second);
  const of = (rows, filters = {}) => {
    const figures = evaluator(model, rows);
    const shown = [...model.measures.values()].filter(({ properties, name }) => !properties.isHidden && !["Checks with findings", "Failing rows"].includes(name));
    return shown.map(({ name }) => [name, figures(name, { ...during(PERIODS[1][1]), ...filters })]);
  };
  const alone = of(rowsOf(first));

  test("are_told_apart_by_one_slicer", () => {
    for (const shop of [first, second]) assert.deepEqual(of(both, only("Shop[Shop]", shop)), alone);
    assert.notDeepEqual(of(both), alone);
  });

  test("are_seen_by_readers_of_both_alone", () => {
    assert.deepEqual(of(secured(model, both, role, "anna@example.com")), alone);
    assert.deepEqual(of(secured(model, both, role, "ben@example.com")), of(both));
  });

  test("are_hidden_from_everybody_else_with_what_is_about_both", () => {
    const nobody = secured(model, both, role, "carla@example.com");
    const open = ["Channel", "Currency", "Date", "Device", "Funnel Step", "Key Figures", "Refusal Reason"];
    for (const [table, rows] of Object.entries(nobody)) assert.equal(rows.length > 0, open.includes(table), table);
    assert.deepEqual(secured(model, both, role, "anna@example.com")["Quality Checks"], []);
  });
});

describe("a wrong measure", () => {
  const WRONG = [
    ["of_another_column", "Revenue", "Revenue Gross Minor", "Revenue Net Minor"],
    ["in_minor_units", "Revenue", "10 ^ [Currency digits]", "1"],
    ["of_two_currencies_added", "Orders", ", Currency[Code] = Code", ""],
    ["of_sessions_in_one_currency", "Sessions", "REMOVEFILTERS ( Currency )", "Currency[Code] = [Currency shown]"],
    ["in_seconds", "Average session duration", "60000", "1000"],
  ];
  const range = PERIODS[1][1];
  for (const [name, measure, from, to] of WRONG) {
    test(`${name}_is_found`, () => {
      const { expression } = model.measures.get(measure);
      assert.ok(expression.includes(from));
      const measures = new Map(model.measures).set(measure, { expression: expression.replace(from, to) });
      const wrong = evaluator({ ...model, measures }, modelRows(model, gold, TODAY))(measure, during(range));
      assert.throws(() => near(wrong, dashboardValues(range, "EUR")[measure], measure), /: [\d.]+, not [\d.]+$/);
    });
  }

  test("of_a_period_one_day_off_is_found", () => {
    const end = model.measures.get("Previous period end").expression;
    const measures = new Map(model.measures).set("Previous period end", { expression: end.replace("- 1", "- 2") });
    const wrong = evaluator({ ...model, measures }, modelRows(model, gold, TODAY))("Sessions (previous)", during(range));
    assert.notEqual(wrong, dashboardValues(answers.previousRange(range), "EUR").Sessions);
  });
});

describe("charts", () => {
  const WEEK = PERIODS[1][1];

  const answerOf = (page, currency = "EUR") => answers.answerOf(page, gold, new URLSearchParams({ ...WEEK, currency }));

  const inWeek = (...filters) => Object.assign({}, during(WEEK), ...filters);

  for (const currency of CURRENCIES) {
    test(`top_products_in_${currency}`, () => {
      for (const row of answers.productsOf(gold, WEEK, currency)) {
        const chosen = inWeek(only("Currency[Code]", currency), only("Product[Product ID]", row.item_id));
        near(compute("Product revenue", chosen), row.revenue_minor / 10 ** DIGITS[currency], row.item_name);
      }
    });
  }

  for (const currency of CURRENCIES) {
    test(`products_in_${currency}`, () => {
      const during = (range) => gold.gold_product_performance.filter(({ day }) => day >= range.from && day <= range.to);
      for (const row of answers.productsOf(gold, WEEK, currency)) {
        const chosen = inWeek(only("Currency[Code]", currency), only("Product[Product ID]", row.item_id));
        for (const [measure, column] of Object.entries({ "Product views": "views", "Added to cart": "carts", "Units sold": "quantity" })) near(compute(measure, chosen), row[column], measure);
        const own = during(WEEK).filter(({ item_id }) => item_id === row.item_id);
        const sum = (rows, column) => rows.reduce((total, one) => total + one[column], 0);
        const inCurrency = own.filter((one) => one.currency === currency);
        near(compute("Product refunds", chosen), sum(inCurrency, "refunds_minor") / 10 ** DIGITS[currency], "refunds");
        near(compute("Buy rate", chosen), sum(own, "purchases") / sum(own, "views"), "both in all currencies");
      }
    });
  }

  test("products_against_the_period_before", () => {
    const [now, before] = [WEEK, answers.previousRange(WEEK)].map((range) => answers.productsOf(gold, range, "EUR").find(({ item_id }) => item_id === "brass-pen"));
    const chosen = inWeek(only("Product[Product ID]", "brass-pen"));
    for (const [measure, column] of Object.entries({ "Product views": "views", "Added to cart": "carts", "Units sold": "quantity", "Product revenue": "revenue_minor" })) {
      near(compute(`${measure} (change)`, chosen), relativeChange(now[column], before[column]), measure);
    }
  });

  test("trending_products", () => {
    const { trending } = answerOf("products");
    assert.ok(trending.length > 0);
    const names = [...new Set(gold.gold_trending_products.map(({ item_name }) => item_name))];
    for (const name of names) {
      const expected = trending.find(({ item_name }) => item_name === name)?.trend_score ?? null;
      near(compute("Trend score", inWeek(only("Product[Product]", name))), expected, name);
    }
    assert.equal(compute("Trend score", inWeek(only("Currency[Code]", "CHF"))), null, "in another currency");
  });

  test("sales_funnel", () => {
    for (const row of stepRows(answers.stepsOf(gold, WEEK))) near(compute("Sales funnel", inWeek(only("Funnel Step[Name]", row.name))), row.sessions, row.name);
    assert.equal(compute("Sales funnel", inWeek()), null, "steps are not added up");
  });

  test("sessions_by_channel", () => {
    const { channels } = answerOf("traffic");
    assert.ok(channels.length > 0);
    for (const row of channels) near(compute("Sessions by channel", inWeek(only("Channel[Channel]", row.channel))), row.sessions, row.channel);
  });

  for (const currency of CURRENCIES) {
    test(`landing_pages_and_countries_in_${currency}`, () => {
      const { landing_pages, countries } = answerOf("traffic", currency);
      const groups = [
        ...landing_pages.map((row) => [only("Landing Pages[Landing Page]", row.landing_page), row]),
        ...countries.map((row) => [only("Landing Pages[Country]", row.country), row]),
      ];
      assert.ok(landing_pages.length > 0 && countries.length > 0);
      for (const [group, row] of groups) {
        const chosen = inWeek(only("Currency[Code]", currency), group);
        const revenue = row.revenue_minor / 10 ** DIGITS[currency];
        near(compute("Sessions by landing page", chosen), row.sessions, "Sessions");
        near(compute("Bounce rate by landing page", chosen), row.bounced_sessions / row.sessions, "Bounce rate");
        near(compute("Conversion rate by landing page", chosen), row.converted_sessions / row.sessions, "Conversion rate");
        near(compute("Revenue by landing page", chosen), revenue || null, "Revenue");
        near(compute("Revenue per session", chosen), revenue ? revenue / row.sessions : null, "Revenue per session");
        near(compute("New customers", chosen), row.new_customers || null, "New customers");
      }
    });
  }

  test("rates_of_steps_by_device_and_channel", () => {
    const { by_device, by_channel } = answerOf("funnel");
    /** @type {[string, string, any[]][]} */
    const groups = [["Device", "device", by_device], ["Channel", "channel", by_channel]];
    for (const [column, field, rows] of groups) for (const row of rows) {
      const sessions = (order) => rows.find((one) => one[field] === row[field] && one.step_order === order)?.sessions;
      const group = only(`${column}[${column}]`, row[field]);
      const chosen = inWeek(group, only("Funnel Step[Step]", row.step));
      near(compute("Share of sessions", chosen), row.sessions / sessions(1), row.step);
      near(compute("Step rate", chosen), row.step_order === 1 ? null : row.sessions / sessions(row.step_order - 1), row.step);
      near(compute("Checkout abandonment rate", inWeek(group)), 1 - sessions(5) / sessions(4), row[field]);
    }
    for (const measure of ["Share of sessions", "Step rate"]) assert.equal(compute(measure, inWeek()), null, "steps are not added up");
  });

  test("abandonment_is_compared_in_percentage_points", () => {
    const before = during(answers.previousRange(WEEK));
    for (const measure of ["Cart abandonment rate", "Checkout abandonment rate"]) near(compute(`${measure} (change)`, inWeek()), 100 * (compute(measure, inWeek()) - compute(measure, before)), measure);
  });

  test("events_by_type", () => {
    for (const row of answers.eventsOf(gold, WEEK)) near(compute("Events", inWeek(only("Conversion Funnel[Step]", row.event_type))), row.events, row.event_type);
  });

  test("devices_and_systems", () => {
    for (const row of deviceRows(answers.devicesOf(gold, WEEK))) {
      const cell = inWeek(only("Device[Device]", row.device), only("Device Trends[OS]", row.os));
      near(compute("Sessions by device", cell), row.sessions, `${row.device} ${row.os}`);
    }
  });

  test("search_terms", () => {
    const answer = answerOf("search");
    near(compute("Searches", inWeek()), answer.searches[0].searches, "all");
    for (const row of answer.terms) {
      const chosen = inWeek(only("Search Terms[Search Term]", row.search_term));
      near(compute("Searches", chosen), row.searches, row.search_term);
      near(compute("Searches without a click", chosen), row.searches - row.clicked_searches, row.search_term);
      near(compute("Click-through rate of a search", chosen), row.clicked_searches / row.searches, row.search_term);
    }
  });

  for (const currency of CURRENCIES) {
    test(`carts_in_${currency}`, () => {
      const { carts } = answerOf("search", currency);
      const chosen = inWeek(only("Currency[Code]", currency));
      const units = 10 ** DIGITS[currency];
      near(compute("Carts", chosen), carts.bought + carts.recovered + carts.abandoned || null, "Carts");
      near(compute("Recovered carts", chosen), carts.recovered || null, "Recovered carts");
      near(compute("Abandoned carts", chosen), carts.abandoned || null, "Abandoned carts");
      near(compute("Recovery rate", chosen), carts.recovered ? carts.recovered / (carts.recovered + carts.abandoned) : null, "Recovery rate");
      near(compute("Value left in carts", chosen), carts.abandoned_minor / units || null, "Value left in carts");
    });
  }

  test("credited_revenue_by_channel_and_model", () => {
    const { channels } = answerOf("traffic").attribution;
    for (const row of channels) {
      for (const model of ["first", "last", "linear", "position", "time_decay"]) {
        const chosen = inWeek(only("Channel[Channel]", row.channel), only("Channel Attribution[Model]", model));
        near(compute("Credited revenue", chosen), row[`${model}_minor`] / 100, `${row.channel}, ${model}`);
      }
    }
    assert.equal(compute("Credited revenue", inWeek()), null, "models are not added up");
  });

  for (const currency of CURRENCIES) {
    test(`customers_in_${currency}`, () => {
      const { summary, groups, first_channels } = answerOf("customers", currency);
      const units = 10 ** DIGITS[currency];
      /** @type {[Record<string, (cell: any) => boolean>, any][]} */
      const cases = [
        ...summary.map((row) => [{}, row]),
        ...groups.map((row) => [only("Customer LTV[RFM Segment]", row.rfm_segment), row]),
        ...first_channels.map((row) => [only("Channel[Channel]", row.first_channel), row]),
      ];
      for (const [group, row] of cases) {
        const chosen = inWeek(only("Currency[Code]", currency), group);
        near(compute("Customers", chosen), row.customers, "Customers");
        near(compute("Repeat rate", chosen), row.repeat_customers / row.customers, "Repeat rate");
        near(compute("Expected value", chosen), row.expected_value_12m_minor / units, "Expected value");
        near(compute("Average expected value", chosen), row.expected_value_12m_minor / row.customers / units, "Average expected value");
        near(compute("Average lifetime value", chosen), row.lifetime_value_minor / row.customers / units, "Average lifetime value");
      }
    });
  }

  test("cohorts", () => {
    const { cohorts } = answerOf("customers");
    const month = (row) => only("Cohort Retention[Cohort Month]", dayNumber(row.cohort_month));
    for (const row of cohorts) near(compute("Retention", inWeek(month(row), only("Cohort Retention[Months Since First]", row.months_since_first))), row.customers / row.cohort_customers, row.cohort_month);
    for (const row of cohorts) {
      const own = cohorts.filter(({ cohort_month }) => cohort_month === row.cohort_month);
      near(compute("Cohort revenue", inWeek(month(row))), own.reduce((total, one) => total + one.revenue_net_minor, 0) / 100, row.cohort_month);
    }
    assert.equal(compute("Retention", inWeek(only("Cohort Retention[Months Since First]", 1))), null, "cohorts are not added up");
    assert.equal(compute("Retention", inWeek(month(cohorts[0]))), null, "nor are months");
    assert.equal(compute("Cohort revenue", inWeek(only("Currency[Code]", "CHF"))), null, "in another currency");
  });

  test("lifetime_value_by_customer", () => {
    for (const currency of CURRENCIES) {
      for (const row of answers.customersOf(gold, currency)) {
        const chosen = inWeek(only("Currency[Code]", currency), only("Customer[Customer ID]", row.customer_id));
        near(compute("Lifetime value", chosen), row.lifetime_value_minor / 10 ** DIGITS[currency], row.customer_id);
        near(compute("Orders of a customer", chosen), row.orders, row.customer_id);
      }
    }
  });

  test("one_customer_beside_all_customers", () => {
    for (const currency of CURRENCIES) {
      const rows = gold.gold_customer_ltv.filter((row) => row.currency === currency);
      const units = 10 ** DIGITS[currency];
      const average = rows.reduce((sum, row) => sum + row.lifetime_value_minor, 0) / rows.length / units;
      for (const row of rows) {
        const chosen = inWeek(only("Currency[Code]", currency), only("Customer[Customer ID]", row.customer_id));
        near(compute("Ordered value", chosen), row.gross_minor / units, row.customer_id);
        near(compute("Refunds of a customer", chosen), row.refunds_minor / units, row.customer_id);
        near(compute("Alive probability", chosen), row.alive_probability, row.customer_id);
        near(compute("Days since last order", chosen), row.recency_days, row.customer_id);
        const asDrilled = { ...chosen, ...only("Customer LTV[RFM Segment]", row.rfm_segment), ...only("Channel[Channel]", row.first_channel) };
        near(compute("Average of all customers", asDrilled), average, row.customer_id);
      }
    }
  });
});
