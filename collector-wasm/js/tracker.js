// From a call to a numbered event: gives the core to the parts, and waits for what a number needs.

import { FULL, OFF, choose, consentWords, keepChoice, modeBy, readChoice } from "./consent.js";
import * as delivery from "./delivery.js";
import { complete, eventFields, uuid7 } from "./envelope.js";
import { guard } from "./guard.js";
import * as pen from "./pen.js";
import { forgetSession, keepSession, nextPlace, readSession, storedVisitor } from "./session.js";
import { forget } from "./store.js";
import { COOKIE_DOMAIN } from "./tag.js";

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

/** Events that have no number yet: type, time, customer and fields. @type {[string, number, unknown, string][]} */
const pending = [];

/** They get it when the page's script, which may call for more of them, is through. */
let isDue = false;

pen.onGranted(() => number());

/** Random numbers for many ids: asking for them costs more than making an id. */
const random = new Uint32Array(96);
let used = random.length;

const newId = () => {
  if (used === random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  return uuid7(Date.now(), random.subarray(used, (used += 3)));
};

/** Gives the tracker its core, once. `name` is told to the edge, `resumed` is called when consent comes back to a page
 *  that had none.
 *  @param {() => CoreCalls} createCore
 *  @param {string} name
 *  @param {() => void} resumed */
export const begin = (createCore, name, resumed) => {
  if (core) return;
  core = createCore();
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

/** The visitor chose. What happened before says what was chosen before.
 *  @param {{analytics?: unknown, ads?: unknown}} said */
export const consent = (said) => {
  numberPending();
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
  const { user_id } = { user_id: userId, ...fields };
  pending.push([type, Date.now(), user_id, eventFields(type, page, fields)]);
  if (!isDue) queueMicrotask(guard(numberPending));
  isDue = true;
};

const numberPending = () => {
  isDue = false;
  if (core && pending.length && (mode !== FULL || pen.mayNumber())) number();
};

/** Gives the pending events their numbers, with the pen where there is one. */
const number = () => {
  // Of a choice on another host no event tells.
  if (COOKIE_DOMAIN) consentElsewhere();
  const theCore = core;
  if (!theCore) return;
  const isStored = mode === FULL;
  if (isStored && !isVisitorStored) {
    visitor = storedVisitor(visitor ?? newId());
    isVisitorStored = true;
    guard(delivery.takeOver)();
  }
  const given = pending.splice(0);
  if (!given.length || mode === OFF) return;
  if (isStored) readSession();
  /** @type {[string, string, string][]} */
  const events = given.map(([type, now, user_id, fields]) => {
    visitor ??= newId();
    const event_id = newId();
    const head = {
      event_id,
      event_timestamp: now,
      consent: consentWords(theCore),
      anonymous_id: visitor,
      ...nextPlace(theCore, now, newId),
      // A customer's number would tell one cookieless page from another.
      user_id: isStored ? user_id : undefined,
    };
    return [type, event_id, complete(head, fields)];
  });
  if (isStored) keepSession();
  delivery.enqueue(events);
};

/** Now and then: looks for what other pages left behind. */
export const lookAround = () => {
  if (mode === FULL && pen.mayNumber()) guard(delivery.takeOver)();
};

/** The page goes out of sight, perhaps for good: what has no number yet gets it now, whoever has the pen. */
export const flush = () => {
  number();
  keepChoice();
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
