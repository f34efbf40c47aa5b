// Engaged time: how long the page was in sight of somebody who does something. It is told in pieces, as `page_ping`
// events: the sum of a page's pieces is its engaged time.

import { clock } from "../delivery.js";
import { guard, on } from "../guard.js";
import { isOff } from "../tag.js";
import { lookAround } from "../tracker.js";
import { track } from "./page.js";

const EVERY_MS = 1e4;

/** Without any input for this long, nobody is reading any more. */
const IDLE_MS = 3e4;

/** Less than this is not worth an event. */
const LEAST_MS = 1e3;

let engaged = 0;
let since = 0;
let lastInput = 0;
let visible = false;

const count = () => {
  const until = Math.min(clock(), lastInput + IDLE_MS);
  if (visible && until > since) engaged += until - since;
  since = clock();
};

const active = () => {
  count();
  lastInput = since;
  visible = !document.hidden;
};

/** Tells the engaged time since the last ping. */
export const ping = () => {
  count();
  if (engaged < LEAST_MS) return;
  const engagement_time_msec = Math.round(engaged);
  engaged = 0;
  if (!isOff("pings")) track("page_ping", { engagement_time_msec });
};

export const observeEngagement = () => {
  active();
  for (const type of ["pointerdown", "pointermove", "keydown", "scroll"]) on(window, type, active);
  on(document, "visibilitychange", active);
  setInterval(
    guard(() => {
      ping();
      if (visible) lookAround();
    }),
    EVERY_MS,
  );
};
