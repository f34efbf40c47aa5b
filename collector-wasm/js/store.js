// What is kept in the browser, and only with full consent: the visitor's id in a first-party cookie (which the edge can
// set over HTTP as well), the session and the unsent batches in localStorage. Without consent, or where the browser
// refuses, the same calls keep things for as long as the page lives.

const COOKIE = "st_id";
const COOKIE_SECONDS = 395 * 86400; // 13 months, counted from the first visit
const SESSION = "shoptrail.session";
const TAB = "shoptrail.tab";
const QUEUE = "shoptrail.queue.";

/** A batch that was begun longer ago belongs to nobody: its tab crashed, or cannot send. */
const ORPHAN_MS = 6e4;

/** The visitor's last choice. It is kept even when it is a no: how else would the next page know? */
export const CONSENT = "shoptrail.consent";

let allowed = false;
let refused = false;
let session = "";
let tab;

/** Where the batches of this page are kept, by their numbers. */
const places = new Map();

const attempt = (work) => {
  try {
    return work();
  } catch {
    // Storage is full, switched off or not there: the page's memory has to do.
  }
};

const get = (name) => attempt(() => localStorage.getItem(name));
const set = (name, value) =>
  attempt(() => {
    localStorage.setItem(name, value);
    return true;
  });
const unset = (name) => attempt(() => localStorage.removeItem(name));

const setCookie = (value, seconds) =>
  attempt(() => {
    const secure = location.protocol === "https:" ? ";Secure" : "";
    document.cookie = `${COOKIE}=${value};Path=/;Max-Age=${seconds};SameSite=Lax${secure}`;
  });

// Whatever is not an id of the contract (1 to 64 of these characters) is none.
const readCookie = () =>
  attempt(() => /(?:^|; )st_id=([\w-]{1,64})(?:;|$)/.exec(document.cookie)?.[1]);

const storedBatches = () =>
  attempt(() => Object.keys(localStorage).filter((name) => name.startsWith(QUEUE))) ?? [];

/** 1 for analytics plus 2 for advertising; -1 when the visitor has not chosen. */
export const readChoice = () => {
  const choice = get(CONSENT);
  return /^[0-3]$/.test(choice) ? +choice : -1;
};

export const writeChoice = (choice) => set(CONSENT, choice);

/** Allows storing, and returns the visitor's id: the stored one, or else `ownId()`, which is stored then. */
export const allow = (ownId) => {
  allowed = true;
  tab = attempt(() => sessionStorage.getItem(TAB)) ?? Math.random().toString(36).slice(2);
  attempt(() => sessionStorage.setItem(TAB, tab));
  const stored = readCookie();
  if (stored) return stored;
  // A visitor who is new to the store does not go on with the session of another one.
  const id = ownId();
  setCookie(id, COOKIE_SECONDS);
  set(SESSION, session);
  return id;
};

/** Forbids storing and removes what was stored, of all tabs. */
export const forget = () => {
  allowed = false;
  session = "";
  places.clear();
  setCookie("", 0);
  for (const name of [SESSION, ...storedBatches()]) unset(name);
  attempt(() => sessionStorage.removeItem(TAB));
};

/** The session as it was written last, by any page of the shop; an empty text when there is none. */
export const readSession = () => (allowed ? get(SESSION) : null) ?? session;

export const writeSession = (value) => {
  session = value;
  if (allowed) set(SESSION, value);
};

/** Keeps a batch so that it outlives the page. */
export const keepBatch = (batch, events) => {
  if (!allowed) return;
  const place = places.get(batch) ?? `${QUEUE}${tab}.${Date.now()}.${batch}`;
  if (set(place, events)) places.set(batch, place);
  else refused = true;
};

export const dropBatch = (batch) => {
  if (places.has(batch)) unset(places.get(batch));
  places.delete(batch);
};

/** Whether all that is unsent outlives the page. */
export const keepsAll = () => allowed && !refused;

/** The batches of this page that another page took over (or the visitor deleted). */
export const takenOver = () => {
  const gone = [...places].filter(([, place]) => get(place) === null).map(([batch]) => batch);
  for (const batch of gone) places.delete(batch);
  return gone;
};

/** Takes over the batches that earlier pages of this tab left, and the orphans of other tabs. */
export const takeOver = (adopt) => {
  const own = new Set(places.values());
  for (const place of storedBatches()) {
    const [owner, since] = place.slice(QUEUE.length).split(".");
    if (own.has(place) || (owner !== tab && Date.now() - since < ORPHAN_MS)) continue;
    const events = get(place);
    if (!events) continue;
    // At a place of its own, so that a tab that lives after all sees that its batch is gone.
    keepBatch(adopt(events), events);
    unset(place);
  }
};
