// The tracker never harms the shop: whatever the browser calls runs in here, and no exception comes out.

import { DEBUG } from "./tag.js";

/** @type {(error: unknown) => void} */
let report = () => {};
let errors = 0;

/** The tracker's own errors go here: to the console in debug mode, and the first of a page as an event.
 *  @param {(error: unknown) => void} callback */
export const reportErrorsWith = (callback) => {
  report = callback;
};

/** @param {unknown[]} what */
export const warn = (...what) => DEBUG && console.warn("shoptrail:", ...what);

/** @param {unknown} error */
const failed = (error) => {
  warn(error);
  if (!errors++) guard(report)(error);
};

/** @template {unknown[]} Args
 *  @param {(...args: Args) => unknown} work
 *  @returns {(...args: Args) => void} */
export const guard =
  (work) =>
  (...args) => {
    try {
      const result = work(...args);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  };

/** Listens to an event, guarded. Capturing, so that a page that stops the event does not hide it; passive, so that no
 *  scrolling waits for it.
 *  @param {EventTarget} target
 *  @param {string} type
 *  @param {(event: any) => unknown} listener */
export const on = (target, type, listener) =>
  target.addEventListener(type, guard(listener), { capture: true, passive: true });

/** What `work` returns; undefined where the browser refuses it.
 *  @template Result
 *  @param {() => Result} work
 *  @returns {Result | undefined} */
export const attempt = (work) => {
  try {
    return work();
  } catch {
    return undefined;
  }
};
