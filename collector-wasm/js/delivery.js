// Unsent events: kept, sent, kept again. The core says which go when; here are their texts.

import { FULL } from "./consent.js";
import { body, rankOf } from "./envelope.js";
import { attempt, guard, on, warn } from "./guard.js";
import { PAGE, isAmong, living } from "./pen.js";
import { RETRY, forget, get, keep, placeOf, places, readPlace, set, unset } from "./store.js";
import { COOKIE_DOMAIN, WRITE_KEY, beside } from "./tag.js";

const SEND_TIMEOUT_MS = 2e4;

/** Most bytes of a request that outlives its page. */
const KEEPALIVE_BYTES = 6e4;

/** Where no page can tell which others live: what is older belongs to nobody. */
const ORPHAN_MS = 6e4;

/** No edge takes an event that is older. */
const OLDEST_MS = 7 * 864e5;

/** Most characters of events that the shop's pages keep together: a fifth of what browsers store for a site. */
const STORE_LENGTH = 1e6;

/** While another page asks a failing edge: when to look again. */
const OTHERS_TURN_MS = 2e3;

/** @type {CoreCalls} */
let core;
/** @type {Fields} */
let tracker;
let mode = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** When it fires, or infinity. */
let firesAt = Infinity;

/** The size of the page's window. Asked for at any other time than right after a layout, some browsers lay the page out at
 *  once, which may cost more than all else the tracker does. @type {Fields} */
let viewport = {};

new ResizeObserver(
  guard(() => {
    viewport = { viewport_width: innerWidth, viewport_height: innerHeight };
  }),
).observe(document.documentElement);

/** The texts of the events in the core's queue, and where they are stored (nowhere: an empty text).
 *  @type {Map<number, {text: string, place: string}>} */
const unsent = new Map();

export const clock = () => performance.now();

const encoder = new TextEncoder();

/** @param {string} text */
const bytes = (text) => encoder.encode(text).length;

/** @param {CoreCalls} theCore
 *  @param {Fields} theTracker */
export const beginDelivery = (theCore, theTracker) => {
  core = theCore;
  tracker = theTracker;
};

/** The mode changed. What is unsent is stored with full consent, and gone when nothing may be sent.
 *  @param {number} newMode */
export const deliverIn = (newMode) => {
  mode = newMode;
  if (!mode) unsent.clear();
};

/** Queues events and keeps them: of each its type, id and text.
 *  @param {[string, string, string][]} events */
export const enqueue = (events) => {
  for (const [type, id, text] of events) {
    const rank = rankOf(type);
    const place = placeOf(rank, PAGE, id);
    unsent.set(core.add(bytes(text), rank, clock()), { text, place });
    if (mode === FULL) keep(place, text);
  }
  afterAdding();
};

const afterAdding = () => {
  for (let event; (event = core.overflow());) {
    warn("queue full");
    drop(event);
  }
  schedule();
};

/** @param {number} event */
const drop = (event) => {
  const place = unsent.get(event)?.place;
  if (place && mode === FULL) unset(place);
  unsent.delete(event);
};

/** An event was pushed out of the store by others: it stays in this page's memory alone.
 *  @param {string | null} from */
const pushedOut = (from) => {
  for (const event of unsent.values()) if (event.place === from) event.place = "";
};

// Another page removed it. What clears the whole store names no place.
on(window, "storage", ({ key, newValue }) => newValue ?? pushedOut(key));

/** Takes over what pages that are gone have left, and removes from the store what is too much in it. This page must have the
 *  pen, or else two take the same. */
export const takeOver = async () => {
  const names = await living();
  if (mode !== FULL) return;
  const own = new Set([...unsent.values()].map(({ place }) => place));
  const now = Date.now();
  let room = STORE_LENGTH;
  // What is worth the most comes first, of these the latest.
  for (const from of places().reverse()) {
    const { rank, owner, id, time } = readPlace(from);
    const text = get(from) ?? "";
    room -= text.length;
    const isKept = room > 0 && now - time < OLDEST_MS;
    if (isKept) {
      const lives = names ? isAmong(names, owner) : now - time < ORPHAN_MS;
      if (own.has(from) || lives) continue;
      const to = placeOf(rank, PAGE, id);
      // In a full store the old place stays the only one.
      const moved = set(to, text);
      unsent.set(core.add(bytes(text), rank, 0), { text, place: moved ? to : from });
      if (!moved) continue;
    }
    unset(from);
    pushedOut(from);
  }
  afterAdding();
};

/** A shop may clear its whole store: what is unsent is stored again. */
export const keepAll = () => {
  if (mode !== FULL) return;
  for (const { place, text } of unsent.values()) {
    if (place && get(place) === null) keep(place, text);
  }
};

/** Whether other pages know what this one knows of a failing edge. */
let isShared = true;

