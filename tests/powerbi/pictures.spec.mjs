// The drawings of the report's pages (docs/pictures): every visual is drawn, with the figures that the measures compute.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { evaluator } from "./evaluate.mjs";
import { PROJECT, readProject } from "./project.mjs";
import { dayNumber, modelRows } from "./rows.mjs";
import { goldTables } from "../fixtures/dashboard/gold.mjs";
import { formatted } from "../../docs/pictures/format.mjs";
import { pageHtml } from "../../docs/pictures/report.mjs";

const TODAY = "2026-03-09";

describe("a value", () => {
  /** @type {[number | string | null, string, string][]} */
  const cases = [
    [1234567.5, "#,##0.00#", "1,234,567.50"],
    [0.1312, "0.0%", "13.1%"],
    [-0.05, "▲ 0.0%;▼ 0.0%;0.0%", "▼ 5.0%"],
    [0, "▲ 0.0%;▼ 0.0%;0.0%", "0.0%"],
    [2.5, "▲ 0.0 \\p\\p;▼ 0.0 \\p\\p;0.0 \\p\\p", "▲ 2.5 pp"],
    [dayNumber("2026-03-09T11:30:00.000Z"), "d mmm yyyy hh:nn \\U\\T\\C", "9 Mar 2026 11:30 UTC"],
    ["EUR", "", "EUR"],
    [null, "#,##0", ""],
  ];
  for (const [value, format, expected] of cases) test(`is_written_as_${expected || "nothing"}`, () => assert.equal(formatted(value, format), expected));
});

describe("a page", async () => {
  const { model, visuals, pages, files } = await readProject(PROJECT);
  const gold = { ...goldTables({ today: TODAY, days: 9 }), gold_pipeline_completeness: [hour("Chrome"), hour("Safari")] };
  const rows = modelRows(model, gold, TODAY);
  rows["Key Figures"] = [{ "Refreshed At": dayNumber(`${TODAY}T11:30:00.000Z`) }];
  const theme = JSON.parse(files.get("Shoptrail.Report/StaticResources/RegisteredResources/Shoptrail.json"));
  const report = { model, visuals, rows, theme, compute: evaluator(model, rows) };

  function hour(browser) {
    const refused = { refused: 1, refused_malformed_record: 1, refused_time_out_of_range: 0, refused_unknown_currency: 0, refused_amount_too_large: 0 };
    return { ...refused, day: TODAY, hour: `${TODAY}T09:00:00.000Z`, shop_id: "demo", browser, used: 90, received: 91, by_programs: 0, duplicates: 2, missing: 3, made: 94, landed: 93 };
  }

  for (const { json } of pages) {
    test(`${json.name}_is_drawn_whole`, async () => {
      const html = await pageHtml(json.name, report, {});
      const drawn = html.split("<section").slice(1);
      assert.equal(drawn.length, visuals.filter(({ path }) => path.includes(`/pages/${json.name}/`)).length);
      for (const section of drawn) assert.match(section, /<path|<td|<b>[^<]|<span|class="choice"/, section.slice(0, 400));
      assert.doesNotMatch(html, /undefined|NaN/);
    });
  }

  test("shows_what_the_measures_compute", async () => {
    const html = await pageHtml("overview", report, {});
    assert.ok(html.includes(`<b>${formatted(report.compute("Revenue"), "#,##0.00#")}</b>`));
  });
});
