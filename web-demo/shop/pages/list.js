// A grid of products, as on the home page and among search results.

import { pictureOf } from "../catalogue.js";
import { h } from "../dom.js";
import { showCents, toCents } from "../money.js";
import { listMarks, selectMarks } from "../report.js";

/** The grid. `list` is `{id, name}`: what the list is called in reports. */
export function productList(products, list) {
  return h(
    "ul",
    { class: "grid", ...listMarks() },
    products.map((product, index) => h("li", {}, card(product, index, list))),
  );
}

function card(product, index, list) {
  const marks = selectMarks(product, index, list);
  return h(
    "a",
    {
      class: "card",
      href: `/product/${product.item_id}`,
      "data-testid": "product-card",
      "data-item-id": product.item_id,
      ...marks,
    },
    h("img", { src: pictureOf(product), alt: "", width: 320, height: 320, loading: "lazy" }),
    h("span", { class: "brand-name" }, product.item_brand),
    h("span", { class: "name" }, product.item_name),
    h("span", { class: "price" }, showCents(toCents(product.price))),
  );
}
