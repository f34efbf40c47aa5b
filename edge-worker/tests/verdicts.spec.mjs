// What a client is told: the status sums up the verdicts, each event has its own, and strangers get none.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { ORIGIN, SHOPS, batch, event, startWorker, until } from "./worker.mjs";

let gateway;
let worker;

before(async () => {
  gateway = await new Gateway().start();
  worker = await startWorker(gateway);
});
after(async () => {
  await worker.stop();
  await gateway.stop();
});

const bad = { event_type: "page_view" };

test("all_good_is_202", async () => {
  const response = await worker.post(batch([event(1), event(2)]));
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), {
    accepted: 2,
    rejected: 0,
    events: [event(1), event(2)].map(({ event_id }, index) => ({
      index,
      event_id,
      status: "accepted",
    })),
  });
});

test("some_good_is_207_with_each_events_own_verdict", async () => {
  const response = await worker.post(batch([event(1), bad, event(3)]));
  assert.equal(response.status, 207);
  const { accepted, rejected, events } = await response.json();
  assert.deepEqual(
    [accepted, rejected, events.map(({ status }) => status)],
    [2, 1, ["accepted", "rejected", "accepted"]],
  );
  const missing = events[1].errors.find(({ pointer }) => pointer === "/event_id");
  assert.equal(missing.code, "missing");
  assert.match(missing.message, /event_id/);
});

test("none_good_is_400", async () => {
  const response = await worker.post(batch([bad]));
  assert.equal(response.status, 400);
  assert.equal((await response.json()).events[0].status, "rejected");
});

test("bad_envelope_is_400_with_one_error", async () => {
  for (const [body, code, pointer] of [
    ["{", "malformed_json", ""],
    ["", "malformed_json", ""],
    ["[]", "wrong_type", ""],
    [batch([]), "empty", "/events"],
    [batch([event()], { sent_at: "now" }), "wrong_type", "/sent_at"],
    [batch([event()], { write_key: undefined }), "missing", "/write_key"],
    [batch([event()], { write_key: 5, sent_at: "now" }), "wrong_type", "/write_key"],
    [batch(Array.from({ length: 101 }, (_, number) => event(number + 1))), "too_many", "/events"],
  ]) {
    const response = await worker.post(body);
    const { error } = await response.json();
    assert.deepEqual(
      [response.status, error.code, error.pointer],
      [400, code, pointer],
      body.slice(0, 80),
    );
  }
});

test("what_was_repaired_is_said_beside_accepted", async () => {
  const response = await worker.post(batch([event(1, { user_id: 42 })]));
  const { accepted, events } = await response.json();
  assert.deepEqual([response.status, accepted, events[0].status], [202, 1, "accepted"]);
  assert.deepEqual(
    events[0].warnings.map(({ pointer }) => pointer),
    ["/user_id"],
  );
});

test("unknown_write_key_is_401", async () => {
  const response = await worker.post(batch([event()], { write_key: "pk_stranger" }));
  assert.equal(response.status, 401);
  assert.equal((await response.json()).error.code, "unknown_write_key");
});

test("origin_of_another_shop_is_403", async () => {
  for (const origin of ["https://other.example", "https://evil.example", "null"]) {
    const response = await worker.post(batch([event()]), { origin });
    assert.equal(response.status, 403);
    assert.equal((await response.json()).error.code, "origin_not_allowed");
  }
});

test("more_than_512_KiB_is_413_whether_announced_or_streamed", async () => {
  const large = batch([event(1, { filler: "x".repeat(512 * 1024) })]);
  const announced = await worker.post(large);
  assert.equal(announced.status, 413);
  assert.equal((await announced.json()).error.code, "too_large");
  assert.equal(await postInChunks(large), 413);
});

test("exactly_512_KiB_is_read", async () => {
  const frame = batch(["FILLER"]).length - "FILLER".length;
  const filler = JSON.stringify({ x: "" }).length;
  const body = batch([JSON.stringify({ x: "x".repeat(512 * 1024 - frame - filler) })]);
  assert.equal(Buffer.byteLength(body), 512 * 1024);
  const response = await worker.post(body);
  assert.deepEqual(
    [response.status, (await response.json()).events[0].errors[0].code],
    [400, "too_large"],
  );
});

