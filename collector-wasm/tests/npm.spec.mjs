// The npm package as it would be published: packed, unpacked into a shop's node_modules, type-checked and bundled there, and
// the bundle run in a real Chromium.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { unpackFor } from "./packed.mjs";
import { assertComplete, visit } from "./visit.mjs";

const TYPESCRIPT = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

let shop;
let unpacked;

before(async () => {
  shop = await mkdtemp(join(tmpdir(), "shoptrail-npm-"));
  unpacked = await unpackFor(shop);
});

after(() => rm(shop, { recursive: true, force: true }));

/** What TypeScript says of a shop's program. */
const typesOf = async (program) => {
  const file = join(shop, "program.ts");
  await writeFile(file, program);
  const { stdout } = spawnSync(process.execPath, [
    TYPESCRIPT,
    ..."--noEmit --strict --module esnext --moduleResolution bundler --target es2022".split(" "),
    file,
  ]);
  return stdout.toString();
};

describe("the npm package", () => {
  test("has_its_program_types_and_readme_alone_and_the_trackers_version", async () => {
    const files = await readdir(unpacked);
    const expected = ["README.md", "events.d.ts", "index.d.ts", "index.js", "package.json"];
    assert.deepEqual(files.sort(), expected);
    const { version } = JSON.parse(await readFile(join(unpacked, "package.json"), "utf8"));
    const manifest = await readFile(new URL("../../Cargo.toml", import.meta.url), "utf8");
    assert.equal(version, /^version = "(.*)"$/m.exec(manifest)?.[1]);
  });

  test("types_what_an_event_requires", async () => {
    // A line after `@ts-expect-error` that is right is an error, too.
    const program = `
      import { install, shoptrail } from "shoptrail-tracker";
      install({ src: "https://track.shop.example/t.js", key: "pk", scroll: "off" });
      shoptrail("page_view");
      shoptrail("add_to_cart", { currency: "EUR", value: 1, items: [{ item_id: 7 }] });
      shoptrail("identify", { user_id: null });
      shoptrail("consent", { analytics: true, ads: "denied" });
      // @ts-expect-error: no such event
      shoptrail("add_to_basket", {});
      // @ts-expect-error: the fields are missing
      shoptrail("add_to_cart");
      // @ts-expect-error: the items are missing
      shoptrail("add_to_cart", { currency: "EUR", value: 1 });
      // @ts-expect-error: a term is a text
      shoptrail("search", { search_term: 7 });
      // @ts-expect-error: the tracker says it itself
      shoptrail("login", { session_id: "s" });
      // @ts-expect-error: the key is missing
      install({ src: "t.js" });
      // @ts-expect-error: no such mode
      install({ src: "t.js", key: "pk", consent: "on" });`;
    assert.equal(await typesOf(program), "");
  });

  test("does_nothing_on_a_server", async () => {
    const program = `import { install, shoptrail } from "shoptrail-tracker";
      install({ src: "https://track.shop.example/t.js", key: "pk" });
      shoptrail("page_view");`;
    await writeFile(join(shop, "server.mjs"), program);
    execFileSync(process.execPath, ["server.mjs"], { cwd: shop });
  });

  /** A shop's program as its bundler writes it. */
  const bundled = async (program) => {
    await writeFile(join(shop, "page.mjs"), program);
    const { outputFiles } = await build({
      entryPoints: [join(shop, "page.mjs")],
      bundle: true,
      minify: true,
      write: false,
    });
    return outputFiles[0].text;
  };

  test(
    "puts_the_tracker_into_a_bundled_page_once_and_sends_its_calls",
    visit(async ({ edge, page, pages, open, takenOf }) => {
      const settings = { src: `${edge.origin}/t.js`, key: "pk_test", consent: "cookieless" };
      const program = `import { install, shoptrail } from "shoptrail-tracker";
        const settings = ${JSON.stringify(settings)};
        shoptrail("identify", { user_id: "customer-7" });
        for (let n = 0; n < 2; n++) install({ ...settings, refused: undefined });
        shoptrail("search", { search_term: "mug" });`;
      pages["/"] = { untagged: true, body: `<script>${await bundled(program)}</script>` };
      await open();
      const [searched] = await takenOf("search");
      // The page is cookieless: the customer's number is not sent.
      assert.deepEqual([searched.search_term, searched.user_id], ["mug", undefined]);
      assert.equal(edge.batches[0].write_key, "pk_test");
      assert.equal(edge.eventsOf("page_view").length, 1);
      const [tag, ...others] = await page.evaluate(() =>
        [...document.querySelectorAll("script[src]")].map(({ outerHTML }) => outerHTML),
      );
      assert.deepEqual(others, []);
      assert.doesNotMatch(tag, /undefined/);
      assert.equal(await page.evaluate(() => localStorage.length), 0);
      assertComplete(edge.events);
    }),
  );

  test(
    "gives_its_script_the_pages_nonce",
    visit(async ({ edge, pages, open, takenOf }) => {
      const settings = { src: `${edge.origin}/t.js`, key: "pk_test", nonce: "n0nce" };
      const program = `import { install } from "shoptrail-tracker";
        install(${JSON.stringify(settings)});`;
      pages["/"] = {
        untagged: true,
        csp: `script-src 'nonce-n0nce' 'wasm-unsafe-eval'; connect-src ${edge.origin}`,
        body: `<script nonce="n0nce">${await bundled(program)}</script>`,
      };
      await open();
      await takenOf("page_view");
      assert.equal(edge.batches[0].tracker.name, "shoptrail-wasm");
    }),
  );
});
