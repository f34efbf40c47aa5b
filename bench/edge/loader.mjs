// A Worker that starts others: an isolate of its own for each name that a request brings.

import script from "./index.js.txt";
import wasm from "./index_bg.wasm.bin";
import { WorkerEntrypoint } from "cloudflare:workers";

/** What the started Workers have for a queue and for metrics. */
export class Platform extends WorkerEntrypoint {
  sendBatch() {}
  writeDataPoint() {}
}

export default {
  fetch(request, env, context) {
    const name = request.headers.get("x-isolate");
    const worker = env.LOADER.get(name, () => ({
      compatibilityDate: env.COMPATIBILITY_DATE,
      mainModule: "index.js",
      modules: { "index.js": script, "index_bg.wasm": { wasm: named(name) } },
      env: {
        ...env.VARS,
        EVENTS: context.exports.Platform({}),
        METRICS: context.exports.Platform({}),
      },
    }));
    return worker.getEntrypoint().fetch(request);
  },
};

/** The module with a custom section: V8 keeps what it has compiled of the same bytes. */
function named(name) {
  const bytes = new TextEncoder().encode(name);
  const section = [0, bytes.length + 1, bytes.length, ...bytes];
  const module = new Uint8Array(wasm.byteLength + section.length);
  module.set(new Uint8Array(wasm));
  module.set(section, wasm.byteLength);
  return module.buffer;
}
