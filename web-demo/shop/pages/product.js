// A product's own page.

import { addToCart, MOST } from "../cart.js";
import { pictureOf, productById, products } from "../catalogue.js";
import { announce, h } from "../dom.js";
import { showCents, toCents } from "../money.js";
import { reportCartChange, reportView } from "../report.js";
import { productList } from "./list.js";

const MOST_RELATED = 4;

/** The page at `/product/ID`, or undefined when there is no such product. */
export function productPage({ id }) {
  const product = productById(id);
  if (!product) return undefined;
  return {
    title: product.item_name,
    elements: [details(product), related(product)],
    report: () => reportView(product),
  };
}

function details(product) {
  return h(
    "article",
    { class: "product" },
    h("img", { src: pictureOf(product), alt: product.item_name, width: 320, height: 320 }),
    h(
      "div",
      { class: "facts" },
      h("p", { class: "brand-name" }, product.item_brand),
      h("h1", { "data-testid": "product-name" }, product.item_name),
      h("p", { class: "price", "data-testid": "product-price" }, showCents(toCents(product.price))),
      h("p", { class: "lead" }, product.description),
      buyForm(product),
      h("p", { class: "small" }, "Prices include VAT. Standard shipping is free from €80."),
    ),
  );
}

function buyForm(product) {
  const quantity = h("input", {
    id: "quantity",
    type: "number",
    min: 1,
    max: MOST,
    value: 1,
    required: true,
    inputmode: "numeric",
    "data-testid": "quantity",
  });
  const done = h("p", { class: "done", "data-testid": "added", hidden: true });
  const submit = (event) => {
    event.preventDefault();
    const added = addToCart(product.item_id, quantity.valueAsNumber);
    reportCartChange(product, added);
    tellAdded(done, added, product);
  };
  return h(
    "form",
    { class: "buy", submit },
    h("label", { for: "quantity" }, "Quantity"),
    quantity,
    h("button", { "data-testid": "add-to-cart" }, "Add to cart"),
    done,
  );
}

function tellAdded(done, added, product) {
  const text =
    added > 0
      ? `${added} × ${product.item_name} in your cart.`
      : `A cart takes ${MOST} of a kind at most.`;
  done.replaceChildren(text, " ", h("a", { href: "/cart" }, "Go to the cart"));
  done.hidden = false;
  announce(text);
}

function related(product) {
  const others = products.filter(
    (other) => other.item_category === product.item_category && other !== product,
  );
  return h(
    "section",
    {},
    h("h2", {}, "Keeps good company with"),
    productList(others.slice(0, MOST_RELATED), { id: "related", name: "Related products" }),
  );
}
