// Who it is, and the number of each event in the session.

import { SESSION, VISITOR, cookie, get, set, setCookie } from "./store.js";

const VISITOR_SECONDS = 395 * 86400; // 13 months, counted from the first visit

/** The session as this page knows it, and for as long as the page lives where nothing is stored. */
let session = "";

/** The visitor's stored id, or else `ownId`, which is stored then.
 *  @param {string} ownId */
export const storedVisitor = (ownId) => {
  const stored = cookie(VISITOR);
  if (stored && stored.length <= 64) return stored;
  // A visitor who is new to the store does not go on with the session of another one.
  setCookie(VISITOR, ownId, VISITOR_SECONDS);
  set(SESSION, session);
  return ownId;
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
