// What is kept in the browser, and only with full consent: the visitor's id in a first-party cookie (which the edge can
// set over HTTP as well), the session, unsent events and what is known of a failing edge in localStorage. Where the
// browser refuses, the page's memory has to do. Where hosts share cookies, the choice is in one too.

import { attempt } from "./guard.js";
import { CONSENT_DAYS, COOKIE_DOMAIN } from "./tag.js";

/** The visitor's id. */
export const VISITOR = "st_id";

/** The session, from one page that numbers events to the next. */
export const SLIP = "st_slip";

const CHOICE = "st_consent";

const PREFIX = "shoptrail.";
const EVENT = PREFIX + "event.";

/** The visitor's last choice. It is kept even when it is a no: how else would the next page know? */
export const CONSENT = PREFIX + "consent";

/** The session as it was written last, by any page of the shop. */
export const SESSION = PREFIX + "session";

/** What is known of a failing edge. */
export const RETRY = PREFIX + "retry";

/** @param {string} name */
export const get = (name) => attempt(() => localStorage.getItem(name));

/** @param {string} name
 *  @param {string} value */
export const set = (name, value) =>
  attempt(() => {
    localStorage.setItem(name, value);
    return true;
  });

/** @param {string} name */
export const unset = (name) => attempt(() => localStorage.removeItem(name));

/** @param {string} name
 *  @param {string} value
 *  @param {number} seconds
 *  @param {string} [domain] whose hosts all get it, not this one alone */
export const setCookie = (name, value, seconds, domain) =>
  attempt(() => {
    const secure = location.protocol === "https:" ? ";Secure" : "";
    const shared = domain ? `;Domain=${domain}` : "";
    document.cookie = `${name}=${value}${shared};Path=/;Max-Age=${seconds};SameSite=Lax${secure}`;
  });

/** @param {string} name */
export const cookie = (name) =>
  attempt(() => new RegExp(`(?:^|; )${name}=([^;]+)`).exec(document.cookie)?.[1]);

/** The last choice on this host, and the last one on any that shares cookies with it. */
export const storedChoices = () => [
  get(CONSENT) ?? "",
  (COOKIE_DOMAIN && attempt(() => decodeURIComponent(cookie(CHOICE) ?? ""))) || "",
];

/** @param {string} choice */
export const setChoice = (choice) => {
  set(CONSENT, choice);
  if (COOKIE_DOMAIN) {
    setCookie(CHOICE, encodeURIComponent(choice), CONSENT_DAYS * 86400, COOKIE_DOMAIN);
  }
};

/** Where an event is kept. The place says what it is worth, how old it is (by the id's time) and whose it is: in the order of
 *  texts, what is worth the least comes first, of these the oldest.
 *  @param {number} rank
 *  @param {string} owner
 *  @param {string} id */
export const placeOf = (rank, owner, id) => `${EVENT}${rank}.${id}.${owner}`;

/** The names in the store that begin like this, in the order of texts.
 *  @param {string} start */
const namesOf = (start) =>
  attempt(() =>
    Object.keys(localStorage)
      .filter((name) => name.startsWith(start))
      .sort(),
  ) ?? [];

/** The places of all pages' events, those of the least worth first, of these the oldest. */
export const places = () => namesOf(EVENT);

/** What a place says.
 *  @param {string} place */
export const readPlace = (place) => {
  const [, , rank, id = "", owner] = place.split(".");
  return { rank: Number(rank), owner, id, time: parseInt(id.replace("-", "").slice(0, 12), 16) };
};

/** Keeps an event so that it outlives the page. Where the store is full, events of less worth make room.
 *  @param {string} place
 *  @param {string} text */
export const keep = (place, text) => {
  if (set(place, text)) return;
  const { rank } = readPlace(place);
  for (const other of places()) {
    if (readPlace(other).rank >= rank) return;
    unset(other);
    if (set(place, text)) return;
  }
};

/** Removes everything but the choice. */
export const forget = () => {
  for (const domain of [undefined, COOKIE_DOMAIN]) {
    for (const name of [VISITOR, SLIP]) if (cookie(name)) setCookie(name, "", 0, domain);
  }
  for (const name of namesOf(PREFIX)) if (name !== CONSENT) unset(name);
};
