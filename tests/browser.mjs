// The browser of the tests: a real Chromium from the machine.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium: the one `SHOPTRAIL_CHROMIUM` names, else the first on PATH. Playwright switches its back/forward cache
 *  off, unless a test asks for it; `more` are other arguments. */
export function launchChromium({ backForwardCache = false, more = [] } = {}) {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [...ARGUMENTS, ...more],
    ignoreDefaultArgs: backForwardCache ? ["--disable-back-forward-cache"] : [],
  });
}

function chromiumPath() {
  if (process.env.SHOPTRAIL_CHROMIUM) return process.env.SHOPTRAIL_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(
    isExecutable,
  );
  if (!found)
    throw new Error(
      `no Chromium on PATH (looked for ${NAMES.join(", ")}); hint: apt-get install chromium, or set SHOPTRAIL_CHROMIUM`,
    );
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
