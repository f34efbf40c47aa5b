// deploy/bigquery/setup.sh asks Google for what its README says and for nothing else. There is no account here: `gcloud` and `bq` are
// programs that write down what they are called with, so this tests the script, not Google.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const FOLDER = new URL("../../deploy/bigquery/", import.meta.url);
const SETUP = fileURLToPath(new URL("setup.sh", FOLDER));

/** Notes its call; what is asked about is there only when EXISTING is set. */
const RECORDER = `#!/bin/sh
printf '%s %s\\n' "$(basename "$0")" "$*" >>"$CALLS"
case "$*" in
*"projects describe"*) exit 0 ;;
*" show "*) [ -n "$EXISTING" ] || exit 1; printf '[{"location": "%s"}]\\n' "$EXISTING" ;;
*" describe "*) [ -n "$EXISTING" ] ;;
esac
`;

describe("setup", () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shoptrail-deploy-"));
    for (const program of ["gcloud", "bq"]) {
      await writeFile(join(folder, program), RECORDER);
      await chmod(join(folder, program), 0o755);
    }
  });
  after(() => rm(folder, { recursive: true }));

  /** Runs the script; the calls it made, what it said, its exit code. */
  async function setup(args, { existing = "", path = `${folder}:${process.env.PATH}` } = {}) {
    const calls = join(folder, "calls");
    await writeFile(calls, "");
    const { status, stderr } = spawnSync("/bin/sh", [SETUP, ...args], {
      env: { PATH: path, CALLS: calls, EXISTING: existing },
      encoding: "utf8",
    });
    return { status, stderr, calls: (await readFile(calls, "utf8")).trim().split("\n") };
  }

  /** `role → who` of all grants, with where. */
  const grants = (calls) =>
    calls.flatMap((call) => {
      const project = /add-iam-policy-binding (\S+) --member=(\S+) --role=(\S+)/.exec(call);
      const dataset = /GRANT `(\S+)` ON SCHEMA `(\S+)`\.`(\S+)` TO "(\S+)"/.exec(call);
      if (project) return [`project ${project[3]} ${project[2]}`];
      return dataset ? [`dataset ${dataset[1]} ${dataset[4]}`] : [];
    });
  const BUILD = "serviceAccount:shoptrail-build@shop-data.iam.gserviceaccount.com";
  const BACKEND = [
    `dataset roles/bigquery.dataEditor ${BUILD}`,
    `project roles/bigquery.jobUser ${BUILD}`,
    `project roles/bigquery.readSessionUser ${BUILD}`,
  ];

  test("gives_the_backend_three_roles_and_nobody_else_any", async () => {
    const { status, calls } = await setup(["shop-data", "shoptrail", "EU"]);
    assert.equal(status, 0);
    assert.deepEqual(grants(calls), BACKEND);
    assert.ok(
      calls.some((call) =>
        /^bq .*--location=EU mk --dataset .*--max_time_travel_hours=168/.test(call),
      ),
      calls.join("\n"),
    );
    assert.deepEqual(calls.filter((call) => call.includes("accounts create")).length, 1);
  });

  test("gives_the_sink_the_dataset_alone_and_readers_no_right_to_write", async () => {
    const { status, calls } = await setup([
      "shop-data",
      "shoptrail",
      "EU",
      "--sink",
      "--reader",
      "group:a@shop.example",
      "--reader",
      "user:b@shop.example",
    ]);
    assert.equal(status, 0);
    const reader = (who) => [
      `dataset roles/bigquery.dataViewer ${who}`,
      `project roles/bigquery.jobUser ${who}`,
      `project roles/bigquery.readSessionUser ${who}`,
    ];
    assert.deepEqual(grants(calls), [
      ...BACKEND,
      "dataset roles/bigquery.dataEditor serviceAccount:shoptrail-sink@shop-data.iam.gserviceaccount.com",
      ...reader("group:a@shop.example"),
      ...reader("user:b@shop.example"),
    ]);
  });

  test("makes_nothing_twice", async () => {
    const { status, calls } = await setup(["shop-data", "shoptrail", "eu", "--sink"], {
      existing: "EU",
    });
    assert.equal(status, 0);
    assert.deepEqual(
      calls.filter((call) => /accounts create| mk /.test(call)),
      [],
    );
  });

  /** @type {[string, string[], RegExp][]} */
  const refused = [
    ["no_arguments", [], /PROJECT, DATASET and LOCATION are missing/],
    ["no_location", ["shop-data", "shoptrail"], /LOCATION is missing/],
    [
      "a_dataset_that_cannot_be",
      ["shop-data", "shop-trail", "EU"],
      /DATASET has more than letters/,
    ],
    [
      "an_unknown_argument",
      ["shop-data", "shoptrail", "EU", "--everyone"],
      /unknown argument: --everyone/,
    ],
    [
      "a_reader_of_no_kind",
      ["shop-data", "shoptrail", "EU", "--reader", "allUsers"],
      /a member begins with/,
    ],
    [
      "a_reader_that_ends_the_statement",
      ["shop-data", "shoptrail", "EU", "--reader", 'user:a"; DROP'],
      /not a member/,
    ],
  ];
  for (const [name, args, message] of refused) {
    test(`refuses_${name}_before_it_asks_google`, async () => {
      const { status, stderr, calls } = await setup(args);
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.deepEqual(calls, [""]);
    });
  }

  test("refuses_a_dataset_that_lies_elsewhere", async () => {
    const { status, stderr, calls } = await setup(["shop-data", "shoptrail", "EU"], {
      existing: "US",
    });
    assert.equal(status, 2);
    assert.match(stderr, /lies in US, not in EU/);
    assert.deepEqual(grants(calls), []);
  });

  test("says_which_program_is_missing", async () => {
    const { status, stderr } = await setup(["shop-data", "shoptrail", "EU"], { path: "/nowhere" });
    assert.equal(status, 2);
    assert.match(stderr, /`gcloud` is missing/);
  });
});

