// The tag that the stack prints, pasted into pages that are not the demo shop's: one whose origin was named, one whose was not.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { launchChromium } from "./browser.mjs";
import { serve } from "./loopback.mjs";
import { Stack } from "./stack.mjs";
import { until } from "./until.mjs";

let own;
let foreign;
let stack;
let browser;
let tag;

before(async () => {
  const answer = (_request, response) =>
    response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<!doctype html><title>A shop</title>${tag}<p>Goods`);
  [own, foreign] = await Promise.all([serve(answer), serve(answer)]);
  stack = await Stack.start({ flags: ["--origin", `${own.origin}/any/page`] });
  [, tag] = /^tag +(<script.+)$/m.exec(await readFile(stack.log, "utf8"));
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
  await Promise.all([own, foreign].map((server) => server?.close()));
});

test("page_of_an_origin_that_was_named_is_heard", async () => {
  const page = await browser.newPage();
  await page.goto(own.origin);
  const [event] = await until("the page view is in Kafka", async () => {
    const good = await stack.micro("good");
    return good.length > 0 && good;
  });
  assert.equal(new URL(event.event.page_url).origin, own.origin);
  assert.equal((await stack.micro("all")).refused_requests, 0);
  await page.close();
});

test("page_of_another_origin_says_so_on_its_console_and_among_the_events", async () => {
  const page = await browser.newPage();
  const said = page.waitForEvent("console", (message) =>
    message.text().includes("origin_not_allowed"),
  );
  await page.goto(foreign.origin);
  assert.match((await said).text(), /^shoptrail: .*add the origin to the shop's `origins`/);
  const [refusal] = await until("the stack tells of the refusal", async () => {
    const refusals = await stack.micro("refusals");
    return refusals.length > 0 && refusals;
  });
  assert.equal(refusal.origin, foreign.origin);
  assert.equal(refusal.code, "origin_not_allowed");
  await page.goto(stack.addresses.micro);
  await page.getByText(`--origin ${foreign.origin}`).waitFor();
  for (const { event } of await stack.micro("good"))
    assert.equal(new URL(event.page_url).origin, own.origin);
  await page.close();
});
