import Plausible from "plausible-tracker";

import { ready } from "./ready.js";

const { trackEvent } = Plausible({
  domain: "shop.example",
  apiHost: location.origin,
  trackLocalhost: true,
});
window.send = (item) => trackEvent("view_item", { props: { item: JSON.stringify(item) } });
ready();
