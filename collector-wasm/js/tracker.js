// From a call to a numbered event: gives the core to the parts, and waits for what a number needs.

import { FULL, OFF, choose, consentWords, keepChoice, modeBy, readChoice } from "./consent.js";
import * as delivery from "./delivery.js";
import { complete, eventFields, uuid7 } from "./envelope.js";
import { guard } from "./guard.js";
import * as pen from "./pen.js";
import { forgetSession, nextPlace, storedVisitor } from "./session.js";
import { forget } from "./store.js";

/** @type {CoreCalls | undefined} */
let core;
let mode = -1;
/** @type {string | undefined} */
let visitor;
let isVisitorStored = false;
/** @type {unknown} */
let userId;
/** @type {() => void} */
let onConsent;

/** Events that have no number yet. @type {{type: string, now: number, fields: string}[]} */
const pending = [];

pen.onGranted(() => number());

const newId = () => uuid7(Date.now(), crypto.getRandomValues(new Uint32Array(3)));

/** Gives the tracker its core, once. `name` is told to the edge, `resumed` is called when consent comes back to a page
 *  that had none.
 *  @param {new () => CoreCalls} Core
 *  @param {string} name
 *  @param {() => void} resumed */
export const begin = (Core, name, resumed) => {
  if (core) return;
  core = new Core();
  delivery.beginDelivery(core, { name, version: VERSION });
  onConsent = resumed;
  applyConsent();
  numberPending();
};

const applyConsent = () => {
  if (!core) return;
  const before = mode;
  mode = modeBy(core);
  if (mode === before) return;
  delivery.deliverIn(mode);
  isVisitorStored = false;
  if (mode === FULL) pen.enter();
  else {
    pen.leave();
    forget();
    forgetSession();
    visitor = undefined;
  }
  if (before === OFF) onConsent();
};

/** The visitor chose.
 *  @param {{analytics?: unknown, ads?: unknown}} said */
export const consent = (said) => {
  choose(said);
  applyConsent();
};

/** The visitor may have chosen in another page, or a choice may have come to its end. */
export const consentElsewhere = () => {
  readChoice();
  applyConsent();
};

/** Sets (or with null takes away) the shop's own id of a visitor who is signed in. It holds until the page goes.
 *  @param {{user_id?: unknown}} fields */
export const identify = ({ user_id }) => {
  userId = user_id ?? undefined;
};

/** Queues an event. `page` are the fields of the page it happens on, `fields` those of the event.
 *  @param {string} type
 *  @param {Fields} page
 *  @param {Fields} [fields] */
export const track = (type, page, fields = {}) => {
  if (mode === OFF) return;
  pending.push({
    type,
    now: Date.now(),
    fields: eventFields(type, { user_id: userId }, page, fields),
  });
  numberPending();
};

const numberPending = () => {
  if (core && pending.length && (mode !== FULL || pen.mayNumber())) number();
};

/** Gives the pending events their numbers, with the pen where there is one. */
const number = () => {
  const theCore = core;
  if (!theCore) return;
  if (mode === FULL && !isVisitorStored) {
    visitor = storedVisitor(visitor ?? newId());
    isVisitorStored = true;
    guard(delivery.takeOver)();
  }
  for (const { type, now, fields } of pending.splice(0)) {
    if (mode === OFF) continue;
    visitor ??= newId();
    const event_id = newId();
    const place = nextPlace(theCore, now, mode === FULL, newId);
    const head = {
      event_id,
      event_timestamp: now,
      seq: place.seq,
      consent: consentWords(theCore),
      anonymous_id: visitor,
      session_id: place.session_id,
    };
    delivery.enqueue(type, event_id, complete(head, fields));
  }
};

/** Now and then: looks for what other pages left behind. */
export const lookAround = () => {
  if (mode === FULL && pen.mayNumber()) guard(delivery.takeOver)();
};

/** The page goes out of sight, perhaps for good: what has no number yet gets it now, whoever has the pen. */
export const flush = () => {
  keepChoice();
  number();
  if (core) delivery.flush();
};

/** The page goes: into the back/forward cache, or for good. */
export const leave = () => pen.leave();

/** The page is back from the back/forward cache. */
export const resume = () => {
  consentElsewhere();
  if (!core) return;
  if (mode === FULL) pen.enter();
  delivery.rewind();
};

export const online = () => core && delivery.online();
