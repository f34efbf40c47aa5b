// Events by marks in the page's HTML: `data-st-event` names the event, `data-st-item` holds an item as JSON,
// `data-st-fields` the other fields. README.md has the rules.

import { guard, warn } from "../guard.js";
import { track } from "./page.js";

const ITEMS = 100;

/** Quiet time after a change of the page before it is searched for marks, in milliseconds. */
const SETTLE_MS = 100;

/** How long a page without a mark is watched, and then not, in milliseconds. */
const LOOK_MS = 1e4;

const VIEWED = '[data-st-event][data-st-on="view"]';

/** @param {string | undefined} json */
const parse = (json) => {
  try {
    return json && JSON.parse(json);
  } catch (error) {
    warn("not JSON in a mark:", json, error);
  }
};

/** Queues the event of a marked element.
 *  @param {HTMLElement} element */
export const sendMark = (element) => {
  const owner = /** @type {HTMLElement | null} */ (element.closest("[data-st-item]"));
  /** @type {Iterable<HTMLElement>} */
  const owners = owner ? [owner] : element.querySelectorAll("[data-st-item]");
  const items = [...owners].flatMap(({ dataset }) => parse(dataset.stItem) ?? []).slice(0, ITEMS);
  const around = /** @type {HTMLElement | null} */ (element.closest("[data-st-fields]"));
  const fields = parse(around?.dataset.stFields);
  track(element.dataset.stEvent ?? "", { items: items.length ? items : undefined, ...fields });
};

/** What an element was marked with when it came into sight, or is waited for. @type {WeakMap<Element, string>} */
const marks = new WeakMap();

/** @type {IntersectionObserver | undefined} */
let sight;
/** @type {MutationObserver | undefined} */
let changes;
/** @type {ReturnType<typeof setTimeout> | 0} */
let timer = 0;
/** @type {ReturnType<typeof setTimeout> | 0} */
let looking = 0;

/** @param {IntersectionObserverEntry[]} entries */
const seen = (entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    sight?.unobserve(target);
    sendMark(/** @type {HTMLElement} */ (target));
  }
};

const search = guard(() => {
  timer = 0;
  for (const element of document.querySelectorAll(VIEWED)) {
    const { stEvent, stItem, stFields } = /** @type {HTMLElement} */ (element).dataset;
    const mark = [stEvent, stItem, stFields].join();
    if (marks.get(element) === mark) continue;
    marks.set(element, mark);
    sight?.unobserve(element);
    sight?.observe(element);
  }
});

const changed = () => {
  timer ||= setTimeout(search, SETTLE_MS);
};

/** While nothing is marked on the page it need not be watched. */
const look = guard(() => {
  if (document.querySelector(VIEWED)) return observeMarks();
  changes?.disconnect();
  lookLater();
});

const lookLater = () => {
  clearTimeout(looking);
  looking = setTimeout(look, LOOK_MS);
};

/** Queues the event of each element with `data-st-on="view"` when it comes into sight, and again when its mark changed. To
 *  be called again when another page is shown. */
export const observeMarks = () => {
  sight ??= new IntersectionObserver(guard(seen));
  changes ??= new MutationObserver(changed);
  changes.observe(document, {
    attributeFilter: ["data-st-event", "data-st-item", "data-st-fields", "data-st-on"],
    childList: true,
    subtree: true,
  });
  lookLater();
  search();
};
