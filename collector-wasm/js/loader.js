// The script tag's program, bundled as `t.js`. It reads the page, keeps and sends; what is to be kept and sent is
// decided by the core, which is a WASM module where the page allows it.

import MODULE from "shoptrail-module";

import { chosen, readChoice } from "./consent.js";
import { createCore } from "./fallback.js";
import { attempt, guard, on, reportErrorsWith, warn } from "./guard.js";
import { load } from "./late.js";
import { loadCore } from "./module.js";
import { observeClicks } from "./observe/click.js";
import { observeEngagement, ping } from "./observe/engagement.js";
import { observeMarks } from "./observe/marks.js";
import {
  observePage,
  onAddress,
  page,
  searched,
  track,
  sendView,
  viewPage,
} from "./observe/page.js";
import { CONSENT } from "./store.js";
import { COOKIE_DOMAIN, DEBUG, WRITE_KEY, beside, isOff, setting } from "./tag.js";
import { begin, consent, consentElsewhere, flush, identify, leave, online } from "./tracker.js";

/** How long the page waits for the module before it does without. */
const MODULE_TIMEOUT_MS = 5e3;

const beginWithout = () => begin(createCore, "shoptrail-js", sendView);

const beginWithModule = async () => {
  try {
    if (DEBUG) await (await import(beside(PANEL))).default();
    setTimeout(guard(beginWithout), MODULE_TIMEOUT_MS); // unless a core is there
    begin(await loadCore(beside(MODULE)), "shoptrail-wasm", sendView);
  } catch (reason) {
    warn("without WASM:", reason);
    beginWithout();
  }
};

/** @type {() => void} */
let onHiding = () => {};

const goingOutOfSight = () => {
  beginWithout(); // unless a core is there
  onHiding();
  ping();
  flush();
};

const call = guard((/** @type {unknown} */ name, /** @type {any} */ fields) => {
  if (name === "consent") consent(fields);
  else if (name === "identify") identify(fields);
  else if (typeof name === "string") track(name, fields);
  else warn("no name:", name);
});

/** What the late parts get. @type {LateParts} */
const parts = {
  track,
  identify,
  consent,
  chosen,
  page,
  searched,
  onAddress,
  beforeHiding: (work) => {
    onHiding = guard(work);
  },
  isOff,
  setting,
  on,
  guard,
  attempt,
};

const loadParts = () => {
  const [ga4, platform] = [setting("ga4"), setting("consentFrom")];
  if (platform) load(CONSENT_PLATFORMS, parts, platform);
  if (ga4 !== undefined) load(GA4, parts, ga4 || "dataLayer");
  if ((setting("errors") ?? "off") !== "off") load(ERRORS, parts);
  if (["scroll", "forms", "search", "vitals"].every(isOff)) return;
  const { hidden } = document;
  const loadBehaviour = () => load(BEHAVIOUR, parts, hidden);
  if (document.readyState === "complete") loadBehaviour();
  else on(window, "load", () => setTimeout(loadBehaviour));
};

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
  on(document, "visibilitychange", () => {
    if (document.hidden) goingOutOfSight();
    else if (COOKIE_DOMAIN) consentElsewhere();
  });
  on(window, "pagehide", () => {
    goingOutOfSight();
    leave();
  });
  on(window, "online", online);
  on(window, "storage", ({ key, newValue }) => key === CONSENT && newValue && consentElsewhere());

  guard(beginWithModule)();

  for (const [name, fields] of waiting) call(name, fields);
  observeMarks();
  loadParts();
});

if (!WRITE_KEY) console.error("shoptrail: the script tag has no data-key, nothing is sent");
else if (!window.shoptrail?.loaded) {
  // A page that is only prerendered has not been seen by anybody.
  if (document.prerendering) on(document, "prerenderingchange", start);
  else start();
}
