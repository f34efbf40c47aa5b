// The sink connector's configuration is one that Confluent documents: deploy/confluent/sink-keys.json says which keys there are.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { PLACEHOLDER, fill } from "../../deploy/confluent/fill.mjs";

const FOLDER = new URL("../../deploy/confluent/", import.meta.url);
const readJson = async (name) => JSON.parse(await readFile(new URL(name, FOLDER), "utf8"));
const config = await readJson("bigquery-sink.json");
const documented = await readJson("sink-keys.json");

/** What is wrong with one value that is no placeholder. */
function valueProblem(key, value, definition) {
  if (definition.type === "secret") return `${key}: a secret in the file`;
  if (definition.values && !definition.values.includes(value))
    return `${key}: \`${value}\` is not one of ${definition.values.join(", ")}`;
  if (definition.pattern && !new RegExp(definition.pattern).test(value))
    return `${key}: \`${value}\` has another form than documented`;
  if (definition.type !== "integer") return undefined;
  if (!/^\d+$/.test(value)) return `${key}: \`${value}\` is not a number`;
  if (Number(value) < (definition.minimum ?? 0))
    return `${key}: ${value} is less than ${definition.minimum}`;
  if (Number(value) > (definition.maximum ?? Infinity))
    return `${key}: ${value} is more than ${definition.maximum}`;
  return undefined;
}

function keyProblem(key, value, definition) {
  if (!definition) return `${key}: not a documented key`;
  // `confluent connect cluster create` takes strings only.
  if (typeof value !== "string" || value === "") return `${key}: not a string with something in it`;
  if (value.includes("${"))
    return definition.filled_in && PLACEHOLDER.test(value)
      ? undefined
      : `${key}: no place for a placeholder`;
  return valueProblem(key, value, definition);
}

/** Keys that are missing, or that have no effect beside the others. */
function combinationProblems(candidate, definitions) {
  return Object.entries(definitions).flatMap(
    ([key, { required, required_if: requiredIf = {}, only_if: onlyIf = {} }]) => {
      const wanted =
        required || Object.entries(requiredIf).some(([other, value]) => candidate[other] === value);
      if (wanted && !(key in candidate)) return [`${key}: missing`];
      const idle =
        key in candidate &&
        Object.entries(onlyIf).some(([other, values]) => !values.includes(candidate[other]));
      return idle ? [`${key}: has no effect here`] : [];
    },
  );
}

function problems(candidate, definitions = documented.keys) {
  const values = Object.entries(candidate)
    .map(([key, value]) => keyProblem(key, value, definitions[key]))
    .filter(Boolean);
  return [...values, ...combinationProblems(candidate, definitions)];
}

