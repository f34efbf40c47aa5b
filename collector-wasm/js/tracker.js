// The shell around the core: gives it clock, randomness and storage, and sends what it says.

import { guard, warn } from "./guard.js";
import * as store from "./store.js";
import { SETTING, WRITE_KEY, beside } from "./tag.js";

const SEND_TIMEOUT_MS = 2e4;

/** How long after a click on a link to a page of the shop this page is expected to go. */
const LEAVING_MS = 3e3;

/** What a shop's call cannot say about an event. */
const OWN_FIELDS = Object.fromEntries(
  ["event_id", "event_timestamp", "seq", "anonymous_id", "session_id", "consent"].map((name) => [
    name,
    undefined,
  ]),
);

const OFF = 0;
const FULL = 2;

let core;
let tracker;
let mode;
let anonymousId;
let userId;
let choice = store.readChoice();
let timer;
let leavingUntil = 0;
let onConsent;
const untilReady = [];

const clock = () => performance.now();
const random = () => crypto.getRandomValues(new Uint32Array(3));
const newId = () => core.id(Date.now(), ...random());

const whenReady = (work) => {
  if (core) work();
  else untilReady.push(work);
};

/** Gives the tracker its core, once. `name` is told to the edge, `resumed` is called when consent comes back to a page
 *  that had none. */
export const begin = (Core, name, resumed) => {
  if (core) return;
  core = new Core();
  tracker = { name, version: VERSION };
  onConsent = resumed;
  applyConsent();
  for (const work of untilReady.splice(0)) guard(work)();
};

const applyConsent = () => {
  const before = mode;
  mode = core.consent(SETTING, navigator.globalPrivacyControl === true, choice);
  if (mode === before) return;
  if (mode !== FULL) store.forget();
  if (mode === OFF) {
    anonymousId = undefined;
    return;
  }
  const ownId = () => anonymousId ?? newId();
  if (mode === FULL) {
    anonymousId = store.allow(ownId);
    takeOver();
  } else {
    anonymousId = ownId();
  }
  if (before === OFF) onConsent();
};

const choose = (newChoice) => {
  choice = newChoice;
  if (core) applyConsent();
};

/** The visitor chose: analytics and ads, yes or no. What is not said is a no. */
export const consent = ({ analytics, ads } = {}) => {
  choose((analytics === true) + 2 * (ads === true));
  store.writeChoice(choice);
};

/** The visitor chose in another tab. */
export const consentElsewhere = () => choose(store.readChoice());

/** Sets (or with null takes away) the shop's own id of a visitor who is signed in. It holds until the page goes. */
export const identify = ({ user_id } = {}) => (userId = user_id ?? undefined);

/** Queues an event. `page` are the fields of the page it happens on, `fields` those of the event. */
export const track = (type, page, fields) => {
  const now = Date.now();
  const event = JSON.stringify({
    user_id: userId,
    ...page,
    ...fields,
    ...OWN_FIELDS,
    event_type: type,
  });
  whenReady(() => {
    if (mode === OFF) return;
    forgetTakenOver();
    const ids = `{"anonymous_id":"${anonymousId}","session_id":"${nextSession(now)}",`;
    const batch = core.event(ids + event.slice(1), now, clock(), ...random());
    store.keepBatch(batch, core.events(batch));
    forgetOverflow();
    schedule();
  });
};

const nextSession = (now) => {
  const [, stored, seq, last] = /^([\w-]{1,64})\.(\d+)\.(\d+)$/.exec(store.readSession()) ?? [];
  const next = core.session(+seq, +last, now);
  const id = next > 1 ? stored : newId();
  store.writeSession(`${id}.${next}.${now}`);
  return id;
};

const forgetTakenOver = () => store.takenOver().forEach((batch) => core.remove(batch));

const forgetOverflow = () => {
  for (let batch; (batch = core.overflow());) {
    warn("too much is unsent, events are lost");
    store.dropBatch(batch);
  }
};

const takeOver = () => {
  store.takeOver((events) => core.adopt(events, clock()));
  forgetOverflow();
  schedule();
};

/** Now and then: looks for what other tabs left behind. */
export const lookAround = () => whenReady(() => mode === FULL && takeOver());

const schedule = () => {
  clearTimeout(timer);
  const wait = core.wait(clock());
  if (wait >= 0 && navigator.onLine) timer = setTimeout(guard(sendNext), wait);
};

const sendNext = () => {
  forgetTakenOver();
  const batch = core.take(clock());
  if (batch) return send(batch, false);
  schedule();
};

const send = async (batch, keepalive) => {
  let status = 0;
  let retryAfter = 0;
  try {
    const reply = await fetch(beside("b"), {
      method: "POST",
      body: core.body(batch, Date.now(), head()),
      credentials: "omit",
      keepalive,
      signal: AbortSignal.timeout?.(SEND_TIMEOUT_MS),
    });
    // The browser's allowance for keepalive is held until the reply is read.
    const text = await reply.text();
    status = reply.status;
    retryAfter = +reply.headers.get("Retry-After") || 0;
    if (status !== 202) warn(status, text);
  } catch (error) {
    warn(error);
  }
  if (core.settle(batch, status, retryAfter, clock(), Math.random())) store.dropBatch(batch);
  schedule();
};

const head = () =>
  JSON.stringify({
    write_key: WRITE_KEY,
    tracker,
    context: {
      language: navigator.language,
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      screen_width: screen.width,
      screen_height: screen.height,
      viewport_width: innerWidth,
      viewport_height: innerHeight,
    },
  });

/** A link to another page of the shop was followed: that page will send what is kept, so that this one need not, and
 *  nothing is sent twice. */
export const leavingInside = () => (leavingUntil = clock() + LEAVING_MS);

/** The page goes out of sight, perhaps for good: what is unsent goes now. */
export const flush = () =>
  whenReady(() => {
    forgetTakenOver();
    if (store.keepsAll() && clock() < leavingUntil) return;
    for (let batch; navigator.onLine && (batch = core.take_leaving(clock()));)
      guard(send)(batch, true);
  });

/** The page is back from the back/forward cache. */
export const resume = () =>
  whenReady(() => {
    leavingUntil = 0;
    forgetTakenOver();
    core.rewind();
    schedule();
  });

export const online = () =>
  whenReady(() => {
    core.online(clock(), Math.random());
    schedule();
  });
