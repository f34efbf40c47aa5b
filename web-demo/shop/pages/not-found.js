// For addresses the shop does not know.

import { h } from "../dom.js";

/** The page for everything else. */
export function notFoundPage() {
  return {
    title: "Not here",
    elements: [
      h("h1", {}, "We do not have that"),
      h("p", { class: "lead" }, "Perhaps it was sold in 1974."),
      h("a", { class: "button", href: "/" }, "See what we have"),
    ],
  };
}
