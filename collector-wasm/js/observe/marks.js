// Events by marks in the page's HTML: `data-st-event` names the event, `data-st-item` holds an item as JSON,
// `data-st-fields` the other fields. README.md has the rules.

import { guard, warn } from "../guard.js";
import { track } from "./page.js";

const ITEMS = 100;

/** Quiet time after a change of the page before it is searched for marks, in milliseconds. */
const SETTLE_MS = 100;

const parse = (json) => {
  try {
    return json && JSON.parse(json);
  } catch (error) {
    warn("not JSON in a mark:", json, error);
  }
};

/** Queues the event of a marked element. */
export const sendMark = (element) => {
  const owner = element.closest("[data-st-item]");
  const owners = owner ? [owner] : [...element.querySelectorAll("[data-st-item]")];
  const items = owners.flatMap(({ dataset }) => parse(dataset.stItem) ?? []).slice(0, ITEMS);
  const fields = parse(element.closest("[data-st-fields]")?.dataset.stFields);
  track(element.dataset.stEvent, { items: items.length ? items : undefined, ...fields });
};

/** Queues the event of each element with `data-st-on="view"` when it comes into sight, and again when its mark changed. */
export const observeMarks = () => {
  const marks = new WeakMap();
  let timer;
  const sight = new IntersectionObserver(
    guard((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        sight.unobserve(target);
        sendMark(target);
      }
    }),
  );
  const search = guard(() => {
    timer = 0;
    for (const element of document.querySelectorAll('[data-st-event][data-st-on="view"]')) {
      const { stEvent, stItem, stFields } = element.dataset;
      const mark = [stEvent, stItem, stFields].join();
      if (marks.get(element) === mark) continue;
      marks.set(element, mark);
      sight.unobserve(element);
      sight.observe(element);
    }
  });
  new MutationObserver(() => (timer ||= setTimeout(search, SETTLE_MS))).observe(document, {
    attributeFilter: ["data-st-event", "data-st-item", "data-st-fields", "data-st-on"],
    childList: true,
    subtree: true,
  });
  search();
};