test("page_may_read_its_reply_and_its_refusal", async () => {
  for (const [origin, body, status] of [
    [ORIGIN, batch([event()]), 202],
    [ORIGIN, "{", 400],
    ["https://other.example", batch([event()]), 403],
    ["https://evil.example", batch([event()]), 403],
    ["null", batch([event()]), 403],
  ]) {
    const response = await worker.post(body, { origin });
    assert.equal(response.status, status);
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    assert.equal(response.headers.get("vary"), "Origin");
    assert.equal(response.headers.get("cross-origin-resource-policy"), "cross-origin");
  }
});

test("preflight_lets_every_page_post_and_read_why_it_is_refused", async () => {
  const preflight = (origin) =>
    fetch(new URL("/b", worker.url), {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
  const known = await preflight(ORIGIN);
  assert.equal(known.status, 204);
  assert.equal(known.headers.get("access-control-allow-origin"), ORIGIN);
  assert.equal(known.headers.get("access-control-allow-methods"), "POST");
  assert.equal(known.headers.get("access-control-allow-headers"), "Content-Type");
  const evil = "https://evil.example";
  assert.equal((await preflight(evil)).headers.get("access-control-allow-origin"), evil);
});

test("opaque_origin_and_none_at_all_are_a_keys_own_setting", async () => {
  const post = (write_key, headers) =>
    fetch(new URL("/b", worker.url), {
      method: "POST",
      body: batch([event()], { write_key }),
      headers,
    });
  assert.equal((await post("pk_demo", {})).status, 403);
  assert.equal((await post("pk_server", {})).status, 202);
  assert.equal((await post("pk_server", { origin: ORIGIN })).status, 403);
  assert.equal((await post("pk_pixel", { origin: "null" })).status, 202);
  assert.equal((await post("pk_pixel", {})).status, 403);
});

test("other_paths_are_404_and_other_methods_405", async () => {
  assert.equal((await fetch(new URL("/collect", worker.url))).status, 404);
  const get = await fetch(new URL("/b", worker.url));
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST, OPTIONS"]);
});

test("health_says_which_worker_this_is_and_how_hand_over_went", async () => {
  await worker.post(batch([event()]));
  const response = await fetch(new URL("/health", worker.url));
  const { version, schema_version, ...health } = await response.json();
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.equal(schema_version, 2);
  assert.deepEqual(
    [response.status, health],
    [
      200,
      {
        status: "ok",
        schema_id: 100001,
        hand_over: { way: "queue", last: "worked" },
        kafka: "reachable",
      },
    ],
  );
});

test("health_asks_kafka_and_waits_for_no_answer_that_does_not_come", async () => {
  const health = async (vars, intercept) => {
    gateway.intercept = intercept;
    const other = await startWorker(gateway, { vars });
    try {
      const response = await fetch(new URL("/health", other.url));
      const { status, kafka } = await response.json();
      return [response.status, status, kafka];
    } finally {
      gateway.intercept = () => false;
      await other.stop();
    }
  };
  const answers = () => false;
  const hangs = () => true;
  const wrongKey = { SHOPTRAIL_KAFKA_API_SECRET: "wrong" };
  const direct = { SHOPTRAIL_HAND_OVER: "direct" };
  assert.deepEqual(await health({}, hangs), [200, "degraded", "unreachable"]);
  assert.deepEqual(await health(direct, hangs), [503, "failing", "unreachable"]);
  assert.deepEqual(await health(wrongKey, answers), [200, "degraded", "refused"]);
  assert.deepEqual(await health(direct, answers), [200, "ok", "reachable"]);
});

test("one_bad_shop_disables_that_shop_only", async () => {
  const shops = JSON.stringify([{ write_key: "pk_broken" }, ...JSON.parse(SHOPS)]);
  const degraded = await startWorker(gateway, { vars: { SHOPTRAIL_SHOPS: shops } });
  try {
    assert.equal((await degraded.post(batch([event()]))).status, 202);
    const health = await (await fetch(new URL("/health", degraded.url))).json();
    assert.equal(health.status, "degraded");
    assert.match(health.problems[0], /entry 0 is not used: `shop_id` is missing/);
  } finally {
    await degraded.stop();
  }
});

test("what_is_wrong_in_the_configuration_is_named_and_the_rest_works", async () => {
  const [shop] = JSON.parse(SHOPS);
  const origins = ["https://shop.example/", ORIGIN];
  const identity_cookie = { domain: "co.uk" };
  const vars = {
    SHOPTRAIL_SHOPS: JSON.stringify([{ ...shop, origins, identity_cookie }]),
    SHOPTRAIL_HAND_OVER: "quick",
    SHOPTRAIL_RATE_LIMITS: "sometimes",
    SHOPTRAIL_RULES: '{"own_hosts":["https://checkout.example/"]}',
  };
  const degraded = await startWorker(gateway, { vars });
  try {
    const response = await degraded.post(batch([event()]));
    assert.deepEqual([response.status, response.headers.get("set-cookie")], [202, null]);
    const health = await (await fetch(new URL("/health", degraded.url))).json();
    assert.deepEqual([health.status, health.hand_over.way], ["degraded", "queue"]);
    const named = [
      /^`SHOPTRAIL_SHOPS` entry 0 does not use origin 0: /,
      /^`SHOPTRAIL_SHOPS` entry 0 sets no cookie: /,
      /^`SHOPTRAIL_RULES` `own_hosts` 0 is not used: /,
      /^`SHOPTRAIL_HAND_OVER` is neither `queue` nor `direct`: /,
      /^`SHOPTRAIL_RATE_LIMITS` is neither `on` nor `off`: /,
    ];
    assert.equal(health.problems.length, named.length);
    named.forEach((expected, position) => assert.match(health.problems[position], expected));
  } finally {
    await degraded.stop();
  }
});

test("wrong_configuration_is_named_by_health_and_takes_no_events", async () => {
  const vars = { SHOPTRAIL_SCHEMA_ID: "latest", SHOPTRAIL_PREFIX: "/st" };
  const misconfigured = await startWorker(gateway, { vars });
  try {
    const health = await fetch(new URL("/st/health", misconfigured.url));
    assert.equal(health.status, 500);
    assert.match((await health.json()).problems[0], /^`SHOPTRAIL_SCHEMA_ID` is not a number/);
    const response = await fetch(new URL("/st/b", misconfigured.url), {
      method: "POST",
      headers: { origin: ORIGIN },
      body: batch([event()]),
    });
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "5"]);
  } finally {
    await misconfigured.stop();
  }
});

