// The core without WASM, for pages whose Content-Security-Policy forbids it and for the time before the module is up.
// It decides what `src/tracker.rs` decides, call for call; the reasons stand there. `vectors/core.json` holds the two
// together.

const IDLE_MS = 18e5;
const REQUEST_EVENTS = 20;
const REQUEST_BYTES = 5e4;
const LINGER_MS = 500;
const KEEPALIVE_BYTES = 6e4;
const ENVELOPE_BYTES = 1e3;
const QUEUE_BYTES = 1e6;
const LONGEST_RETRY_AFTER_MS = 36e5;
const STRANGER_MS = 6e4;

const DENIED = 1;
const GRANTED = 2;

/** @param {{bytes: number}[]} events */
const total = (events) => events.reduce((sum, { bytes }) => sum + bytes, 0);

/** @typedef {{number: number, bytes: number, rank: number, since: number, request: number}} QueuedEvent */

/** @returns {CoreCalls} */
export const createCore = () => {
  /** @type {QueuedEvent[]} */
  let events = [];
  let requestEvents = REQUEST_EVENTS;
  let lastEvent = 0;
  let lastRequest = 0;
  let failures = 0;
  let notBefore = 0;

  const waiting = () => events.filter(({ request }) => !request);

  /** @param {number} clock */
  const wait = (clock) => {
    const [next] = events;
    if (!next || waiting().length < events.length) return -1;
    const isFull = events.length >= requestEvents || total(events) >= REQUEST_BYTES;
    const due = next.since + (isFull ? 0 : LINGER_MS);
    return Math.max(Math.max(due, notBefore) - clock, 0);
  };

  /** @param {number} room */
  const fill = (room) => {
    const members = [];
    for (const event of waiting()) {
      if (members.length === requestEvents) break;
      if (event.bytes > room) continue;
      room -= event.bytes;
      members.push(event);
    }
    if (!members.length) return 0;
    lastRequest++;
    for (const event of members) event.request = lastRequest;
    return lastRequest;
  };

  return {
    answer: (globalPrivacyControl, said) => (globalPrivacyControl ? DENIED : said),

    consent(unasked, refused, analytics) {
      let mode = unasked;
      if (analytics === GRANTED) mode = 2;
      else if (analytics) mode = refused === 1 ? 1 : 0;
      if (!mode) events = [];
      return mode;
    },

    session(seq, last, now) {
      const goesOn = Math.abs(now - last) < IDLE_MS && seq >= 1 && seq < Number.MAX_SAFE_INTEGER;
      return goesOn ? seq + 1 : 1;
    },

    add(bytes, rank, since) {
      lastEvent++;
      events.push({ number: lastEvent, bytes, rank, since, request: 0 });
      return lastEvent;
    },

    overflow() {
      if (total(events) <= QUEUE_BYTES) return 0;
      const ranks = waiting().map(({ rank }) => rank);
      const least = waiting().find(({ rank }) => rank === Math.min(...ranks));
      if (!least) return 0;
      events = events.filter((event) => event !== least);
      return least.number;
    },

    wait,

    take: (clock) => (wait(clock) ? 0 : fill(Math.max(events[0].bytes, REQUEST_BYTES))),

    take_leaving(clock, stored) {
      if (stored && clock < notBefore) return 0;
      const inFlight = events.filter(({ request }) => request);
      const envelopes = 1 + new Set(inFlight.map(({ request }) => request)).size;
      const room = KEEPALIVE_BYTES - total(inFlight) - envelopes * ENVELOPE_BYTES;
      return fill(Math.min(room, REQUEST_BYTES));
    },

    member: (ofRequest, after) =>
      events.find(({ request, number }) => request === ofRequest && number > after)?.number ?? 0,

    settle(request, status, isEdges, retryAfter, clock, random) {
      const members = events.filter((event) => event.request === request);
      const isDone = isEdges && ((status > 199 && status < 300) || status === 400);
      const isTooLarge = status === 413;
      if (isDone || isTooLarge) {
        failures = 0;
        notBefore = 0;
      } else {
        const isStranger = status === 401 || status === 403;
        const wish = isStranger
          ? STRANGER_MS
          : Math.min(Math.max(retryAfter, 0) * 1e3, LONGEST_RETRY_AFTER_MS);
        const bound = 1e3 * 2 ** Math.min(failures, 6);
        failures++;
        notBefore = clock + wish + random * Math.max(bound, wish);
      }
      if (isDone || (isTooLarge && members.length < 2)) {
        events = events.filter((event) => event.request !== request);
        return true;
      }
      if (isTooLarge) requestEvents = members.length >> 1;
      for (const event of members) event.request = 0;
      return false;
    },

    failures: () => failures,

    not_before: () => notBefore,

    back_off(newFailures, pause, clock) {
      failures = newFailures;
      notBefore = clock + Math.min(Math.max(pause, 0), 2 * LONGEST_RETRY_AFTER_MS);
    },

    online(clock, random) {
      notBefore = Math.min(notBefore, clock + random * 2e3);
    },

    rewind() {
      for (const event of events) event.request = 0;
    },
  };
};
