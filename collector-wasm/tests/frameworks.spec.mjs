// The npm package in the pages of two frameworks, as a shop would build and serve them: a page of Vite and React with a router, in
// React's strict mode, and a page of Next.js. Their versions are in `frameworks/package-lock.json`.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { serve } from "../../tests/loopback.mjs";
import { unpackFor } from "./packed.mjs";
import { assertComplete, visit } from "./visit.mjs";

const SOURCES = fileURLToPath(new URL("frameworks", import.meta.url));
const BUILT = fileURLToPath(new URL("../../target/frameworks", import.meta.url));
const NPMRC = fileURLToPath(new URL("../../.npmrc", import.meta.url));

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".txt": "text/plain",
};

/** Installs what the lock file says, unless it is there, and lays the sources beside it. */
before(async () => {
  await mkdir(BUILT, { recursive: true });
  for (const page of ["vite", "next"])
    await rm(join(BUILT, page), { recursive: true, force: true });
  const lock = await readFile(join(SOURCES, "package-lock.json"), "utf8");
  const stamp = join(BUILT, "node_modules/.installed-from-package-lock.json");
  await cp(SOURCES, BUILT, { recursive: true });
  if ((await readFile(stamp, "utf8").catch(() => "")) !== lock) {
    await cp(NPMRC, join(BUILT, ".npmrc"));
    execFileSync("npm", ["ci", "--silent"], { cwd: BUILT, stdio: "pipe" });
    await writeFile(stamp, lock);
  }
  await unpackFor(BUILT);
});

/** Runs a program of an installed package in a page's folder. */
const run = (page, program, given, env) =>
  execFileSync(process.execPath, [join(BUILT, "node_modules", program), ...given], {
    cwd: join(BUILT, page),
    env: { ...process.env, ...env },
    stdio: "pipe",
  });

/** Serves a built page as a shop's server does: an address without an ending is a page. The address of the edge is put into its
 *  programs. */
const serveBuilt = (folder, edge, addressOf) =>
  serve(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = extname(pathname) ? pathname : addressOf(pathname);
    try {
      const content = await readFile(join(folder, file), "utf8");
      response
        .writeHead(200, { "content-type": TYPES[extname(file)] })
        .end(content.replaceAll("https://track.shop.example", edge.origin));
    } catch {
      response.writeHead(404).end();
    }
  });

/** A shopper goes from the first page to the product by the page's own link, and puts it into the cart. The page has called
 *  `install` so many times. */
const shops = (folder, addressOf, installs) =>
  visit(async ({ edge, page, takenOf }) => {
    const site = await serveBuilt(folder, edge, addressOf);
    try {
      await page.goto(site.origin);
      await takenOf("page_view");
      await page.evaluate(() => (window.stillHere = true));
      await page.click("a");
      await page.click("button");
      const [added] = await takenOf("add_to_cart");
      assert.equal(await page.evaluate(() => window.installs), installs);
      assert.deepEqual(added.items, [{ item_id: "mug", item_name: "Mug", price: 12.5 }]);
      assert.equal(await page.evaluate(() => window.stillHere), true);
      const views = edge
        .eventsOf("page_view")
        .map(({ page_url, page_title }) => [new URL(page_url).pathname, page_title]);
      assert.deepEqual(views, [
        ["/", "Shop"],
        ["/mug", "Mug"],
      ]);
      assert.equal(edge.batches[0].tracker.name, "shoptrail-wasm");
      assertComplete(edge.events);
    } finally {
      await site.close();
    }
  });

describe("a shopper is seen once on each route", () => {
  test("of_a_vite_and_react_page_in_strict_mode", async () => {
    // Only React's program for development does things twice in strict mode.
    run("vite", "vite/bin/vite.js", ["build", "--mode", "development"], {
      NODE_ENV: "development",
    });
    await shops(join(BUILT, "vite/dist"), () => "index.html", 2)();
  });

  test("of_a_next_page", async () => {
    run("next", "next/dist/bin/next", ["build"], { NEXT_TELEMETRY_DISABLED: "1" });
    const addressOf = (path) => (path === "/" ? "index.html" : `${path}.html`);
    await shops(join(BUILT, "next/out"), addressOf, 1)();
  });
});
