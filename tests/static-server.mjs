// A small web server for the tests of the pages in web-demo/: what `shoptrail local` serves, from files and given data.

import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { serve } from "./loopback.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VENDOR = {
  "/vendor/vega.js": "vega/build/vega.min.js",
  "/vendor/vega-lite.js": "vega-lite/build/vega-lite.min.js",
  "/vendor/vega-interpreter.js": "vega-interpreter/build/vega-interpreter.js",
};
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/**
 * Serves web-demo/ on a free port of the loopback. `answers` maps a path to a function of the address that returns what to
 * send as JSON (`{status, json}` or `{status, script}`), and wins over files. `streams` maps a path to a function that gets
 * the response, whose stream of events it writes. Resolves to `{origin, close}`.
 */
export function serveWebDemo(answers = {}, streams = {}) {
  return serve(async (request, response) => {
    const address = new URL(request.url, "http://localhost");
    if (streams[address.pathname]) {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      streams[address.pathname](response);
      return;
    }
    const { status, type, body } = await answer(address, request.headers.accept ?? "", answers);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
  });
}

async function answer(address, accept, answers) {
  const path = address.pathname;
  if (answers[path]) {
    const { status = 200, json, script } = answers[path](address);
    return script === undefined
      ? { status, type: TYPES[".json"], body: JSON.stringify(json) }
      : { status, type: TYPES[".js"], body: script };
  }
  try {
    const file = fileOf(path);
    return {
      status: 200,
      type: TYPES[extname(file)] ?? "application/octet-stream",
      body: await readFile(join(ROOT, file)),
    };
  } catch {
    // Addresses of the shop's own routes (/product/…) are answered by its one page.
    const isRoute = !path.includes(".") && accept.includes("text/html");
    return isRoute
      ? {
          status: 200,
          type: TYPES[".html"],
          body: await readFile(join(ROOT, "web-demo/shop/index.html")),
        }
      : { status: 404, type: "text/plain", body: "not found" };
  }
}

function fileOf(path) {
  if (VENDOR[path]) return `node_modules/${VENDOR[path]}`;
  const clean = normalize(decodeURIComponent(path)).replace(/\/$/, "/index.html");
  return clean.startsWith("/dashboard/") ? `web-demo${clean}` : `web-demo/shop${clean}`;
}
