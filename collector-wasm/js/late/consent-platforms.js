// Reads the visitor's choice from the consent platform that the shop has. A state that nobody chose is no choice: until
// then, what the tag says holds.

/** How often to look for a platform that loads later, in milliseconds. */
const LOOK_MS = 250;

/** A platform that is not there by then will not come, in milliseconds. */
const GIVE_UP_MS = 6e4;

/** @typedef {(analytics: unknown, ads: unknown) => void} Tell with true, false, or undefined for "not asked" */

/** Calls `use` with what `find` gives, when it gives something.
 *  @param {LateParts} parts
 *  @param {() => any} find
 *  @param {(found: any) => void} use */
const whenThere = ({ guard }, find, use) => {
  const end = performance.now() + GIVE_UP_MS;
  const look = guard(() => {
    const found = find();
    if (found) use(found);
    else if (performance.now() < end) setTimeout(look, LOOK_MS);
  });
  look();
};

/** Google Consent Mode, version 2: `gtag("consent", "update", …)`. A `default` is the shop's, not the visitor's.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const google = ({ guard }, tell) => {
  /** @type {Record<string, string>} */
  const state = {};
  /** @param {string[]} names */
  const all = (...names) => {
    const said = names.map((name) => state[name]).filter(Boolean);
    return said.length ? said.every((word) => word === "granted") : undefined;
  };
  const read = guard((/** @type {any} */ { 0: command, 1: kind, 2: params }) => {
    if (command !== "consent" || kind !== "update") return;
    Object.assign(state, params);
    tell(all("analytics_storage"), all("ad_storage", "ad_user_data", "ad_personalization"));
  });
  const page = /** @type {any} */ (window);
  const layer = (page.dataLayer ??= []);
  [...layer].forEach((entry) => read(entry ?? []));
  const { push } = layer;
  layer.push = function (/** @type {unknown[]} */ ...entries) {
    const result = push.apply(this, entries);
    entries.forEach((entry) => read(entry ?? []));
    return result;
  };
};

/** IAB Europe's Transparency and Consent Framework, version 2: purposes 1 (storage) and 8 (measuring content) are analytics;
 *  1, 3 and 4 (personalized advertising) ads. Where the regulation does not apply, nobody was asked.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const tcf = (parts, tell) => {
  const listen = parts.guard((/** @type {any} */ data, /** @type {boolean} */ isSuccess) => {
    if (!isSuccess || data.gdprApplies === false) return;
    if (!/^(tcloaded|useractioncomplete)$/.test(data.eventStatus)) return;
    const consents = data.purpose?.consents ?? {};
    tell(
      [1, 8].every((purpose) => consents[purpose]),
      [1, 3, 4].every((purpose) => consents[purpose]),
    );
  });
  whenThere(
    parts,
    () => /** @type {any} */ (window).__tcfapi,
    (api) => api("addEventListener", 2, listen),
  );
};

/** OneTrust: the groups C0002 (performance) and C0004 (targeting), when the visitor has closed the banner.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const onetrust = (parts, tell) => {
  const page = /** @type {any} */ (window);
  const read = () => {
    if (!page.OneTrust?.IsAlertBoxClosed?.()) return;
    const groups = `${page.OnetrustActiveGroups ?? page.OptanonActiveGroups}`.split(",");
    tell(groups.includes("C0002"), groups.includes("C0004"));
  };
  parts.on(window, "OneTrustGroupsUpdated", read);
  whenThere(parts, () => page.OneTrust, read);
};

/** Cookiebot: the categories statistics and marketing.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const cookiebot = ({ on }, tell) => {
  const read = () => {
    const { hasResponse, consent } = /** @type {any} */ (window).Cookiebot ?? {};
    if (hasResponse) tell(consent.statistics, consent.marketing);
  };
  for (const event of ["ConsentReady", "Accept", "Decline"])
    on(window, `CookiebotOn${event}`, read);
  read();
};

/** Shopify's Customer Privacy API.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const shopify = (parts, tell) => {
  const page = /** @type {any} */ (window);
  /** @param {string} word */
  const answer = (word) => (word === "yes" ? true : word === "no" ? false : undefined);
  const read = () => {
    const { analytics, marketing } = page.Shopify.customerPrivacy.currentVisitorConsent();
    tell(answer(analytics), answer(marketing));
  };
  parts.on(document, "visitorConsentCollected", read);
  whenThere(parts, () => page.Shopify?.customerPrivacy, read);
  page.Shopify?.loadFeatures?.([{ name: "consent-tracking-api", version: "0.1" }], () => {});
};

/** WordPress's Consent API: the categories statistics and marketing, by its cookies.
 *  @param {LateParts} parts
 *  @param {Tell} tell */
const wordpress = ({ on }, tell) => {
  const prefix = /** @type {any} */ (window).consent_api?.cookie_prefix ?? "wp_consent";
  /** @param {string} category */
  const answer = (category) => {
    const found = document.cookie
      .split("; ")
      .find((pair) => pair.startsWith(`${prefix}_${category}=`));
    return found && found.endsWith("=allow");
  };
  const read = () => tell(answer("statistics"), answer("marketing"));
  // The cookie is written before or after the event, as the plugin likes.
  on(document, "wp_listen_for_consent_change", () => setTimeout(read));
  read();
};

/** @type {Record<string, (parts: LateParts, tell: Tell) => void>} */
const PLATFORMS = { google, tcf, onetrust, cookiebot, shopify, wordpress };

/** @param {LateParts} parts
 *  @param {string} name */
export default (parts, name) => {
  const platform = PLATFORMS[name];
  if (!platform) {
    console.error(`shoptrail: data-consent-from="${name}" is none of ${Object.keys(PLATFORMS)}`);
    return;
  }
  platform(parts, (analytics, ads) => {
    const words = [analytics, ads].map((said) =>
      said === undefined ? said : said ? "granted" : "denied",
    );
    const chosen = parts.chosen();
    const isNew = (/** @type {string | undefined} */ word, /** @type {string} */ before) =>
      word && word !== before;
    // A platform says the same again on every page.
    if (isNew(words[0], chosen.analytics) || isNew(words[1], chosen.ads)) {
      parts.consent({ analytics: words[0], ads: words[1] });
    }
  });
};
