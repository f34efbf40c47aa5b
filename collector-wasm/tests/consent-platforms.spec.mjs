// The tracker as built, in a real Chromium: consent platforms are played by the calls and events that they document. What
// the visitor chose is obeyed and told; what nobody chose is not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { until } from "./test-edge.mjs";
import { visit } from "./visit.mjs";

/** How each platform is set up, and how it says that the visitor allowed analytics but no ads, and then nothing at all.
 *  These run in the page. */
const PLATFORMS = {
  google: {
    setUp: () => {
      window.dataLayer = [];
      window.gtag = function () {
        window.dataLayer.push(arguments);
      };
      window.gtag("consent", "default", { analytics_storage: "denied", ad_storage: "denied" });
    },
    choose: () => {
      window.gtag("consent", "update", {
        analytics_storage: "granted",
        ad_storage: "granted",
        ad_user_data: "denied",
        ad_personalization: "denied",
      });
    },
    refuse: () => {
      window.gtag("consent", "update", { analytics_storage: "denied", ad_storage: "denied" });
    },
  },
  tcf: {
    setUp: () => {
      window.tell = (eventStatus, consents) =>
        window.listener({ gdprApplies: true, eventStatus, purpose: { consents } }, true);
      window.__tcfapi = (command, version, callback) => {
        if (command !== "addEventListener" || version !== 2) return;
        window.listener = callback;
        window.tell("cmpuishown", {});
      };
    },
    choose: () => {
      window.tell("useractioncomplete", { 1: true, 3: false, 4: false, 8: true });
    },
    refuse: () => {
      window.tell("useractioncomplete", { 1: false, 8: false });
    },
  },
  onetrust: {
    setUp: () => {
      window.isClosed = false;
      window.OneTrust = { IsAlertBoxClosed: () => window.isClosed };
      window.tell = (groups) => {
        window.OnetrustActiveGroups = groups;
        window.dispatchEvent(
          new CustomEvent("OneTrustGroupsUpdated", { detail: groups.split(",") }),
        );
      };
      window.tell(",C0001,C0002,C0004,");
    },
    choose: () => {
      window.isClosed = true;
      window.tell(",C0001,C0002,");
    },
    refuse: () => {
      window.tell(",C0001,");
    },
  },
  cookiebot: {
    setUp: () => {
      window.tell = (hasResponse, statistics, event) => {
        window.Cookiebot = { hasResponse, consent: { statistics, marketing: false } };
        window.dispatchEvent(new Event(event));
      };
      window.tell(false, false, "CookiebotOnConsentReady");
    },
    choose: () => {
      window.tell(true, true, "CookiebotOnAccept");
    },
    refuse: () => {
      window.tell(true, false, "CookiebotOnDecline");
    },
  },
  shopify: {
    setUp: () => {
      window.visitor = { analytics: "", marketing: "", preferences: "", sale_of_data: "" };
      window.tell = (analytics) => {
        window.visitor = { ...window.visitor, analytics, marketing: "no" };
        document.dispatchEvent(new CustomEvent("visitorConsentCollected"));
      };
      // It comes when it is asked for.
      window.Shopify = {
        loadFeatures(features, callback) {
          window.Shopify.customerPrivacy = { currentVisitorConsent: () => window.visitor };
          callback();
        },
      };
    },
    choose: () => {
      window.tell("yes");
    },
    refuse: () => {
      window.tell("no");
    },
  },
  wordpress: {
    setUp: () => {
      window.consent_api = { cookie_prefix: "wp_consent" };
      window.tell = (statistics) => {
        document.cookie = `wp_consent_statistics=${statistics}; path=/`;
        document.cookie = "wp_consent_marketing=deny; path=/";
        const detail = { statistics, marketing: "deny" };
        document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail }));
      };
    },
    choose: () => {
      window.tell("allow");
    },
    refuse: () => {
      window.tell("deny");
    },
  },
};

const storedChoice = (page) =>
  page.evaluate(() => JSON.parse(localStorage.getItem("shoptrail.consent")));

const choiceIs = (page, analytics, ads) =>
  until(`analytics ${analytics}, ads ${ads}`, async () => {
    const choice = await storedChoice(page);
    return choice?.analytics === analytics && choice.ads === ads;
  });

describe("a choice made in", () => {
  for (const [name, { setUp, choose, refuse }] of Object.entries(PLATFORMS)) {
    test(
      name,
      visit(async ({ page, pages, open, custom, names, takenOf, taken }) => {
        pages["/"].tag = `data-consent="cookieless" data-consent-from="${name}"`;
        await page.addInitScript(setUp);
        await open();
        const [view] = await taken(1);
        assert.deepEqual(view.consent, { analytics: "not_asked", ads: "not_asked" });
        // The part that listens is there when the network is quiet.
        await page.waitForLoadState("networkidle");
        assert.equal(await storedChoice(page), null);
        await page.evaluate(choose);
        await choiceIs(page, "granted", "denied");
        await custom("chosen");
        const [chosen] = await takenOf("custom");
        assert.deepEqual(chosen.consent, { analytics: "granted", ads: "denied" });
        await page.evaluate(refuse);
        await choiceIs(page, "denied", "denied");
        assert.doesNotMatch(await page.evaluate(() => document.cookie), /st_id/);
        await custom("never");
        await page.evaluate(choose);
        await custom("again");
        await takenOf("custom", 2);
        assert.deepEqual([...new Set(names())], ["chosen", "again"]);
      }),
    );
  }

  test(
    "another_page_holds_from_the_start_and_is_not_written_again",
    visit(async ({ page, pages, open, takenOf, taken }) => {
      pages["/"].tag = `data-consent="cookieless" data-consent-from="cookiebot"`;
      await page.addInitScript(() => {
        window.Cookiebot = { hasResponse: true, consent: { statistics: true, marketing: true } };
      });
      await open();
      await taken(1);
      await choiceIs(page, "granted", "granted");
      const { time } = await storedChoice(page);
      await page.reload();
      const [, view] = await takenOf("page_view", 2);
      assert.deepEqual(view.consent, { analytics: "granted", ads: "granted" });
      await page.waitForLoadState("networkidle");
      assert.equal((await storedChoice(page)).time, time);
    }),
  );

  test(
    "a_platform_of_an_unknown_name_is_told_on_the_console",
    visit(async ({ page, pages, open, taken }) => {
      pages["/"].tag = `data-consent-from="onetrusd"`;
      const errors = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await open();
      await taken(1);
      await until("a word on the console", () => errors.some((text) => text.includes("onetrusd")));
    }),
  );
});
