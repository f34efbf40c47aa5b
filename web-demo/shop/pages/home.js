// The catalogue: everything at /, one category at /category/kitchen.

import { categories, products } from "../catalogue.js";
import { h } from "../dom.js";
import { productList } from "./list.js";

/** The page at `/`. */
export function homePage() {
  return {
    title: "Good things for slow mornings",
    elements: [greeting(), ...catalogue("h2", products, { id: "catalogue", name: "Catalogue" })],
  };
}

/** The page at `/category/ID`, or undefined when there is no such category. */
export function categoryPage({ id }) {
  const category = categories.find((name) => idOf(name) === id);
  if (!category) return undefined;
  const shown = products.filter((product) => product.item_category === category);
  return { title: category, elements: catalogue("h1", shown, { id, name: category }) };
}

function idOf(category) {
  return category.toLowerCase().replaceAll(" ", "-");
}

function catalogue(heading, shown, list) {
  return [
    categoryLinks(list.name),
    h(heading, { class: "hidden" }, list.name),
    productList(shown, list),
  ];
}

function greeting() {
  return h(
    "section",
    { class: "greeting" },
    h("h1", {}, "Good things for slow mornings"),
    h(
      "p",
      {},
      "Sixteen objects we would give to friends. Well made, quietly useful, and in no hurry.",
    ),
  );
}

function categoryLinks(current) {
  const link = (name, href, active) =>
    h(
      "a",
      {
        href,
        class: "chip",
        "data-testid": "category-link",
        "aria-current": active ? "page" : null,
      },
      name,
    );
  return h(
    "nav",
    { class: "chips", "aria-label": "Categories" },
    link("Everything", "/", !categories.includes(current)),
    categories.map((name) => link(name, `/category/${idOf(name)}`, name === current)),
  );
}
