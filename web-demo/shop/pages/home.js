// The catalogue: everything, or one category (/?category=Kitchen).

import { categories, products } from "../catalogue.js";
import { h } from "../dom.js";
import { productList } from "./list.js";

/** The page at `/`. */
export function homePage({ query }) {
  const category = categories.find((name) => name === query.get("category"));
  const shown = category
    ? products.filter((product) => product.item_category === category)
    : products;
  const list = category
    ? { id: category.toLowerCase().replaceAll(" ", "-"), name: category }
    : { id: "catalogue", name: "Catalogue" };
  return {
    title: category ?? "Good things for slow mornings",
    elements: [
      category ? null : greeting(),
      categoryLinks(category),
      h("h2", { class: "hidden" }, list.name),
      productList(shown, list),
    ].filter(Boolean),
  };
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
    link("Everything", "/", !current),
    categories.map((name) =>
      link(name, `/?${new URLSearchParams({ category: name })}`, name === current),
    ),
  );
}
