// The script tag's program, bundled as `t.js`. It reads the page, keeps and sends; what is to be kept and sent is
// decided by the core, which is a WASM module where the page allows it.

import init, { Core } from "shoptrail-glue";
import MODULE from "shoptrail-module";

import { Core as FallbackCore } from "./fallback.js";
import { guard, on, reportErrorsWith, warn } from "./guard.js";
import { observeClicks } from "./observe/click.js";
import { observeEngagement, ping } from "./observe/engagement.js";
import { observeMarks } from "./observe/marks.js";
import { observePage, track, viewPage } from "./observe/page.js";
import { CONSENT } from "./store.js";
import { WRITE_KEY, beside } from "./tag.js";
import { begin, consent, consentElsewhere, flush, identify, online } from "./tracker.js";

/** How long the page waits for the module before it does without. */
const MODULE_TIMEOUT_MS = 5e3;

const beginWithout = () => begin(FallbackCore, "shoptrail-js", viewPage);

const beginWithModule = async () => {
  const timeout = new Promise((_, reject) => setTimeout(reject, MODULE_TIMEOUT_MS, "timeout"));
  try {
    await Promise.race([init({ module_or_path: beside(MODULE) }), timeout]);
  } catch (reason) {
    warn("going without the WASM module:", reason);
    return beginWithout();
  }
  begin(Core, "shoptrail-wasm", viewPage);
};

const goingOutOfSight = () => {
  beginWithout(); // unless a core is there
  ping();
  flush();
};

const call = guard((name, fields) => {
  if (name === "consent") consent(fields);
  else if (name === "identify") identify(fields);
  else if (typeof name === "string") track(name, fields);
  else warn("a call without a name:", name);
});

const start = guard(() => {
  const waiting = window.shoptrail?.q ?? [];
  window.shoptrail = call;
  call.loaded = true;
  reportErrorsWith((error) =>
    track("error", { properties: { source: "tracker", message: `${error}`.slice(0, 200) } }),
  );

  observePage();
  viewPage();
  observeEngagement();
  observeClicks();
  on(
    document,
    "visibilitychange",
    () => document.visibilityState === "hidden" && goingOutOfSight(),
  );
  on(window, "pagehide", goingOutOfSight);
  on(window, "online", online);
  on(window, "storage", ({ key }) => key === CONSENT && consentElsewhere());

  guard(beginWithModule)();

  for (const args of waiting) call(...args);
  observeMarks();
});

if (!WRITE_KEY) console.error("shoptrail: the script tag has no data-key, nothing is sent");
else if (!window.shoptrail?.loaded) {
  // A page that is only prerendered has not been seen by anybody.
  if (document.prerendering) on(document, "prerenderingchange", start);
  else start();
}
