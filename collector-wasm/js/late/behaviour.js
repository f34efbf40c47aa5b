// What a page shows of itself once somebody uses it: how far it is scrolled, forms begun and sent, searches in the shop,
// and the browser's measures of how it felt. Loaded after the page itself.

/** Percent of the page's height, of which each tells once that it was reached. */
const DEPTHS = [90, 75, 50, 25];

/** Most often that scrolling is looked at, in milliseconds. */
const SCROLL_MS = 200;

/** A term that is still being typed is no search, in milliseconds. */
const TYPING_MS = 1e3;

/** @param {LateParts} parts */
const observeScroll = ({ track, on, guard, page }) => {
  let shown = "";
  let deepest = 0;
  let timer = 0;
  const measure = () => {
    layout.disconnect();
    timer = 0;
    const url = page().page_url;
    if (url !== shown) deepest = 0;
    shown = url;
    const reached = ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100;
    const percent = DEPTHS.find((depth) => reached >= depth) ?? 0;
    if (percent <= deepest) return;
    deepest = percent;
    track("scroll", { properties: { percent_scrolled: percent } });
  };
  // It is called when the browser has just laid the page out: reading sizes forces nothing then.
  const layout = new ResizeObserver(guard(measure));
  on(window, "scroll", () => {
    timer ||= setTimeout(() => layout.observe(document.documentElement), SCROLL_MS);
  });
};

/** Which form it is, never what is in it. Attributes, because a field may have the name of a property.
 *  @param {Element} form */
const describeForm = (form) => {
  const { origin, pathname } = new URL(form.getAttribute("action") ?? "", location.href);
  const text = (/** @type {string} */ name) => form.getAttribute(name)?.slice(0, 100) || undefined;
  return {
    properties: {
      form_id: text("id"),
      form_name: text("name"),
      form_destination: (origin + pathname).slice(0, 200),
    },
  };
};

/** @param {LateParts} parts */
const observeForms = ({ track, on }) => {
  /** @type {WeakSet<Element>} */
  const started = new WeakSet();
  /** @param {Event} event
   *  @param {(form: Element) => void} use */
  const withForm = (event, use) => {
    const path = /** @type {Element[]} */ (event.composedPath());
    const form = path.find(({ localName }) => localName === "form");
    if (form && !path.some((node) => node.matches?.("[data-st-ignore]"))) use(form);
  };
  on(document, "focusin", (event) =>
    withForm(event, (form) => {
      if (started.has(form)) return;
      started.add(form);
      track("form_start", describeForm(form));
    }),
  );
  on(document, "submit", (event) =>
    withForm(event, (form) => track("form_submit", describeForm(form))),
  );
};

/** The term in the address of a page of results; a further page of the same results is no new search. The shop's own
 *  event of the search is as good.
 *  @param {LateParts} parts
 *  @param {string} names of parameters */
const observeSearch = ({ track, onAddress, guard, page, searched }, names) => {
  /** @param {string} [url] */
  const termIn = (url = "") => {
    const query = new URLSearchParams(url.split("?")[1]?.split("#")[0]);
    return names
      .split(",")
      .map((name) => query.get(name)?.trim())
      .find(Boolean);
  };
  let last = termIn(page().referrer_url);
  let timer = 0;
  const tell = guard(() => {
    const term = termIn(location.href);
    if (term && term !== last && term !== searched())
      track("search", { search_term: term.slice(0, 256) });
    last = term;
  });
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, TYPING_MS);
  };
  onAddress(later);
  later();
};

/** @param {string} type
 *  @returns {any[]} */
const entriesOf = (type) => performance.getEntriesByType(type);

/** Largest Contentful Paint, Cumulative Layout Shift and Interaction to Next Paint (https://web.dev/articles/vitals), told
 *  once, when the page goes out of sight for the first time.
 *  @param {LateParts} parts
 *  @param {boolean} wasHidden when the tag began */
const observeVitals = ({ track, beforeHiding, attempt, guard }, wasHidden) => {
  /** When somebody could see the page: a prerendered one only when it was shown. */
  const shown = entriesOf("navigation")[0]?.activationStart ?? 0;
  /** What is painted after that waited for the visitor, not for the shop. */
  const firstHidden = wasHidden
    ? 0
    : (entriesOf("visibility-state").find(
        ({ name, startTime }) => name === "hidden" && startTime >= shown,
      )?.startTime ?? Infinity);
  let lcp = -1;
  /** Shifts belong together with pauses under a second, for five seconds; the worst such group counts. */
  let shift = { score: 0, first: 0, last: 0 };
  let worstShift = 0;
  /** @type {Map<number, number>} */
  const interactions = new Map();

  /** @param {string} type
   *  @param {(entry: any) => void} take
   *  @param {object} [options] */
  const observe = (type, take, options) =>
    attempt(() =>
      new PerformanceObserver(guard((list) => list.getEntries().forEach(take))).observe({
        type,
        buffered: true,
        ...options,
      }),
    );
  observe("largest-contentful-paint", ({ startTime }) => {
    if (startTime < firstHidden) lcp = Math.max(startTime - shown, 0);
  });
  observe("layout-shift", ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    const goesOn = startTime - shift.last < 1e3 && startTime - shift.first < 5e3;
    shift = {
      score: goesOn ? shift.score + value : value,
      first: goesOn ? shift.first : startTime,
      last: startTime,
    };
    worstShift = Math.max(worstShift, shift.score);
  });
  observe(
    "event",
    ({ interactionId, duration }) => {
      if (interactionId) {
        interactions.set(interactionId, Math.max(duration, interactions.get(interactionId) ?? 0));
      }
    },
    { durationThreshold: 40 },
  );

  beforeHiding(() => {
    beforeHiding(() => {}); // told once
    /** @param {string} name
     *  @param {number} value
     *  @param {number} good
     *  @param {number} poor */
    const tell = (name, value, good, poor) => {
      const rating = value <= good ? "good" : value <= poor ? "needs-improvement" : "poor";
      track("web_vital", { properties: { name, value, rating } });
    };
    if (lcp >= 0) tell("LCP", Math.round(lcp), 2500, 4000);
    tell("CLS", Math.round(worstShift * 1e4) / 1e4, 0.1, 0.25);
    // One outlier in fifty does not count.
    const longest = [...interactions.values()].sort((one, other) => other - one);
    if (longest.length) {
      tell("INP", Math.round(longest[Math.floor(longest.length / 50)]), 200, 500);
    }
  });
};

/** @param {LateParts} parts
 *  @param {boolean} wasHidden when the tag began */
export default (parts, wasHidden) => {
  const { isOff, setting } = parts;
  if (!isOff("scroll")) observeScroll(parts);
  if (!isOff("forms")) observeForms(parts);
  if (!isOff("search")) observeSearch(parts, setting("search") || "q,s,search,query,keyword");
  if (!isOff("vitals")) observeVitals(parts, wasHidden);
};
