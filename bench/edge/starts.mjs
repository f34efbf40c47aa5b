// How long a new isolate takes to its first reply, within a workerd that runs.

import { readFile } from "node:fs/promises";
import { Log, LogLevel, Miniflare } from "miniflare";
import { GOOD, post } from "./batch.mjs";
import { COMPATIBILITY_DATE, settings } from "./workers.mjs";

const EMPTY_MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/**
 * Starts isolates of each Worker in turn. Resolves to a list for each, of `[first reply, third reply]` in milliseconds.
 *
 * @param {{name: string, module: any[], vars?: object}[]} workers
 */
export async function measureStarts(workers, starts) {
  const loaders = await Promise.all(workers.map(startLoader));
  const results = workers.map(() => []);
  for (let start = 0; start < starts; start += 1) {
    for (const [place, { url }] of loaders.entries()) {
      const name = `start-${start}`;
      const first = await timed(() => post(url, GOOD, { "x-isolate": name }));
      await post(url, GOOD, { "x-isolate": name });
      const third = await timed(() => post(url, GOOD, { "x-isolate": name }));
      results[place].push([first, third]);
    }
  }
  await Promise.all(loaders.map(({ miniflare }) => miniflare.dispose()));
  return results;
}

async function startLoader({ module, vars = {} }) {
  const [script, wasm] = module;
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    log: new Log(LogLevel.NONE),
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: "/",
    modules: [
      {
        type: "ESModule",
        path: "loader.mjs",
        contents: await readFile(new URL("loader.mjs", import.meta.url), "utf8"),
      },
      { type: "Text", path: "index.js.txt", contents: script.contents },
      { type: "Data", path: "index_bg.wasm.bin", contents: wasm?.contents ?? EMPTY_MODULE },
    ],
    workerLoaders: { LOADER: {} },
    bindings: { COMPATIBILITY_DATE, VARS: { ...settings(), ...vars } },
  });
  const url = new URL("/b", await miniflare.ready);
  // The loader itself is warm, and so is the code that makes isolates.
  await post(url, GOOD, { "x-isolate": "warm-up" });
  return { miniflare, url };
}

async function timed(act) {
  const from = performance.now();
  await act();
  return performance.now() - from;
}
