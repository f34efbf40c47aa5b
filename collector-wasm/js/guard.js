// The tracker never harms the shop: whatever the browser calls runs in here, and no exception comes out.

import { DEBUG } from "./tag.js";

let report = () => {};
let errors = 0;

/** The tracker's own errors go here: to the console in debug mode, and the first of a page as an event. */
export const reportErrorsWith = (callback) => (report = callback);

export const warn = (...what) => DEBUG && console.warn("shoptrail:", ...what);

const failed = (error) => {
  warn(error);
  if (!errors++) guard(report)(error);
};

export const guard = (work) =>
  function (...args) {
    try {
      const result = work.apply(this, args);
      result?.catch?.(failed);
      return result;
    } catch (error) {
      failed(error);
    }
  };

/** Listens to an event, guarded. Capturing, so that a page that stops the event does not hide it; passive, so that no
 *  scrolling waits for it. */
export const on = (target, type, listener) =>
  target.addEventListener(type, guard(listener), { capture: true, passive: true });
