// Page views: of the page, of each route of a single-page application, and of a page that comes back from the
// back/forward cache.

import { guard, on } from "../guard.js";
import { isOff } from "../tag.js";
import { resume, track as queue } from "../tracker.js";

/** Time for an application to set the new route's title, in milliseconds. */
const TITLE_MS = 100;

// The contract's limits: a long address must not cost the event.
const URL_LENGTH = 2048;
const TITLE_LENGTH = 512;

/** The first characters of a text; a pair of surrogates is not cut in the middle. */
export const cut = (/** @type {string} */ text, /** @type {number} */ length) =>
  text.slice(0, length).replace(/[\ud800-\udbff]$/, "");

let address = "";
let referrer = "";
let shown = "";
/** What was searched for last. @type {unknown} */
let term;
/** @type {() => void} */
let onAddressChange = () => {};
/** @type {ReturnType<typeof setTimeout> | 0} */
let timer = 0;

export const searched = () => term;

/** `work` is called when the page's address changes.
 *  @param {() => void} work */
export const onAddress = (work) => {
  onAddressChange = work;
};

// `#/cart` and `#!/cart` are routes, `#reviews` is a place on the page.
const addressNow = () => location.href.replace(/#(?![!/]).*/, "");

// A page is what its path and route say: a changed query cleans the address, or filters and sorts what is shown.
const routeOf = (/** @type {string} */ url) =>
  url.replace(/\?[^#]*/, "").replace(/(#[^?]*)\?.*/, "$1");

/** The fields of the page that is shown. */
export const page = () => ({
  page_url: cut(address, URL_LENGTH),
  page_title: cut(document.title, TITLE_LENGTH) || undefined,
  referrer_url: cut(referrer, URL_LENGTH) || undefined,
});

/** Queues an event of the page that is shown; its page view comes before it.
 *  @param {string} type
 *  @param {Fields} [fields] */
export const track = (type, fields) => {
  if (type === "search") term = fields?.search_term;
  pageViewNow();
  queue(type, page(), fields);
};

/** Queues a page view of the page that is shown: also once more where consent came after the first. The address is the one
 *  the visitor came by, though the shop may have removed the campaign from it since. */
export const sendView = () => isOff("views") || queue("page_view", page());

const pageViewNow = () => {
  if (!timer) return;
  clearTimeout(timer);
  timer = 0;
  sendView();
};

/** @param {string} from
 *  @param {number} delay */
const view = (from, delay) => {
  pageViewNow();
  address = addressNow();
  shown = routeOf(address);
  referrer = from;
  timer = setTimeout(guard(pageViewNow), delay);
};

/** @param {() => void} leaving is called before a route is left
 *  @param {() => void} entered is called when another one is shown */
const routeChanged = (leaving, entered) => {
  onAddressChange();
  if (routeOf(addressNow()) === shown) return;
  leaving();
  view(address, TITLE_MS);
  entered();
};

/** @param {"pushState" | "replaceState"} name
 *  @param {() => void} after */
const patch = (name, after) => {
  const original = history[name];
  history[name] = function (...args) {
    const result = original.apply(this, args);
    after();
    return result;
  };
};

/** The first page view, now. */
export const viewPage = () => {
  view(document.referrer, 0);
  pageViewNow();
};

/** @param {() => void} leaving is called before a route is left
 *  @param {() => void} entered is called when another one is shown */
export const observePage = (leaving, entered) => {
  const changed = guard(() => routeChanged(leaving, entered));
  patch("pushState", changed);
  patch("replaceState", changed);
  on(window, "popstate", changed);
  on(window, "hashchange", changed);
  on(window, "pageshow", (event) => {
    if (!event.persisted) return;
    resume();
    viewPage();
  });
};
