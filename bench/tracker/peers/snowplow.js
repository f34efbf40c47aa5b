// Snowplow as it comes sends each event at once. `?buffer=20` is its `bufferSize`: it waits for twenty, as Shoptrail does, and
// sends what came while it was sending in smaller requests.

import { newTracker, trackSelfDescribingEvent } from "@snowplow/browser-tracker";

import { ready } from "./ready.js";

const bufferSize = Number(new URLSearchParams(location.search).get("buffer") ?? 1);

newTracker("sp", location.origin, { appId: "shop", postPath: "/bench/b", bufferSize });
window.send = (item) =>
  trackSelfDescribingEvent({
    event: { schema: "iglu:com.example/view_item/jsonschema/1-0-0", data: item },
  });
ready();
