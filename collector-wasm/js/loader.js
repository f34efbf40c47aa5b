// The script tag's program, bundled as `t.js`. It reads the page, keeps and sends; what is to be kept and sent is
// decided by the core, which is a WASM module where the page allows it.

import init, { Core } from "shoptrail-glue";
import MODULE from "shoptrail-module";

import { readChoice } from "./consent.js";
import { Core as FallbackCore } from "./fallback.js";
import { guard, on, reportErrorsWith, warn } from "./guard.js";
import { observeClicks } from "./observe/click.js";
import { observeEngagement, ping } from "./observe/engagement.js";
import { observeMarks } from "./observe/marks.js";
import { observePage, track, viewAgain, viewPage } from "./observe/page.js";
import { CONSENT } from "./store.js";
import { WRITE_KEY, beside } from "./tag.js";
import { begin, consent, consentElsewhere, flush, identify, leave, online } from "./tracker.js";

/** How long the page waits for the module before it does without. */
const MODULE_TIMEOUT_MS = 5e3;

const beginWithout = () => begin(FallbackCore, "shoptrail-js", viewAgain);

const beginWithModule = async () => {
  const timeout = new Promise((_, reject) => setTimeout(reject, MODULE_TIMEOUT_MS, "timeout"));
  try {
    await Promise.race([init({ module_or_path: beside(MODULE) }), timeout]);
  } catch (reason) {
    warn("going without the WASM module:", reason);
    return beginWithout();
  }
  begin(Core, "shoptrail-wasm", viewAgain);
};

const goingOutOfSight = () => {
  beginWithout(); // unless a core is there
  ping();
  flush();
};

const call = guard((/** @type {unknown} */ name, /** @type {any} */ fields) => {
  if (name === "consent") consent(fields);
  else if (name === "identify") identify(fields);
  else if (typeof name === "string") track(name, fields);
  else warn("a call without a name:", name);
});

const start = guard(() => {
  const waiting = window.shoptrail?.q ?? [];
  const shoptrail = /** @type {Shoptrail} */ (call);
  shoptrail.loaded = true;
  window.shoptrail = shoptrail;
  reportErrorsWith((error) =>
    track("error", { properties: { source: "tracker", message: `${error}`.slice(0, 200) } }),
  );

  readChoice();
  observePage(ping, observeMarks);
  viewPage();
  observeEngagement();
  observeClicks();
  on(
    document,
    "visibilitychange",
    () => document.visibilityState === "hidden" && goingOutOfSight(),
  );
  on(window, "pagehide", () => {
    goingOutOfSight();
    leave();
  });
  on(window, "online", online);
  on(window, "storage", ({ key, newValue }) => key === CONSENT && newValue && consentElsewhere());

  guard(beginWithModule)();

  for (const [name, fields] of waiting) call(name, fields);
  observeMarks();
});

if (!WRITE_KEY) console.error("shoptrail: the script tag has no data-key, nothing is sent");
else if (!window.shoptrail?.loaded) {
  // A page that is only prerendered has not been seen by anybody.
  if (document.prerendering) on(document, "prerenderingchange", start);
  else start();
}