describe("sink", () => {
  test("is_configured_with_documented_keys_and_values", () => {
    assert.deepEqual(problems(config), []);
  });

  const without = (key) =>
    Object.fromEntries(Object.entries(config).filter(([name]) => name !== key));
  const broken = [
    [
      "an_unknown_key",
      { ...config, "auto.create.table": "DISABLED" },
      "auto.create.table: not a documented key",
    ],
    [
      "the_older_connectors_key",
      { ...config, autoCreateTables: "true" },
      "autoCreateTables: not a documented key",
    ],
    [
      "an_undocumented_value",
      { ...config, "ingestion.mode": "BATCH" },
      /^ingestion\.mode: `BATCH` is not one of STREAMING, BATCH LOADING,/,
    ],
    [
      "a_boolean_where_a_choice_is_documented",
      { ...without("partitioning.type"), "auto.create.tables": "true" },
      /^auto\.create\.tables: `true` is not one of/,
    ],
    [
      "another_connector",
      { ...config, "connector.class": "BigQuerySink" },
      /^connector\.class: `BigQuerySink`/,
    ],
    ["a_missing_required_key", without("datasets"), "datasets: missing"],
    ["a_missing_name", without("name"), "name: missing"],
    ["a_key_missing_beside_another", without("keyfile"), "keyfile: missing"],
    [
      "no_field_to_partition_by",
      { ...config, "auto.create.tables": "PARTITION by FIELD" },
      "timestamp.partition.field.name: missing",
    ],
    [
      "partitions_of_a_table_that_has_none",
      { ...config, "auto.create.tables": "NON-PARTITIONED" },
      "partitioning.type: has no effect here",
    ],
    [
      "an_interval_without_batches",
      { ...config, "commit.interval": "60" },
      "commit.interval: has no effect here",
    ],
    [
      "an_interval_too_short",
      { ...config, "ingestion.mode": "BATCH LOADING", "commit.interval": "10" },
      "commit.interval: 10 is less than 60",
    ],
    [
      "an_interval_too_long",
      { ...config, "ingestion.mode": "BATCH LOADING", "commit.interval": "14401" },
      "commit.interval: 14401 is more than 14400",
    ],
    ["words_for_a_number", { ...config, "tasks.max": "one" }, "tasks.max: `one` is not a number"],
    [
      "a_number_that_is_no_string",
      { ...config, "tasks.max": 1 },
      "tasks.max: not a string with something in it",
    ],
    [
      "a_secret",
      { ...config, keyfile: '{"type":"service_account"}' },
      "keyfile: a secret in the file",
    ],
    [
      "a_placeholder_for_a_choice",
      { ...config, "ingestion.mode": "${MODE}" },
      "ingestion.mode: no place for a placeholder",
    ],
    [
      "half_a_placeholder",
      { ...config, project: "shop-${NAME}" },
      "project: no place for a placeholder",
    ],
    [
      "a_map_of_another_form",
      { ...config, "topic2table.map": "clickstream_event_v3=bronze" },
      /^topic2table\.map: .* another form/,
    ],
  ];
  for (const [name, candidate, expected] of broken) {
    test(`does_not_pass_with_${name}`, () => {
      const found = problems(candidate);
      assert.equal(found.length, 1, found.join("\n"));
      if (expected instanceof RegExp) assert.match(found[0], expected);
      else assert.equal(found[0], expected);
    });
  }

  test("writes_the_table_that_the_documentation_names", async () => {
    const guide = await readFile(new URL("../../docs/deploy-bigquery.md", import.meta.url), "utf8");
    assert.equal(config.topics, "clickstream_event_v3");
    assert.ok(guide.includes(`SHOPTRAIL_BIGQUERY_SINK_TABLE=${config.topics}`));
    assert.equal(config["topic2table.map"], undefined, "the table is named as the topic");
  });

  test("is_held_to_a_list_that_says_where_it_comes_from", () => {
    assert.match(documented.looked_up, /^\d{4}-\d{2}-\d{2}$/);
    assert.ok(documented.sources.length > 0);
    for (const { url } of documented.sources) assert.match(url, /^https:\/\//);
  });
});

describe("fill", () => {
  const variables = Object.fromEntries(
    Object.values(config)
      .flatMap((value) => PLACEHOLDER.exec(value)?.[1] ?? [])
      .map((name) => [name, `a ${name}`]),
  );

  test("replaces_every_placeholder_and_nothing_else", () => {
    const filled = fill(config, variables);
    assert.equal(filled.project, "a SHOPTRAIL_GOOGLE_PROJECT");
    assert.equal(filled.topics, config.topics);
    assert.ok(!JSON.stringify(filled).includes("${"));
  });

  test("names_every_variable_that_is_missing", () => {
    assert.throws(() => fill(config, {}), {
      message: `not set: ${Object.keys(variables).join(", ")}`,
    });
  });

  test("keeps_the_quotes_and_lines_of_a_key_file", async () => {
    const key = JSON.stringify(
      { type: "service_account", private_key: "-----BEGIN\nabc\n-----END\n" },
      null,
      2,
    );
    const script = fileURLToPath(new URL("fill.mjs", FOLDER));
    const file = fileURLToPath(new URL("bigquery-sink.json", FOLDER));
    const { stdout } = await promisify(execFile)(process.execPath, [script, file], {
      env: { ...variables, SHOPTRAIL_SINK_GOOGLE_KEY: key },
    });
    assert.deepEqual(JSON.parse(JSON.parse(stdout).keyfile), JSON.parse(key));
  });
});
