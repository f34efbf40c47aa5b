// What the shop says about the tracker: attributes of the script tag, parameters of its address (tag managers remove the
// attributes), or `window.shoptrailConfig`. Read while the script runs: `document.currentScript` is gone afterwards.

/** @type {HTMLOrSVGScriptElement | null} */
const script = document.currentScript ?? document.querySelector('script[src*="/t.js"]');
const { src = "" } = /** @type {HTMLScriptElement} */ (script ?? {});

/** An address beside this script: the edge's routes move with it.
 *  @param {string} file */
export const beside = (file) => new URL(file, new URL(src, location.href)).href;

/** @type {Record<string, string | undefined>} */
const settings = {
  ...window.shoptrailConfig,
  ...Object.fromEntries(new URL(beside(src)).searchParams),
  ...script?.dataset,
};

/** @param {string} name */
export const setting = (name) => settings[name];

/** Whether the shop does not want what happens by itself otherwise.
 *  @param {string} name */
export const isOff = (name) => settings[name] === "off";

export const WRITE_KEY = settings.key;

export const DEBUG = settings.debug !== undefined;

/** Whether an event of a click has the text of what was clicked. */
export const CLICK_TEXT = settings.clickText !== undefined;

/** The domain whose hosts share the visitor and the choice. */
export const COOKIE_DOMAIN = settings.cookieDomain;

/** The version of the shop's consent text: a choice about another one is no choice any more. */
export const CONSENT_VERSION = settings.consentVersion ?? "";

/** How long a choice holds, in days. */
export const CONSENT_DAYS = Number(settings.consentDays ?? 180);

const MODES = ["off", "cookieless", "full"];

/** The number of a mode; what is none of them is the strictest.
 *  @param {string} name
 *  @param {string | undefined} value
 *  @param {string} usual */
const mode = (name, value, usual) => {
  const found = MODES.indexOf(value ?? usual);
  if (found < 0) console.error(`shoptrail: ${name}="${value}" is none of ${MODES}: taken as off`);
  return Math.max(found, 0);
};

/** What may be done until the visitor chose: 0 nothing, 1 send, 2 store too. */
export const UNASKED = mode("data-consent", settings.consent, "full");

/** What may be done when the visitor refused. */
export const REFUSED = mode("data-refused", settings.refused, "off");
