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

export class Core {
  constructor() {
    /** @type {QueuedEvent[]} */
    this.events = [];
    this.requestEvents = REQUEST_EVENTS;
    this.lastEvent = 0;
    this.lastRequest = 0;
    this.failed = 0;
    this.notBefore = 0;
  }

  /**
   * @param {boolean} globalPrivacyControl
   * @param {number} said
   */
  answer(globalPrivacyControl, said) {
    return globalPrivacyControl ? DENIED : said;
  }

  /**
   * @param {number} unasked
   * @param {number} refused
   * @param {number} analytics
   */
  consent(unasked, refused, analytics) {
    let mode = unasked;
    if (analytics === GRANTED) mode = 2;
    else if (analytics) mode = refused === 1 ? 1 : 0;
    if (!mode) this.events = [];
    return mode;
  }

  /**
   * @param {number} seq
   * @param {number} last
   * @param {number} now
   */
  session(seq, last, now) {
    const goesOn = Math.abs(now - last) < IDLE_MS && seq >= 1 && seq < Number.MAX_SAFE_INTEGER;
    return goesOn ? seq + 1 : 1;
  }

  /**
   * @param {number} bytes
   * @param {number} rank
   * @param {number} since
   */
  add(bytes, rank, since) {
    this.lastEvent++;
    this.events.push({ number: this.lastEvent, bytes, rank, since, request: 0 });
    return this.lastEvent;
  }

  waiting() {
    return this.events.filter(({ request }) => !request);
  }

  overflow() {
    if (total(this.events) <= QUEUE_BYTES) return 0;
    const ranks = this.waiting().map(({ rank }) => rank);
    const least = this.waiting().find(({ rank }) => rank === Math.min(...ranks));
    if (!least) return 0;
    this.events = this.events.filter((event) => event !== least);
    return least.number;
  }

  /** @param {number} clock */
  wait(clock) {
    const [next] = this.events;
    if (!next || this.waiting().length < this.events.length) return -1;
    const isFull = this.events.length >= this.requestEvents || total(this.events) >= REQUEST_BYTES;
    const due = next.since + (isFull ? 0 : LINGER_MS);
    return Math.max(Math.max(due, this.notBefore) - clock, 0);
  }

  /** @param {number} clock */
  take(clock) {
    if (this.wait(clock)) return 0;
    return this.fill(Math.max(this.events[0].bytes, REQUEST_BYTES));
  }

  /**
   * @param {number} clock
   * @param {boolean} stored
   */
  take_leaving(clock, stored) {
    if (stored && clock < this.notBefore) return 0;
    const inFlight = this.events.filter(({ request }) => request);
    const envelopes = 1 + new Set(inFlight.map(({ request }) => request)).size;
    const room = KEEPALIVE_BYTES - total(inFlight) - envelopes * ENVELOPE_BYTES;
    return this.fill(Math.min(room, REQUEST_BYTES));
  }

  /** @param {number} room */
  fill(room) {
    const request = this.lastRequest + 1;
    let events = 0;
    for (const event of this.waiting()) {
      if (events === this.requestEvents) break;
      if (event.bytes > room) continue;
      room -= event.bytes;
      event.request = request;
      events++;
    }
    if (!events) return 0;
    this.lastRequest = request;
    return request;
  }

  /**
   * @param {number} ofRequest
   * @param {number} after
   */
  member(ofRequest, after) {
    const isNext = (/** @type {QueuedEvent} */ { request, number }) =>
      request === ofRequest && number > after;
    return this.events.find(isNext)?.number ?? 0;
  }

  /**
   * @param {number} request
   * @param {number} status
   * @param {boolean} isEdges
   * @param {number} retryAfter
   * @param {number} clock
   * @param {number} random
   */
  settle(request, status, isEdges, retryAfter, clock, random) {
    const members = this.events.filter((event) => event.request === request);
    const isDone = isEdges && ((status > 199 && status < 300) || status === 400);
    const isTooLarge = status === 413;
    if (isDone || isTooLarge) {
      this.failed = 0;
      this.notBefore = 0;
    } else {
      const isStranger = status === 401 || status === 403;
      const wish = isStranger
        ? STRANGER_MS
        : Math.min(Math.max(retryAfter, 0) * 1e3, LONGEST_RETRY_AFTER_MS);
      const bound = 1e3 * 2 ** Math.min(this.failed, 6);
      this.failed++;
      this.notBefore = clock + wish + random * Math.max(bound, wish);
    }
    if (isDone || (isTooLarge && members.length < 2)) {
      this.events = this.events.filter((event) => event.request !== request);
      return true;
    }
    if (isTooLarge) this.requestEvents = members.length >> 1;
    for (const event of members) event.request = 0;
    return false;
  }

  failures() {
    return this.failed;
  }

  not_before() {
    return this.notBefore;
  }

  /**
   * @param {number} failures
   * @param {number} wait
   * @param {number} clock
   */
  back_off(failures, wait, clock) {
    this.failed = failures;
    this.notBefore = clock + Math.min(Math.max(wait, 0), 2 * LONGEST_RETRY_AFTER_MS);
  }

  /**
   * @param {number} clock
   * @param {number} random
   */
  online(clock, random) {
    this.notBefore = Math.min(this.notBefore, clock + random * 2e3);
  }

  rewind() {
    for (const event of this.events) event.request = 0;
  }
}