/** What the shop's pages know together of a failing edge: failures in a row, and when to ask again. */
const readBackOff = () => {
  if (mode !== FULL || !isShared) return;
  const [failures, until] = (get(RETRY) ?? "").split(".").map(Number);
  if (failures > 0 && until > 0) core.back_off(failures, until - Date.now(), clock());
  else if (core.failures()) core.back_off(0, 0, clock());
};

const writeBackOff = () => {
  if (mode !== FULL) return;
  const until = Math.round(Date.now() + core.not_before() - clock());
  isShared = true;
  if (core.failures()) isShared = Boolean(set(RETRY, `${core.failures()}.${until}`));
  else unset(RETRY);
};

/** @param {number} wait */
const sendIn = (wait) => {
  clearTimeout(timer);
  firesAt = clock() + wait;
  timer = setTimeout(guard(sendNext), wait);
};

export const schedule = () => {
  const wait = core.wait(clock());
  // A timer that fires too early looks again, which costs less than a new one for each event.
  if (wait >= 0 && clock() + wait < firesAt) sendIn(wait);
};

const sendNext = () => {
  firesAt = Infinity;
  readBackOff();
  const { locks } = navigator;
  if (mode !== FULL || !core.failures() || !locks) return sendNow();
  // One page at a time asks a failing edge.
  return locks.request("shoptrail.send", { ifAvailable: true }, (lock) =>
    lock ? sendNow() : sendIn(OTHERS_TURN_MS),
  );
};

const sendNow = async () => {
  const request = core.take(clock());
  if (request) await send(request);
  else schedule();
};

/** @param {number} request */
const membersOf = (request) => {
  const members = [];
  for (let event = 0; (event = core.member(request, event));) members.push(event);
  return members;
};

/** @param {number} request */
const send = async (request) => {
  const texts = membersOf(request).map((event) => unsent.get(event)?.text ?? "");
  // With cookies, the edge's is kept.
  const withCookies = COOKIE_DOMAIN && mode === FULL;
  const { status, isEdges, retryAfter } = await post(body(head(), texts), withCookies);
  // Consent went while the answer was on its way: it may have brought the cookie back.
  if (withCookies && mode !== FULL) forget();
  // Those it is about now: a page that came back meanwhile sends them in another request.
  const members = membersOf(request);
  if (core.settle(request, status, isEdges, retryAfter, clock(), Math.random())) {
    members.forEach(drop);
  }
  writeBackOff();
  schedule();
};

/** Sends a body and reads the answer. The request outlives the page, where browsers let it.
 *  @param {string} text
 *  @param {unknown} withCookies */
const post = async (text, withCookies) => {
  const aborter = new AbortController();
  const timeout = setTimeout(() => aborter.abort(), SEND_TIMEOUT_MS);
  try {
    const reply = await fetch(beside("b"), {
      method: "POST",
      body: text,
      credentials: withCookies ? "include" : "omit",
      keepalive: bytes(text) < KEEPALIVE_BYTES,
      signal: aborter.signal,
    });
    // The browser's allowance for keepalive is held until the reply is read.
    const said = await reply.text();
    const { status } = reply;
    // A wrong key or origin is a mistake in the page, which whoever made it looks for on the console.
    if (status === 401 || status === 403) console.error(`shoptrail: ${said}`);
    return {
      status,
      isEdges: isVerdict(said),
      retryAfter: Number(reply.headers.get("Retry-After")) || 0,
    };
  } catch (error) {
    warn(error);
    return { status: 0, isEdges: false, retryAfter: 0 };
  } finally {
    clearTimeout(timeout);
  }
};

/** Anything between here and the edge can answer with a page of its own; only the edge speaks of events.
 *  @param {string} text */
const isVerdict = (text) => {
  const { events, error } = attempt(() => JSON.parse(text)) ?? {};
  return Boolean(events || error?.code);
};

const head = () => ({
  sent_at: Date.now(),
  write_key: WRITE_KEY,
  tracker,
  context: {
    language: navigator.language,
    // `Intl` takes ten milliseconds and more for its first answer, and `Temporal`, where it is there, none.
    time_zone: attempt(
      () => window.Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    ),
    screen_width: screen.width,
    screen_height: screen.height,
    ...viewport,
  },
});

/** The page goes out of sight, perhaps for good: what is unsent goes now. */
export const flush = () => {
  keepAll();
  for (let request; (request = core.take_leaving(clock(), mode === FULL));) guard(send)(request);
};

/** The page is back from the back/forward cache, where answers get lost. */
export const rewind = () => {
  core.rewind();
  schedule();
};

export const online = () => {
  readBackOff();
  core.online(clock(), Math.random());
  if (core.failures()) writeBackOff();
  schedule();
};