describe("deployment", () => {
  test("scripts_are_written_in_posix_shell", async () => {
    const scripts = (await readdir(FOLDER, { recursive: true })).filter((name) =>
      name.endsWith(".sh"),
    );
    assert.deepEqual(scripts.toSorted(), ["schedule/cloud-run.sh", "setup.sh"]);
    for (const name of scripts) {
      const { status, stderr } = spawnSync(
        "/bin/sh",
        ["-n", fileURLToPath(new URL(name, FOLDER))],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, stderr);
    }
  });

  test("schedules_start_one_build_at_a_time_without_a_key", async () => {
    const read = async (name) =>
      parseAllDocuments(await readFile(new URL(`schedule/${name}`, FOLDER), "utf8")).map(
        (document) => {
          assert.deepEqual(document.errors, []);
          return document.toJS();
        },
      );
    const BUILD = "build --warehouse bigquery://PROJECT/DATASET";

    const [account, cron] = await read("kubernetes.yaml");
    assert.equal(cron.spec.concurrencyPolicy, "Forbid");
    const job = cron.spec.jobTemplate.spec;
    assert.equal(job.backoffLimit, 0);
    const pod = job.template.spec;
    assert.equal(pod.serviceAccountName, account.metadata.name);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    const [container] = pod.containers;
    assert.equal(container.args.join(" "), BUILD);
    assert.equal(container.securityContext.readOnlyRootFilesystem, true);
    const scratch = container.env.find(({ name }) => name === "TMPDIR").value;
    assert.equal(container.volumeMounts[0].mountPath, scratch);

    const [workflow] = await read("github-actions.yml");
    assert.deepEqual(workflow.permissions, { contents: "read", "id-token": "write" });
    assert.equal(workflow.concurrency["cancel-in-progress"], false);
    assert.ok(workflow.jobs.build.steps.at(-1).run.endsWith(`IMAGE ${BUILD}`));
  });

  test("explains_every_exit_code_once", async () => {
    const guide = await readFile(new URL("../../docs/deploy-bigquery.md", import.meta.url), "utf8");
    const codes = [...guide.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    assert.deepEqual(codes, [1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
});
