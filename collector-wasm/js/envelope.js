// The texts: ids, events and the body of a request. What the shop gives goes through as it is, but for what JSON cannot
// carry.

/** What comes first in an event's text, and what a shop's call cannot say about it. The customer is among them because
 *  consent decides about that. */
const OWN_FIELDS = {
  event_id: undefined,
  event_timestamp: undefined,
  seq: undefined,
  anonymous_id: undefined,
  session_id: undefined,
  consent: undefined,
  user_id: undefined,
};

/** @param {number} value
 *  @param {number} digits */
const hex = (value, digits) => value.toString(16).padStart(digits, "0");

/** A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since the epoch, then random bits.
 *  @param {number} now
 *  @param {Iterable<number>} random three times 32 bits */
export const uuid7 = (now, random) => {
  const time = hex(now, 12);
  const [a, b, c] = random;
  return [
    time.slice(0, 8),
    time.slice(8),
    7 + hex(a & 0xfff, 3),
    hex(0x8000 | (b & 0x3fff), 4),
    hex(b >>> 16, 4) + hex(c, 8),
  ].join("-");
};

/** JSON in spite of old libraries, which give arrays a `toJSON` that writes them as texts, and of halves of emoji, which
 *  no JSON reader takes.
 *  @param {object} value */
export const json = (value) => {
  const prototype = /** @type {any} */ (Array.prototype);
  const { toJSON } = prototype;
  delete prototype.toJSON;
  try {
    // An escaped backslash is passed over in one piece, so that the text `\ud800` stays what it is.
    return JSON.stringify(value).replace(/\\\\|\\ud[89a-f]../g, (found) =>
      found === "\\\\" ? found : "\ufffd",
    );
  } finally {
    if (toJSON) prototype.toJSON = toJSON;
  }
};

/** The fields of an event that are known when it happens. It gets the others by `complete`.
 *  @param {string} type
 *  @param {Fields[]} fields */
export const eventFields = (type, ...fields) =>
  json(Object.assign({}, ...fields, OWN_FIELDS, { event_type: type }));

/** The whole event.
 *  @param {Fields} head
 *  @param {string} fields */
export const complete = (head, fields) => json(head).slice(0, -1) + "," + fields.slice(1);

/** The body of a request.
 *  @param {Fields} head
 *  @param {string[]} events */
export const body = (head, events) => json(head).slice(0, -1) + `,"events":[${events}]}`;

const MOST = /^(purchase|refund)$/;
const LEAST = /^(click|error|form_start|page_ping|scroll|web_vital)$/;

/** What an event of this type is worth when there is no room for all: 0, 1 or 2.
 *  @param {string} type */
export const rankOf = (type) => (MOST.test(type) ? 2 : LEAST.test(type) ? 0 : 1);
