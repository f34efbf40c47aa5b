// The Power BI project is sound, and each check finds what it is for: shown on copies with one thing broken.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { checkerProblems, mProblems, phoneSchemaMissing, schemaProblems, schemasMissing } from "./checkers.mjs";
import { crossCheck, goldTables } from "./crosscheck.mjs";
import { goldTableOf, PROJECT, readProject } from "./project.mjs";

const GOLD = goldTables(await readFile(new URL("../../docs/tables.md", import.meta.url), "utf8"));
const TABLES = "Shoptrail.SemanticModel/definition/tables/";
const EXPRESSIONS = "Shoptrail.SemanticModel/definition/expressions.tmdl";
const ROLE = "Shoptrail.SemanticModel/definition/roles/Shop reader.tmdl";
const RELATIONSHIPS = "Shoptrail.SemanticModel/definition/relationships.tmdl";
const PAGE = "Shoptrail.Report/definition/pages/overview/";

const notChecked = schemasMissing ?? phoneSchemaMissing;
if (notChecked) console.log(`Not all of Microsoft's schemas are checked: ${notChecked}`);

const crossProblems = async (project) => crossCheck(project, GOLD);

describe("the project", async () => {
  const project = await readProject(PROJECT);
  const checks = { crossProblems, mProblems, checkerProblems, schemaProblems };
  for (const [name, check] of Object.entries(checks)) {
    const skip = name === "schemaProblems" && schemasMissing !== null;
    test(`has_no_${name}`, { skip }, async () => assert.deepEqual(await check(project), []));
  }

  test("reads_every_gold_table_and_fills_every_page", () => {
    const { tables, measures } = project.model;
    const read = [...tables.values()].filter(goldTableOf);
    assert.equal(read.length, GOLD.size);
    assert.ok(GOLD.size >= 6 && measures.size > 0 && project.visuals.length > 0);
    console.log(`${tables.size} tables, ${measures.size} measures, ${project.model.relationships.length} relationships, ${project.visuals.length} visuals`);
  });

  test("gold_tables_have_one_mode_and_all_others_are_imported", () => {
    const modes = (isGold) => [...project.model.tables.values()].filter((table) => Boolean(goldTableOf(table)) === isGold).map(({ partition }) => partition.properties.mode);
    const [gold, others] = [true, false].map((isGold) => new Set(modes(isGold)));
    assert.equal(gold.size, 1);
    assert.deepEqual(others, new Set(["import"]));
  });

  test("every_visual_says_what_it_shows_to_those_who_cannot_see_it", () => {
    for (const { path, json } of project.visuals) assert.match(json.visual.visualContainerObjects.general[0].properties.altText.expr.Literal.Value, /^'.{20,}'$/, path);
  });
});

/** Finds the folder of the one visual whose text has `mark`. */
async function visualWith(folder, mark) {
  const folders = await readdir(join(folder, PAGE, "visuals"));
  const paths = folders.map((name) => `${PAGE}visuals/${name}/`);
  for (const path of paths) if ((await readFile(join(folder, path, "visual.json"), "utf8")).includes(mark)) return path;
  throw new Error(`no visual has ${mark}`);
}

/**
 * The problems a check finds in a copy of the project where `from` is replaced by `to` in one file, or that has no such
 * file where `to` is null.
 * @returns {Promise<string[]>}
 */
