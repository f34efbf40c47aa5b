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

/** What every browser sends with every request. */
const BROWSER = { "accept-language": "de", "sec-fetch-site": "same-site" };

async function edgeOf(worker, number, userAgent, headers = {}) {
  const response = await worker.post(batch([event(number)]), {
    ...BROWSER,
    "user-agent": userAgent,
    ...headers,
  });
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
    const { received_at, event_time, ...edge } = await edgeOf(worker, 1, IPHONE);
    assert.ok(received_at > 1.7e12 && event_time > 1.7e12);
    assert.deepEqual(edge, {
      shop_id: "demo",
      schema_version: 2,
      country: "DE",
      region: "Berlin",
      city: "Berlin",
      device: "mobile",
      browser: "Safari",
      os: "iOS",
      bot_score: 0,
      bot_reasons: [],
      gpc: false,
      clock_corrected: true,
      visitor_bucket: 25,
      page_host: "shop.example",
      page_path: "/",
      referrer_kind: "none",
      channel: "Direct",
      consent_analytics: "granted",
      consent_ads: "denied",
      rules_version: 1,
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

test("hints_come_before_the_user_agent", async () => {
  const worker = await startWorker(gateway);
  try {
    const desktopPages =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    const edge = await edgeOf(worker, 4, desktopPages, {
      "sec-ch-ua": '"Chromium";v="142", "Brave";v="142", "Not_A Brand";v="99"',
      "sec-ch-ua-mobile": "?0",
      "sec-ch-ua-platform": '"Android"',
    });
    assert.deepEqual(
      [edge.device, edge.browser, edge.os, edge.bot_score],
      ["tablet", "Brave", "Android", 0],
    );
  } finally {
    await worker.stop();
  }
});

test("global_privacy_control_denies_whatever_the_page_says", async () => {
  const worker = await startWorker(gateway);
  try {
    const edge = await edgeOf(worker, 5, IPHONE, { "sec-gpc": "1" });
    assert.deepEqual(
      [edge.gpc, edge.consent_analytics, edge.consent_ads],
      [true, "denied", "denied"],
    );
  } finally {
    await worker.stop();
  }
});

test("several_weak_signs_add_up", async () => {
  const worker = await startWorker(gateway, { cf: { asOrganization: "Hetzner Online GmbH" } });
  try {
    const headless =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36";
    const edge = await edgeOf(worker, 6, headless);
    assert.deepEqual([edge.bot_score, edge.bot_reasons], [60, ["headless", "data_center"]]);
  } finally {
    await worker.stop();
  }
});
