// Two pages of a shop must not give the same number to two events. So one page numbers at a time, the one that holds the
// pen: a Web Lock. It keeps the pen, and numbers without waiting, until another page asks for it by a change in the
// store. What localStorage tells one process of another may come late; so the pen is handed over with a slip, a cookie
// for a few seconds that says how far the numbers are.
//
// Where there are no Web Locks (plain HTTP, Safari before 15.4), where the page that has the pen does not answer, and
// where a page goes before it has it, a page numbers without: two pages that write in the same moment may then share a
// number.

import { attempt, guard, on } from "./guard.js";
import { SESSION, SLIP, cookie, get, set, setCookie } from "./store.js";

const PEN = "shoptrail.pen";

/** A page that is busy takes seconds to answer; one that is gone has no pen. */
const PATIENCE_MS = 1e4;
const SLIP_SECONDS = 10;

/** This page, as owner of what it stores. */
export const PAGE = Math.random().toString(36).slice(2);

/** @param {string} owner */
const ownerLock = (owner) => `shoptrail.page.${owner}`;

/** Lets go of the pen; set while this page has it. @type {(() => void) | undefined} */
let release;

/** Ends the waiting for it; set while this page waits. @type {AbortController | undefined} */
let waiting;

/** This page numbers without the pen. */
let isImpatient = false;

/** Another page asked for it meanwhile. */
let isWanted = false;

/** Lets go of what says that this page lives. @type {(() => void) | undefined} */
let die;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;

/** @type {() => void} */
let onPen = () => {};

/** `number` is called when this page may number after it could not.
 *  @param {() => void} number */
export const onGranted = (number) => {
  onPen = guard(number);
};

/** Whether a session's text says more than another one: a later event, or else more events.
 *  @param {string} one
 *  @param {string} other */
const isFurther = (one, other) => {
  const [, seq, last] = one.split(".").map(Number);
  const [, otherSeq = 0, otherLast = 0] = other.split(".").map(Number);
  return last > otherLast || (last === otherLast && seq > otherSeq);
};

const readSlip = () => {
  const slip = cookie(SLIP);
  if (slip && isFurther(slip, get(SESSION) ?? "")) set(SESSION, slip);
};

/** Gives the pen away. */
const handOn = () => {
  if (!release) return;
  setCookie(SLIP, get(SESSION) ?? "", SLIP_SECONDS);
  release();
  release = undefined;
};

/** A promise that ends when the function it gives out is called: a lock is held that long.
 *  @param {(end: () => void) => void} give */
const untilEnded = (give) => new Promise((resolve) => give(() => resolve(undefined)));

/** Whether this page may number now. If not, it asks for the pen. */
export const mayNumber = () => {
  if (release || isImpatient || !navigator.locks) return true;
  if (!waiting) ask();
  return false;
};

const ask = () => {
  const aborter = new AbortController();
  waiting = aborter;
  const goWithout = () => {
    if (waiting !== aborter) return;
    isImpatient = true;
    onPen();
  };
  patience = setTimeout(goWithout, PATIENCE_MS);
  navigator.locks
    .request(PEN, { signal: aborter.signal }, () => untilEnded(granted))
    .catch(goWithout);
  // The page that has the pen hears of it.
  set(PEN, `${PAGE}.${Math.random()}`);
};

/** @param {() => void} end */
const granted = (end) => {
  clearTimeout(patience);
  release = end;
  waiting = undefined;
  isImpatient = false;
  readSlip();
  onPen();
  if (isWanted) handOn();
  isWanted = false;
};

/** From now on this page lives, as others see it, until `leave`. */
export const enter = () => {
  if (die) return;
  die = () => {};
  const lives = () =>
    untilEnded((end) => {
      die = end;
    });
  navigator.locks?.request(ownerLock(PAGE), lives).catch(() => {});
};

/** The page goes, or may not store any more: others may have the pen and what it leaves behind. */
export const leave = () => {
  handOn();
  const ended = waiting;
  waiting = undefined;
  ended?.abort();
  die?.();
  die = undefined;
};

on(window, "storage", ({ key, newValue }) => {
  if (key !== PEN || !newValue) return;
  isWanted = !release;
  handOn();
});

/** The locks of the pages that live; undefined where the browser cannot tell. */
export const living = async () => {
  const held = (await attempt(() => navigator.locks.query()))?.held;
  return held && new Set(held.map(({ name }) => name));
};

/** @param {Set<string | undefined>} names
 *  @param {string} owner */
export const isAmong = (names, owner) => names.has(ownerLock(owner));
