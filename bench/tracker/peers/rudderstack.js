// RudderStack with its plug-ins in the bundle: otherwise it loads them from a server of its maker.

import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";

import { ready } from "./ready.js";

const analytics = new RudderAnalytics();
analytics.load("bench", location.origin, { configUrl: location.origin });
analytics.ready(() => {
  window.send = (item) => analytics.track("view_item", item);
  ready();
});
