// Page views: of the page, of each route of a single-page application, and of a page that comes back from the
// back/forward cache.

import { guard, on } from "../guard.js";
import { resume, track as queue } from "../tracker.js";
import { ping } from "./engagement.js";

/** Time for an application to set the new route's title, in milliseconds. */
const TITLE_MS = 100;

// The contract's limits: a long address must not cost the event.
const URL_LENGTH = 2048;
const TITLE_LENGTH = 512;

/** The first characters of a text; a pair of surrogates is not cut in the middle. */
export const cut = (text, length) => text.slice(0, length).replace(/[\ud800-\udbff]$/, "");

let address;
let referrer;
let timer;

// `#/cart` and `#!/cart` are routes, `#reviews` is a place on the page.
const route = () => location.href.replace(/#(?![!/]).*/, "");

const page = () => ({
  page_url: cut(address, URL_LENGTH),
  page_title: cut(document.title, TITLE_LENGTH) || undefined,
  referrer_url: cut(referrer, URL_LENGTH) || undefined,
});

/** Queues an event of the page that is shown; its page view comes before it. */
export const track = (type, fields) => {
  pageViewNow();
  queue(type, page(), fields);
};

const pageViewNow = () => {
  if (!timer) return;
  clearTimeout(timer);
  timer = 0;
  queue("page_view", page());
};

const view = (from, delay) => {
  pageViewNow();
  address = route();
  referrer = from;
  timer = setTimeout(guard(pageViewNow), delay);
};

const routeChanged = () => {
  if (route() === address) return;
  ping();
  view(address, TITLE_MS);
};

const patch = (name) => {
  const original = history[name];
  history[name] = function (...args) {
    const result = original.apply(this, args);
    guard(routeChanged)();
    return result;
  };
};

/** The first page view, now. */
export const viewPage = () => {
  view(document.referrer, 0);
  pageViewNow();
};

export const observePage = () => {
  patch("pushState");
  patch("replaceState");
  on(window, "popstate", routeChanged);
  on(window, "hashchange", routeChanged);
  on(window, "pageshow", (event) => {
    if (!event.persisted) return;
    resume();
    viewPage();
  });
};
