// What a client is told: the status sums up the verdicts, each event has its own, and strangers get none.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { Gateway } from "./gateway.mjs";
import { ORIGIN, batch, event, startWorker, until } from "./worker.mjs";

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

test("only_a_known_origin_may_read_the_reply", async () => {
  for (const [origin, body, allowed] of [
    [ORIGIN, batch([event()]), ORIGIN],
    [ORIGIN, "{", ORIGIN],
    ["https://other.example", batch([event()]), "https://other.example"],
    ["https://evil.example", batch([event()]), null],
  ]) {
    const response = await worker.post(body, { origin });
    assert.equal(response.headers.get("access-control-allow-origin"), allowed);
    assert.equal(response.headers.get("vary"), "Origin");
    assert.equal(response.headers.get("access-control-allow-credentials"), null);
  }
});

test("preflight_allows_posts_from_known_origins", async () => {
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
  assert.equal(
    (await preflight("https://evil.example")).headers.get("access-control-allow-origin"),
    null,
  );
});

test("program_without_origin_is_admitted_by_its_key", async () => {
  const response = await fetch(new URL("/b", worker.url), {
    method: "POST",
    body: batch([event()]),
  });
  assert.equal(response.status, 202);
});

test("other_paths_are_404_and_other_methods_405", async () => {
  assert.equal((await fetch(new URL("/collect", worker.url))).status, 404);
  const get = await fetch(new URL("/b", worker.url));
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST, OPTIONS"]);
});

test("health_is_ok", async () => {
  const response = await fetch(new URL("/health", worker.url));
  assert.deepEqual([response.status, await response.json()], [200, { status: "ok" }]);
});

test("wrong_configuration_is_named_by_health_and_takes_no_events", async () => {
  const misconfigured = await startWorker(gateway, { vars: { SHOPTRAIL_SCHEMA_ID: "latest" } });
  try {
    const health = await fetch(new URL("/health", misconfigured.url));
    assert.equal(health.status, 500);
    assert.match((await health.json()).message, /^`SHOPTRAIL_SCHEMA_ID` is not a number/);
    const response = await misconfigured.post(batch([event()]));
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
