// What the visitor said, and what may be done by it.

import { attempt } from "./guard.js";
import { CONSENT, get, setChoice, storedChoices } from "./store.js";
import { CONSENT_DAYS, CONSENT_VERSION, COOKIE_DOMAIN, REFUSED, UNASKED } from "./tag.js";

export const OFF = 0;
export const FULL = 2;

/** As the contract says it, by the core's numbers. */
const WORDS = ["not_asked", "denied", "granted"];

const DAY_MS = 864e5;

/** A choice this far ahead was made by another clock, or is not the visitor's. */
const AHEAD_MS = 3e5;

/** @typedef {{analytics: number, ads: number}} Choice */

/** @type {Choice} */
let choice = { analytics: 0, ads: 0 };

/** As it stands in the store; empty when nothing was chosen. */
let stored = "";

/** What counts of what was said: Global Privacy Control is a no, whatever was chosen in this shop.
 *  @param {CoreCalls} core
 *  @param {number} said */
const counted = (core, said) => core.answer(navigator.globalPrivacyControl === true, said);

/** @param {unknown} word */
const numberOf = (word) => Math.max(WORDS.indexOf(/** @type {string} */ (word)), 0);

/** Reads the stored choice again: another page may have written it, or removed it by an end. Of two, the one that hosts
 *  share: it is written with each choice, and by no clock's time would a grant of one host come after a refusal on another.
 *  Only what a host had alone, from before there was a domain, is judged by its time. What was granted at a time to come
 *  counts for nothing: any host of the domain can write it. */
export const readChoice = () => {
  /** @type {any} */
  let said = {};
  stored = "";
  for (const text of storedChoices()) {
    const found = attempt(() => JSON.parse(text)) ?? {};
    const isAhead = found.time > Date.now() + AHEAD_MS && found.analytics !== "denied";
    const since = said.domain ? 0 : (said.time ?? 0);
    if (found.time > since && !isAhead) [stored, said] = [text, found];
  }
  const { time, version } = said;
  const holds = version === CONSENT_VERSION && time + CONSENT_DAYS * DAY_MS > Date.now();
  if (!holds) [stored, said] = ["", {}];
  choice = { analytics: numberOf(said.analytics), ads: numberOf(said.ads) };
};

/** A shop says yes, no, or the contract's word; what it does not say stays as it is.
 *  @param {unknown} said
 *  @param {number} before */
const answer = (said, before) => {
  if (said === undefined) return before;
  if (typeof said === "boolean") return said ? 2 : 1;
  const word = WORDS.indexOf(/** @type {string} */ (said));
  return word < 0 ? 1 : word;
};

/** @param {{analytics?: unknown, ads?: unknown}} said */
export const choose = ({ analytics, ads }) => {
  choice = { analytics: answer(analytics, choice.analytics), ads: answer(ads, choice.ads) };
  const kept = { time: Date.now(), version: CONSENT_VERSION, domain: COOKIE_DOMAIN };
  stored = JSON.stringify({ ...chosen(), ...kept });
  setChoice(stored);
};

/** A shop may clear its whole store, at logout for example: the choice is not the shop's to forget. And Safari deletes a
 *  script's cookie after seven days, unless it is written again. */
export const keepChoice = () => {
  if (stored && (COOKIE_DOMAIN || get(CONSENT) === null)) setChoice(stored);
};

/** What may be done now: 0 nothing, 1 send, 2 store too.
 *  @param {CoreCalls} core */
export const modeBy = (core) => core.consent(UNASKED, REFUSED, counted(core, choice.analytics));

/** What the visitor said, in the contract's words. */
export const chosen = () => ({ analytics: WORDS[choice.analytics], ads: WORDS[choice.ads] });

/** What an event says about consent.
 *  @param {CoreCalls} core */
export const consentWords = (core) => ({
  analytics: WORDS[counted(core, choice.analytics)],
  ads: WORDS[counted(core, choice.ads)],
});
