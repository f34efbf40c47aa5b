// Search results for /search?q=…

import { products, search } from "../catalogue.js";
import { h } from "../dom.js";
import { reportSearch } from "../report.js";
import { productList } from "./list.js";

// The contract takes at most 256 characters, and the search field 100.
const LONGEST_TERM = 100;

/** The page at `/search`. */
export function searchPage({ query }) {
  const term = (query.get("q") ?? "").trim().slice(0, LONGEST_TERM);
  const field = /** @type {HTMLInputElement} */ (document.getElementById("search"));
  field.value = term;
  const found = term === "" ? [] : search(term);
  return {
    title: `Search: ${term}`,
    elements: found.length > 0 ? results(term, found) : noResults(term),
    report: () => term !== "" && reportSearch(term),
  };
}

function results(term, found) {
  const count = found.length === 1 ? "One thing" : `${found.length} things`;
  return [
    h("h1", { "data-testid": "search-summary" }, `${count} for “${term}”`),
    productList(found, { id: "search", name: "Search results" }),
  ];
}

function noResults(term) {
  const summary = term === "" ? "What are you looking for?" : `Nothing for “${term}”`;
  return [
    h("h1", { "data-testid": "search-summary" }, summary),
    h("p", { class: "lead" }, "Perhaps something from the catalogue?"),
    productList(products.slice(0, 4), { id: "search-fallback", name: "Instead of search results" }),
  ];
}