test("log_says_what_happened_and_nothing_of_events_or_people", async () => {
  const secret = "SECRET-5f1c";
  const fields = {
    anonymous_id: secret,
    page_url: `https://shop.example/${secret}`,
    user_id: secret,
  };
  await worker.post(batch([event(901, fields), { ...bad, [secret]: secret }]), {
    "user-agent": secret,
  });
  await until("the batch is in Kafka", () => gateway.events.some(({ key }) => key === secret));
  await until("the consumer has logged", () => worker.logged().includes("queue batch consumed"));
  const line = worker
    .logged()
    .split("\n")
    .find((text) => text.includes('"http.status":207'));
  const fieldsOfLine = JSON.parse(line.slice(line.indexOf("{"), line.lastIndexOf("}") + 1));
  assert.equal(fieldsOfLine.message, "batch collected");
  assert.equal(worker.logged().includes(secret), false);
  assert.equal(worker.logged().includes("test-secret"), false);
});

/** Posts without a Content-Length and returns the status. */
function postInChunks(body) {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL("/b", worker.url),
      { method: "POST", headers: { origin: ORIGIN } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    call.on("error", reject);
    for (let start = 0; start < body.length; start += 10_000) {
      call.write(body.slice(start, start + 10_000));
    }
    call.end();
  });
}
