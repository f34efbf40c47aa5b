// The core without WASM, for pages whose Content-Security-Policy forbids it and for the time before the module is up.
// It decides what `src/tracker.rs` decides, call for call; the reasons stand there. `vectors/core.json` holds the two
// together.

const IDLE_MS = 18e5;
const BATCH_EVENTS = 20;
const BATCH_BYTES = 5e4;
const LINGER_MS = 500;
const KEEPALIVE_BYTES = 6e4;
const ENVELOPE_BYTES = 1e3;
const QUEUE_BYTES = 1e6;

const hex = (value, digits) => value.toString(16).padStart(digits, "0");

const bytes = (text) => new TextEncoder().encode(text).length;

const fly = (batch) => {
  if (!batch) return 0;
  batch.inFlight = true;
  return batch.number;
};

// The members of a JSON object, to follow those of another.
const members = (object) => {
  const inside = /^\{(.*)\}$/s.exec(object)?.[1];
  return inside ? "," + inside : "";
};

export class Core {
  constructor() {
    this.batches = [];
    this.lastNumber = this.failures = this.notBefore = 0;
  }

  consent(setting, globalPrivacyControl, choice) {
    this.mode = choice < 0 ? Math.min(setting, globalPrivacyControl ? 1 : 2) : (choice & 1) * 2;
    this.ads = choice === 3 && !globalPrivacyControl;
    if (!this.mode) this.batches = [];
    return this.mode;
  }

  id(now, a, b, c) {
    const time = hex(now, 12);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(a & 0xfff, 3)}-${hex(0x8000 | (b & 0x3fff), 4)}-${hex(b >>> 16, 4)}${hex(c, 8)}`;
  }

  session(seq, last, now) {
    const goesOn = Math.abs(now - last) < IDLE_MS && seq >= 1 && seq < Number.MAX_SAFE_INTEGER;
    return (this.seq = goesOn ? seq + 1 : 1);
  }

  event(fields, now, clock, a, b, c) {
    const event = `{"event_id":"${this.id(now, a, b, c)}","event_timestamp":${now},"seq":${this.seq},"consent":{"analytics":${this.mode === 2},"ads":${this.ads}}${members(fields)}}`;
    const size = bytes(event);
    const open = this.batches.at(-1);
    if (
      !open ||
      open.inFlight ||
      open.count === BATCH_EVENTS ||
      open.size + 1 + size > BATCH_BYTES
    ) {
      return this.push(event, size, 1, clock);
    }
    open.events += "," + event;
    open.size += 1 + size;
    open.count++;
    return open.number;
  }

  adopt(events, clock) {
    return this.push(events, bytes(events), BATCH_EVENTS, clock);
  }

  push(events, size, count, since) {
    const number = ++this.lastNumber;
    this.batches.push({ number, events, size, count, since });
    return number;
  }

  find(number) {
    return this.batches.find((batch) => batch.number === number);
  }

  events(number) {
    return this.find(number)?.events ?? "";
  }

  remove(number) {
    this.batches = this.batches.filter((batch) => batch.number !== number);
  }

  overflow() {
    const total = this.batches.reduce((sum, { size }) => sum + size, 0);
    const oldest = total > QUEUE_BYTES && this.batches.find((batch) => !batch.inFlight);
    if (!oldest) return 0;
    this.remove(oldest.number);
    return oldest.number;
  }

  wait(clock) {
    const [next] = this.batches;
    if (!next || this.batches.some((batch) => batch.inFlight)) return -1;
    const due = next.since + (next.count < BATCH_EVENTS ? LINGER_MS : 0);
    return Math.max(Math.max(due, this.notBefore) - clock, 0);
  }

  take(clock) {
    return this.wait(clock) === 0 ? fly(this.batches[0]) : 0;
  }

  take_leaving(clock) {
    if (clock < this.notBefore) return 0;
    let room = KEEPALIVE_BYTES - ENVELOPE_BYTES;
    for (const { inFlight, size } of this.batches) if (inFlight) room -= size + ENVELOPE_BYTES;
    return fly(this.batches.find(({ inFlight, size }) => !inFlight && size <= room));
  }

  body(number, now, head) {
    return `{"sent_at":${now}${members(head)},"events":[${this.events(number)}]}`;
  }

  settle(number, status, retryAfter, clock, random) {
    const done = (status > 199 && status < 300) || status === 400;
    if (done || [401, 403, 413].includes(status)) {
      this.failures = this.notBefore = 0;
      this.remove(number);
      return done ? 1 : 2;
    }
    const wish = Math.min(Math.max(retryAfter, 0) * 1e3, 36e5);
    this.notBefore = clock + wish + random * 1e3 * 2 ** Math.min(this.failures++, 6);
    const batch = this.find(number);
    if (batch) batch.inFlight = false;
    return 0;
  }

  online(clock, random) {
    this.notBefore = Math.min(this.notBefore, clock + random * 2e3);
  }

  rewind() {
    for (const batch of this.batches) batch.inFlight = false;
  }
}
