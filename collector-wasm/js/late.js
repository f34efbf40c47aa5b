// Parts that a page can do without at first, or altogether: modules of their own, loaded when they are asked for.

import { guard } from "./guard.js";
import { beside } from "./tag.js";

/** Loads a part and starts it with what it is given.
 *  @param {string} file
 *  @param {unknown[]} given */
export const load = guard(async (/** @type {string} */ file, ...given) =>
  (await import(beside(file))).default(...given),
);
