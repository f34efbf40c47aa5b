// PostHog with what has no counterpart here (recordings, flags, surveys) switched off. It would also send nothing for a
// browser that says it is headless.

import posthog from "posthog-js";

import { ready } from "./ready.js";

posthog.init("phc_bench", {
  api_host: location.origin,
  advanced_disable_decide: true,
  advanced_disable_flags: true,
  disable_session_recording: true,
  disable_surveys: true,
  disable_external_dependency_loading: true,
  opt_out_useragent_filter: true,
  loaded: () => {
    window.send = (item) => posthog.capture("view_item", item);
    ready();
  },
});
