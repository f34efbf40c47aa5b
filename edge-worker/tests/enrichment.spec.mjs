// What the edge adds to an event: device, browser, system, bot score and where the platform says it came from.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { batch, event, record, startWorker, until } from "./worker.mjs";

let gateway;
before(async () => {
  gateway = await new Gateway().start();
});
after(() => gateway.stop());

async function edgeOf(worker, number, userAgent) {
  const response = await worker.post(batch([event(number)]), { "user-agent": userAgent });
  assert.equal(response.status, 202);
  const find = () => gateway.events.find(({ key }) => key === `visitor-${number}`);
  await until("the event in Kafka", find);
  return record(find()).edge;
}

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

test("person_is_described_and_the_address_is_not_kept", async () => {
  const worker = await startWorker(gateway, {
    cf: { country: "DE", region: "Berlin", city: "Berlin" },
  });
  try {
    const { received_at, ...edge } = await edgeOf(worker, 1, IPHONE);
    assert.ok(received_at > 1.7e12);
    assert.deepEqual(edge, {
      shop_id: "demo",
      schema_version: 1,
      country: "DE",
      region: "Berlin",
      city: "Berlin",
      device: "mobile",
      browser: "Safari",
      os: "iOS",
      bot_score: 0,
      bot_reasons: [],
    });
  } finally {
    await worker.stop();
  }
});

test("place_is_absent_where_the_platform_says_nothing", async () => {
  const worker = await startWorker(gateway);
  try {
    const edge = await edgeOf(worker, 2, IPHONE);
    assert.deepEqual([edge.country, edge.region, edge.city], [undefined, undefined, undefined]);
    const crawler = await edgeOf(
      worker,
      3,
      "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    );
    assert.deepEqual(
      [crawler.device, crawler.bot_score, crawler.bot_reasons],
      ["other", 100, ["user_agent"]],
    );
  } finally {
    await worker.stop();
  }
});
