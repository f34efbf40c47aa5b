// Who it is, and the number of each event in the session.

import { SESSION, VISITOR, cookie, get, set, setCookie } from "./store.js";
import { COOKIE_DOMAIN } from "./tag.js";

const VISITOR_SECONDS = 395 * 86400; // 13 months, counted from the first visit

/** The session as this page knows it, and for as long as the page lives where nothing is stored. */
let session = "";

/** The id in the cookie, if the contract takes it. */
const readVisitor = () => /^[\w-]{1,64}$/.exec(cookie(VISITOR) ?? "")?.[0];

/** The visitor's stored id, or else `ownId`, which is stored then. A cookie that is right is not written again: Safari
 *  keeps one that a script wrote for seven days, and the edge's for as long as it says.
 *  @param {string} ownId */
export const storedVisitor = (ownId) => {
  const before = readVisitor();
  const id = before ?? ownId;
  // One of this host alone, from before there was a domain, would hide the one that all hosts have.
  if (COOKIE_DOMAIN) setCookie(VISITOR, "", 0);
  // A browser refuses a domain that this host is not in.
  for (const domain of [COOKIE_DOMAIN, undefined]) {
    if (!readVisitor()) setCookie(VISITOR, id, VISITOR_SECONDS, domain);
  }
  const stored = readVisitor() ?? id;
  // A visitor who is new to the store does not go on with the session of another one.
  if (stored !== before) set(SESSION, session);
  return stored;
};

/** Reads how far the shop's pages have come. */
export const readSession = () => {
  session = get(SESSION) || session;
};

export const keepSession = () => set(SESSION, session);

/** Takes the next place in the session: `{session_id, seq}`.
 *  @param {CoreCalls} core
 *  @param {number} now
 *  @param {() => string} newId */
export const nextPlace = (core, now, newId) => {
  const [, id, number, last] = /^([\w-]{1,64})\.(\d+)\.(\d+)$/.exec(session) ?? [];
  const seq = core.session(Number(number), Number(last), now);
  const session_id = seq > 1 ? id : newId();
  // An event that waited for its number is older than the last one.
  session = `${session_id}.${seq}.${seq > 1 ? Math.max(now, Number(last)) : now}`;
  return { session_id, seq };
};

export const forgetSession = () => {
  session = "";
};
