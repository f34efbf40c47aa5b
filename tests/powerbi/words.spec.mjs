// The report's words are those of docs/metrics.md, and its colours can be told apart.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";

import { nodes, parseDax } from "./dax.mjs";
import { goldTableOf, PROJECT, readProject } from "./project.mjs";
import { constantRows } from "./rows.mjs";
import { stepRows } from "../../web-demo/dashboard/pages/parts.js";

const ROOT = new URL("../../", import.meta.url);
const { model, files } = await readProject(PROJECT);

describe("words", async () => {
  const text = await readFile(new URL("docs/metrics.md", ROOT), "utf8");
  const sections = new Map(text.split(/^## /m).slice(1).map((section) => [section.split("\n", 1)[0], section]));
  const sentence = (word) => sections.get(word)?.split("\n")[2];
  const shown = [...model.measures.values()].filter(({ properties }) => !properties.isHidden);

  for (const { name, description } of shown) {
    test(`describe_${name}_as_docs_metrics_does`, () => {
      const [, word, variant] = /^(.+?)(?: \((previous|change)\))?$/.exec(name);
      const addition = { previous: ` ${sentence("Previous period")}`, change: ` ${sentence("Change")}` }[variant] ?? "";
      assert.ok(sections.has(word), `docs/metrics.md has no ${word}`);
      assert.equal(description, sentence(word) + addition);
    });
  }

  test("name_the_columns_that_the_measure_reads", () => {
    const source = ({ table, name }) => [goldTableOf(model.tables.get(table)), model.tables.get(table).columns.get(name).properties.sourceColumn];
    /** Gold columns in a measure's DAX and in the measures it builds on; which currency is shown is a matter of its own. */
    const columns = (measure) => [...nodes(parseDax(model.measures.get(measure).expression))].flatMap((node) => {
      if (node.kind === "measure") return node.name === "Currency shown" || node.name === "Currency digits" ? [] : columns(node.name);
      return node.kind === "column" && source(node)[0] ? [source(node)[1]] : [];
    });
    for (const { name } of shown.filter((measure) => !/\(|Last refresh/.test(measure.name))) {
      const documented = new Set([...sections.get(name).matchAll(/`(\w+)`/g)].map(([, word]) => word));
      const read = columns(name).filter((column) => !(name === "Currency shown" && column === "currency"));
      assert.ok(read.length > 0, name);
      assert.deepEqual(read.filter((column) => !documented.has(column)), [], name);
    }
  });

  test("call_the_steps_what_the_dashboard_calls_them", () => {
    for (const { Step, Name } of constantRows(model, "Funnel Step", ["Step", "Name", "Order"])) {
      const [, row] = stepRows([{ step: "sessions", sessions: 1 }, { step: Step, sessions: 1 }]);
      assert.equal(row.name, Name);
    }
  });
});

describe("theme", () => {
  const theme = JSON.parse(files.get("Shoptrail.Report/StaticResources/RegisteredResources/Shoptrail.json"));
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (hex) => [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  /** Contrast after WCAG 2. */
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const grounds = [theme.background, theme.backgroundLight];

  test("has_text_that_can_be_read", () => {
    const inks = [theme.foreground, theme.foregroundNeutralSecondary, ...Object.values(theme.textClasses).map(({ color }) => color)];
    for (const ink of inks) for (const ground of grounds) assert.ok(contrast(ink, ground) >= 4.5, `${ink} on ${ground}`);
  });

  test("has_colours_that_stand_out", () => {
    assert.ok(theme.dataColors.length >= 6);
    for (const colour of theme.dataColors) for (const ground of grounds) assert.ok(contrast(colour, ground) >= 3, `${colour} on ${ground}`);
  });
});
