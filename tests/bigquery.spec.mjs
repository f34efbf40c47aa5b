// The whole stack with its tables in BigQuery's API: landing and building die again and again, amid traffic and in the
// middle of what they have the server do, and nothing the edge took is lost or counted twice.

import { after, before, test } from "node:test";

import { Sender } from "./batches.mjs";
import { BigQueryServer } from "./bigquery-server.mjs";
import {
  assertBronzeHasEachRecordOnce,
  assertGoldHasEveryCent,
  assertNothingIsLostOrDouble,
  traffic,
} from "./drill.mjs";
import { Stack } from "./stack.mjs";
import { until } from "./until.mjs";

/** A build takes this server up to half a minute, and more on a busy machine. */
const AT_WORK_SECONDS = 300;

const loads =
  (tables) =>
  ({ configuration }) =>
    tables.test(configuration.load?.destinationTable.tableId ?? "");
const commits =
  (writer) =>
  ({ jobReference }) =>
    jobReference.jobId.startsWith(`shoptrail_${writer}_`);

/** What the server does for a part when that is killed: loads rows into a staging table, or commits them in one transaction. */
const LAND_LOADS = loads(/^_shoptrail_staging_bronze_/);
const LAND_COMMITS = commits("lander");
const BUILD_LOADS = loads(/^_shoptrail_staging_(silver|gold)_/);
const BUILD_COMMITS = commits("build");

let server;
let stack;

before(async () => {
  server = await BigQueryServer.start();
  stack = await Stack.start({ warehouse: server.flags });
});

after(async () => {
  try {
    await stack?.stop();
  } finally {
    await server?.stop();
  }
});

/** Kills a part in the middle of each of these jobs, and waits until it runs again. */
async function killInTheMiddle(part, jobs) {
  for (const isThisJob of jobs) {
    const since = Date.now();
    const strike = async () => {
      await stack.look();
      return (await server.jobsUnderWay(since)).some(isThisJob) && stack.kill(part);
    };
    const killed = await until(`${part} is at work and killed`, strike, AT_WORK_SECONDS);
    await until(`${part} runs again`, () => stack.runsAgain(part, killed));
  }
}

test("lander_and_build_killed_in_the_middle_lose_and_double_nothing", async () => {
  const sender = new Sender(stack);
  let over = false;
  const kills = Promise.all([
    killInTheMiddle("land", [LAND_COMMITS, LAND_LOADS, LAND_COMMITS]),
    killInTheMiddle("build", [BUILD_LOADS, BUILD_COMMITS]),
  ]).finally(() => {
    over = true;
  });
  await Promise.all([kills, traffic(sender, () => over)]);
  // The last events are still on their way to silver, so there is one more build to kill.
  await killInTheMiddle("build", [BUILD_LOADS]);
  await assertNothingIsLostOrDouble(stack, sender);
  await assertBronzeHasEachRecordOnce(stack);
});

test("gold_has_every_cent_after_all_of_it", () => assertGoldHasEveryCent(stack));
