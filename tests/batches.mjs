// Batches as a tracker sends them, for tests that need no browser.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

/** The pause before a batch that nothing durable took is sent again. */
const AGAIN_MS = 500;

/** Without it the edge would take us for the program that we are, and gold would leave us out. */
const BROWSER =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

/** A visitor whose events go straight to the edge. */
export class Sender {
  #seq = 0;
  #sent = new Map();

  constructor(stack) {
    this.stack = stack;
    this.anonymousId = randomBytes(12).toString("hex");
    this.sessionId = randomBytes(12).toString("hex");
  }

  get edge() {
    return new URL("b", `${this.stack.addresses.edge}/`);
  }

  get origin() {
    return new URL(this.stack.addresses.shop).origin;
  }

  /** The next event, valid as it is. */
  event(type = "page_view", fields = {}) {
    return {
      event_id: uuidV7(),
      event_type: type,
      event_timestamp: Date.now(),
      seq: ++this.#seq,
      anonymous_id: this.anonymousId,
      session_id: this.sessionId,
      page_url: `${this.origin}/`,
      consent: { analytics: "granted", ads: "denied" },
      ...fields,
    };
  }

  /** A purchase of one thing at this price. */
  purchase(priceMinor) {
    const price = priceMinor / 100;
    const items = [{ item_id: "beeswax-candle", item_name: "Beeswax candle", price, quantity: 1 }];
    return this.event("purchase", {
      transaction_id: `T-${randomBytes(8).toString("hex")}`,
      currency: "EUR",
      value: price,
      items,
    });
  }

  /** Posts events once; resolves to `{status, body}`. */
  async post(events, { writeKey = this.stack.addresses.write_key, origin = this.origin } = {}) {
    const tracker = { name: "shoptrail-test", version: "0.1.0" };
    const body = JSON.stringify({ write_key: writeKey, sent_at: Date.now(), tracker, events });
    const response = await fetch(this.edge, {
      method: "POST",
      headers: { origin, "content-type": "text/plain", "user-agent": BROWSER },
      body,
    });
    return { status: response.status, body: await response.json() };
  }

  /** Posts events as a tracker does: again while nothing durable took them. What was taken is remembered in `taken`. */
  async deliver(events) {
    for (;;) {
      const { status, body } = await this.post(events);
      if (status === 202) {
        for (const event of events) this.#sent.set(event.event_id, event);
        return;
      }
      if (status !== 503) throw new Error(`the edge answers ${status}: ${JSON.stringify(body)}`);
      await pause(AGAIN_MS);
    }
  }

  /** The events that the edge took. */
  get taken() {
    return [...this.#sent.values()];
  }
}

/** A time-ordered id (RFC 9562, version 7). */
function uuidV7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
