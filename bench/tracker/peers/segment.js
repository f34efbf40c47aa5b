import { AnalyticsBrowser } from "@segment/analytics-next";

import { ready } from "./ready.js";

const analytics = AnalyticsBrowser.load({ writeKey: "bench", cdnURL: location.origin });
analytics.ready(() => {
  window.send = (item) => analytics.track("view_item", item);
  ready();
});