async function broken(check, file, from, to) {
  const folder = await mkdtemp(join(tmpdir(), "shoptrail-powerbi-"));
  try {
    await cp(PROJECT, folder, { recursive: true });
    const { visual, name = "visual.json" } = typeof file === "string" ? {} : file;
    const path = join(folder, visual ? (await visualWith(folder, visual)) + name : file);
    const text = await readFile(path, "utf8");
    assert.ok(text.includes(from), `${path} has no ${from}`);
    await (to === null ? rm(path) : writeFile(path, text.replace(from, to)));
    return await readProject(folder).then(check, (error) => [error.message]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * A name, the check, the file (or a mark of the visual), what is replaced by what, and what the check must say.
 * @type {[string, (project: any) => string[] | Promise<string[]>, any, string, string | null, RegExp][]}
 */
const BROKEN = [
  ["spaces_for_tabs", crossProblems, `${TABLES}Date.tmdl`, "\tdataCategory", "    dataCategory", /tables\/Date\.tmdl:\d+: indented with something else than tabs/],
  ["a_source_column_that_gold_does_not_have", crossProblems, `${TABLES}Daily KPIs.tmdl`, "sourceColumn: orders", "sourceColumn: order_count", /`gold_daily_kpis` has no column `order_count`/],
  ["a_gold_column_that_the_model_lacks", crossProblems, `${TABLES}Daily KPIs.tmdl`, "sourceColumn: orders", "sourceColumn: sessions", /`gold_daily_kpis\.orders` is missing/],
  ["a_type_that_does_not_fit", crossProblems, `${TABLES}Customer LTV.tmdl`, "dataType: int64", "dataType: string", /`Orders` is string, `gold_customer_ltv\.orders` is INT64/],
  ["a_table_that_gold_does_not_have", crossProblems, `${TABLES}Device Trends.tmdl`, 'Gold("gold_device_trends")', 'Gold("gold_devices")', /gold has no table `gold_devices`/],
  ["a_table_missing_from_the_list", crossProblems, "Shoptrail.SemanticModel/definition/model.tmdl", "ref table Currency\n", "", /`Currency` is not in model\.tmdl/],
  ["a_listed_table_without_a_file", crossProblems, "Shoptrail.SemanticModel/definition/model.tmdl", "ref table Currency\n", "ref table Currency\nref table Weather\n", /`ref table Weather` has no file/],
  ["a_sort_column_that_is_not_there", crossProblems, `${TABLES}Date.tmdl`, "sortByColumn: 'Month Start'", "sortByColumn: 'Month Number'", /`Month` is sorted by `Month Number`, which is not there/],
  ["a_relationship_to_nothing", crossProblems, "Shoptrail.SemanticModel/definition/relationships.tmdl", "toColumn: Date.Date", "toColumn: Date.Day", /to Date\[Day\]: the second column is not there/],
  ["a_relationship_of_two_types", crossProblems, "Shoptrail.SemanticModel/definition/relationships.tmdl", "toColumn: Date.Date", "toColumn: Date.Year", /joins dateTime with int64/],
  ["a_relationship_to_no_key", crossProblems, "Shoptrail.SemanticModel/definition/relationships.tmdl", "toColumn: Date.Date", "toColumn: Date.Week", /the second column is no key/],
  ["a_column_in_dax_that_is_not_there", crossProblems, `${TABLES}Key Figures.tmdl`, "'Daily KPIs'[Revenue Gross Minor]", "'Daily KPIs'[Revenue]", /measure \[Revenue\]: no column Daily KPIs\[Revenue\]/],
  ["a_measure_in_dax_that_is_not_there", crossProblems, `${TABLES}Key Figures.tmdl`, "DIVIDE ( [Revenue], [Orders] )", "DIVIDE ( [Turnover], [Orders] )", /measure \[Average order value\]: no measure \[Turnover\]/],
  ["dax_that_does_not_end", crossProblems, `${TABLES}Key Figures.tmdl`, "DIVIDE ( [Revenue], [Orders] )", "DIVIDE ( [Revenue], [Orders]", /measure \[Average order value\]: DAX: expected \), found the end/],
  ["a_measure_without_a_format", crossProblems, `${TABLES}Key Figures.tmdl`, "\t\tformatString: #,##0.00#\n", "", /measure \[Revenue\] has no format/],
  ["a_measure_without_a_description", crossProblems, `${TABLES}Key Figures.tmdl`, "\t/// Revenue divided by orders.\n", "", /measure \[Average order value\] has no description/],
  ["a_measure_that_nothing_uses", crossProblems, "Shoptrail.Report/definition/pages/attribution/visuals/08fa6456800a586734a9/visual.json", '"Property": "Bounce rate"', '"Property": "Sessions"', /measure \[Bounce rate\] is used nowhere/],
  ["a_visual_of_a_measure_that_is_not_there", crossProblems, { visual: '"columnChart"' }, '"Property": "Sessions by device"', '"Property": "Sessions by phone"', /no measure Key Figures\[Sessions by phone\]/],
  ["a_filter_on_a_column_that_is_not_there", crossProblems, { visual: '"Now"' }, '"Source": "d"\n', '"Source": "e"\n', /no column undefined\[Date\]/],
  ["a_format_for_a_field_that_is_not_shown", crossProblems, { visual: '"lineChart"' }, '"metadata": "Key Figures.Revenue"', '"metadata": "Key Figures.Orders"', /formats Key Figures\.Orders, which it does not show/],
  ["a_colour_that_the_theme_does_not_have", crossProblems, { visual: '"lineChart"' }, "'#3F51C9'", "'#3F51CA'", /#3F51CA is no data colour of the theme/],
  ["a_colour_by_its_number", crossProblems, { visual: '"lineChart"' }, '"Literal": {\n                      "Value": "\'#3F51C9\'"', '"ThemeDataColor": {\n                      "ColorId": 0, "Percent": 0', /has a colour by its number/],
  ["visuals_that_overlap", crossProblems, { visual: '"columnChart"' }, '"x": 646', '"x": 600', /overlaps/],
  ["a_chart_without_a_title", crossProblems, { visual: '"columnChart"' }, "'Devices and operating systems'", "''", /: no title/],
  ["a_tab_order_that_is_not_that_of_reading", crossProblems, { visual: '"columnChart"' }, '"tabOrder": 13000', '"tabOrder": 11500', /the tab key comes to it too early/],
  ["a_page_of_one_thing_that_no_page_leads_to", crossProblems, "Shoptrail.Report/definition/pages/product/page.json", '"Property": "Product"', '"Property": "Product ID"', /no other page shows Product\[Product ID\]/],
  ["a_page_of_one_thing_without_its_filter", crossProblems, "Shoptrail.Report/definition/pages/product/page.json", '"boundFilter": "', '"boundFilter": "x', /has no filter x/],
  ["a_key_that_readers_see", crossProblems, `${TABLES}Daily KPIs.tmdl`, "column 'Shop ID'\n\t\tdataType: string\n\t\tisHidden", "column 'Shop ID'\n\t\tdataType: string", /Daily KPIs\[Shop ID\] to Shop\[Shop\]: readers see the first column/],
  ["two_ways_for_a_filter", crossProblems, RELATIONSHIPS, "fromColumn: 'Daily KPIs'.'Shop ID'", "fromColumn: 'Product Performance'.'Shop ID'", /two ways from Product Performance to Shop/],
  ["a_table_that_no_shop_filters", crossProblems, RELATIONSHIPS, "fromColumn: 'Search Terms'.'Shop ID'", "fromColumn: 'Quality Checks'.'Table Name'", /`Shop reader` sees all of Search Terms/],
  ["a_table_of_all_shops_that_a_role_sees", crossProblems, ROLE, "tablePermission 'Quality Checks' = FALSE ()", "tablePermission 'Refusal Reason' = FALSE ()", /`Shop reader` sees all of Quality Checks/],
  ["a_role_for_a_table_that_is_not_there", crossProblems, ROLE, "tablePermission Shop =", "tablePermission Store =", /no table Store/],
  ["a_column_in_a_role_that_is_not_there", crossProblems, ROLE, "VALUES ( 'Shop Reader'[Shop ID] )", "VALUES ( 'Shop Reader'[Shop] )", /Shop reader\.tmdl: Shop: no column Shop Reader\[Shop\]/],
  ["a_slicer_of_one_table_alone", crossProblems, { visual: '"Currency.Code"' }, '"Entity": "Currency"', '"Entity": "Daily KPIs"', /a slicer of Daily KPIs filters nothing else/],
  ["a_chart_by_a_key_of_one_table", crossProblems, { visual: '"columnChart"' }, '"Entity": "Device"', '"Entity": "Device Trends"', /shows Device Trends\[Device\] and not what it points to/],
  ["a_dimension_of_a_table_that_gold_does_not_have", crossProblems, `${TABLES}Channel.tmdl`, 'Gold("gold_customer_ltv")', 'Gold("gold_customers")', /gold has no table `gold_customers`/],
  ["a_dimension_of_a_column_that_gold_does_not_have", crossProblems, `${TABLES}Device.tmdl`, '{"device"}', '{"gadget"}', /nothing has a column `gadget`/],
  ["a_source_that_is_offered_and_not_read", crossProblems, EXPRESSIONS, 'if Source = "Lake" then FromLake(name) else', "", /Source offers BigQuery, Databricks, Lake, Gold reads BigQuery, Databricks$/],
  ["a_source_that_another_ones_function_reads", crossProblems, EXPRESSIONS, "FromDatabricks(name)", "FromLake(name)", /Gold reads BigQuery, Databricks by Lake, Lake/],
  ["a_function_that_is_not_there", crossProblems, `${TABLES}Shop.tmdl`, "Gold(", "Golden(", /tables\/Shop\.tmdl: no function Golden/],
  ["a_parameter_that_nothing_uses", crossProblems, EXPRESSIONS, "Name = DatabricksCatalog", "Name = GoldDataset", /nothing uses DatabricksCatalog/],
  ["visuals_that_overlap_on_a_phone", crossProblems, { visual: '"columnChart"', name: "mobile.json" }, '"height": 260', '"height": 300', /mobile\.json overlaps .*mobile\.json/],
  ["a_visual_beyond_a_phones_screen", crossProblems, { visual: '"columnChart"', name: "mobile.json" }, '"width": 324', '"width": 400', /mobile\.json: beyond the screen/],
  ["a_visual_that_is_on_no_phone", crossProblems, { visual: '"columnChart"', name: "mobile.json" }, "", null, /visual\.json: is on no phone/],
  ["a_place_on_a_phone_for_nothing", crossProblems, { visual: '"columnChart"' }, "", null, /mobile\.json: of no visual/],
  ["a_property_of_a_phone_that_is_misspelt", schemaProblems, { visual: '"columnChart"', name: "mobile.json" }, '"tabOrder"', '"tabOder"', /mobile\.json: \/position must NOT have additional properties .*tabOder/],
  ["m_that_does_not_parse", mProblems, `${TABLES}Daily KPIs.tmdl`, 'Gold("gold_daily_kpis")', 'Gold("gold_daily_kpis"', /tables\/Daily KPIs\.tmdl: Expected to find .*right parenthesis/],
  ["a_function_that_does_not_parse", mProblems, EXPRESSIONS, "{[Name = DataProject]}", "{[Name = DataProject}", /FromBigQuery: Expected to find .*right bracket/],
  ["a_role_that_the_visual_does_not_have", checkerProblems, { visual: '"lineChart"' }, '"Y2": {', '"Y3": {', /PBIR_ROLE_UNKNOWN/],
  ["a_visual_beyond_the_page", checkerProblems, { visual: '"tableEx"' }, '"width": 303', '"width": 703', /PBIR_LAYOUT_OUT_OF_BOUNDS_WIDTH/],
  ["a_format_that_does_not_exist", checkerProblems, { visual: '"tableEx"' }, '"totals":', '"total":', /PBIR_FORMATTING_PROP_UNKNOWN/],
  ["a_theme_colour_that_is_none", checkerProblems, "Shoptrail.Report/StaticResources/RegisteredResources/Shoptrail.json", '"#3F51C9"', '"blueish"', /PBIR_THEME_/],
  ["a_property_that_is_misspelt", schemaProblems, { visual: '"tableEx"' }, '"tabOrder"', '"tabOder"', /must NOT have additional properties .*tabOder/],
  ["a_report_without_its_theme", schemaProblems, "Shoptrail.Report/definition/report.json", '"themeCollection"', '"themes"', /must have required property 'themeCollection'/],
];

describe("a broken copy", { concurrency: 2 }, () => {
  for (const [name, check, file, from, to, expected] of BROKEN) {
    const skip = check === schemaProblems && (file.name === "mobile.json" ? notChecked : schemasMissing) !== null;
    test(`with_${name}_is_found_by_${check.name}`, { skip }, async () => {
      const problems = await broken(check, file, from, to);
      assert.ok(problems.some((problem) => expected.test(problem)), problems.join("\n") || "nothing found");
    });
  }
});
