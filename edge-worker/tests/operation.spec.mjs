// How the Worker is mounted and what it keeps of people: paths below a prefix, the identity cookie, privacy rules.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { ORIGIN, batch, event, record, startWorker, until } from "./worker.mjs";

let gateway;
let worker;

beforeEach(async () => {
  gateway = await new Gateway().start();
});
afterEach(async () => {
  await worker?.stop();
  await gateway.stop();
});

const onlyRecord = async () => {
  await until("the event in Kafka", () => gateway.events.length === 1);
  return record(gateway.events[0]);
};

test("routes_and_files_can_stand_below_a_prefix", async () => {
  const files = { FILES: async (request) => new Response(new URL(request.url).pathname) };
  worker = await startWorker(gateway, {
    vars: { SHOPTRAIL_PREFIX: "/st" },
    bindings: { serviceBindings: files },
  });
  const status = async (path, method = "GET") =>
    (await fetch(new URL(path, worker.url), { method, headers: { origin: ORIGIN } })).status;
  assert.deepEqual(
    [await status("/st/health"), await status("/health"), await status("/b", "OPTIONS")],
    [200, 404, 404],
  );
  assert.equal(await status("/st/b", "OPTIONS"), 204);
  assert.equal(await (await fetch(new URL("/st/t.js", worker.url))).text(), "/t.js");
});

const WITH_COOKIE = JSON.stringify([
  {
    write_key: "pk_demo",
    shop_id: "demo",
    origins: [ORIGIN, "http://127.0.0.1:8080"],
    identity_cookie: { domain: "127.0.0.1", days: 30 },
  },
]);

test("visitors_id_is_kept_over_http_with_consent_only", async () => {
  worker = await startWorker(gateway, { vars: { SHOPTRAIL_SHOPS: WITH_COOKIE } });
  const page = "http://127.0.0.1:8080";
  const cookie = async (consent, headers = {}) => {
    const response = await worker.post(batch([event(1, { consent })]), {
      origin: page,
      ...headers,
    });
    // A browser takes no cookie from a reply to a request with credentials without these.
    assert.equal(response.headers.get("access-control-allow-origin"), headers.origin ?? page);
    assert.equal(response.headers.get("access-control-allow-credentials"), "true");
    return response.headers.get("set-cookie");
  };
  const granted = { analytics: "granted", ads: "denied" };
  const expected =
    "st_id=visitor-1; Domain=127.0.0.1; Path=/; Max-Age=2592000; Secure; SameSite=Lax";
  assert.equal(await cookie(granted), expected);
  assert.equal(await cookie(granted, { origin: ORIGIN }), null, "a page of another site");
  assert.equal(await cookie({ analytics: "not_asked", ads: "not_asked" }), null);
  assert.equal(await cookie({ analytics: "denied", ads: "denied" }), null);
  assert.match(
    await cookie(granted, { "sec-gpc": "1", cookie: "st_id=visitor-1" }),
    /^st_id=; .*Max-Age=0/,
  );
});

test("tokens_and_addresses_of_people_reach_no_topic", async () => {
  worker = await startWorker(gateway);
  const personal = {
    page_url: "https://shop.example/reset?token=s3cret&utm_source=mail#access_token=s3cret",
    referrer_url: "https://mail.example/?email=jo%40x.example",
    search_term: "jo@x.example 4111 1111 1111 1111",
  };
  await worker.post(batch([event(1, personal), { ...personal, event_type: "nope" }]));
  await until("the dead letter in Kafka", () => gateway.deadLetters.length === 1);
  const { event: kept, edge } = await onlyRecord();
  assert.equal(kept.page_url, "https://shop.example/reset?utm_source=mail");
  assert.equal(kept.search_term, "[email] [card]");
  assert.equal(edge.campaign_source, "mail");
  for (const { value } of [...gateway.events, ...gateway.deadLetters]) {
    assert.doesNotMatch(value.toString("utf8"), /s3cret|x\.example|4111/);
  }
});

test("customer_is_hashed_by_configuration_and_dropped_without_consent", async () => {
  const vars = {
    SHOPTRAIL_PRIVACY: '{"fields":{"user_id":"hash"}}',
    SHOPTRAIL_HASH_KEY: "0123456789abcdef0123456789abcdef",
  };
  worker = await startWorker(gateway, { vars });
  await worker.post(batch([event(3, { user_id: "c-42" })], { sent_at: undefined }));
  await until("the refused body in Kafka", () => gateway.deadLetters.length === 1);
  assert.doesNotMatch(gateway.deadLetters[0].value.toString("utf8"), /c-42/);
  const denied = { analytics: "denied", ads: "denied" };
  await worker.post(
    batch([event(1, { user_id: "c-42" }), event(2, { user_id: "c-42", consent: denied })]),
  );
  await until("both in Kafka", () => gateway.events.length === 2);
  const [known, unknown] = gateway.events.map((found) => record(found).event.user_id);
  assert.match(known, /^[0-9a-f]{64}$/);
  assert.ok(unknown === null || unknown === undefined);
});
