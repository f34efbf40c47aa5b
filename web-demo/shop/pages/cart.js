// The cart: change quantities, take things out, go to the checkout.

import { MOST, cartLines, goodsCents, quantityOf, setQuantity } from "../cart.js";
import { pictureOf } from "../catalogue.js";
import { announce, h } from "../dom.js";
import { showCents, toCents } from "../money.js";
import { reportCartChange, reportLines } from "../report.js";

/** The page at `/cart`. */
export function cartPage() {
  const body = h("div", { class: "cart" });
  const lines = cartLines();
  draw(body);
  return {
    title: "Cart",
    elements: [h("h1", {}, "Your cart"), body],
    report: () => lines.length > 0 && reportLines("view_cart", lines),
  };
}

function draw(body) {
  const lines = cartLines();
  body.replaceChildren(...(lines.length === 0 ? emptyCart() : filledCart(lines, () => draw(body))));
}

function emptyCart() {
  return [
    h(
      "p",
      { class: "lead", "data-testid": "cart-empty" },
      "It is empty. That is fine too, but the kettle is rather nice.",
    ),
    h("p", {}, h("a", { class: "button", href: "/" }, "Look around")),
  ];
}

function filledCart(lines, redraw) {
  const total = h("strong", { "data-testid": "cart-total" }, showCents(goodsCents(lines)));
  const showTotal = () => (total.textContent = showCents(goodsCents(cartLines())));
  return [
    h(
      "ul",
      { class: "lines" },
      lines.map((line) => cartLine(line, showTotal, redraw)),
    ),
    h(
      "aside",
      { class: "sum" },
      h("p", { class: "total" }, h("span", {}, "Together"), total),
      h("p", { class: "small" }, "Including VAT, before shipping."),
      h(
        "a",
        {
          class: "button",
          href: "/checkout",
          "data-full-load": true,
          "data-testid": "checkout-link",
        },
        "To the checkout",
      ),
    ),
  ];
}

function cartLine({ product, quantity }, showTotal, redraw) {
  const { item_id: id, item_name: name } = product;
  const price = h("strong", { class: "price" }, showCents(toCents(product.price) * quantity));
  const change = (wanted) => {
    const by = setQuantity(id, wanted);
    reportCartChange(product, by);
    announce(`${name}: ${quantityOf(id)}`);
  };
  // The field stays where it is while its number changes: whoever uses the keyboard keeps the place.
  const setNumber = ({ target }) => {
    if (target.checkValidity()) change(target.valueAsNumber);
    target.value = quantityOf(id);
    price.textContent = showCents(toCents(product.price) * quantityOf(id));
    showTotal();
  };
  const remove = () => {
    change(0);
    redraw();
    document.getElementById("content").focus();
  };
  return h(
    "li",
    { class: "line", "data-testid": "cart-line", "data-item-id": id },
    h(
      "a",
      { href: `/product/${id}`, tabindex: -1, "aria-hidden": "true" },
      h("img", { src: pictureOf(product), alt: "", width: 96, height: 96 }),
    ),
    h(
      "div",
      { class: "what" },
      h("a", { href: `/product/${id}` }, name),
      h("span", { class: "small" }, `${showCents(toCents(product.price))} each`),
    ),
    h("input", {
      type: "number",
      min: 1,
      max: MOST,
      value: quantity,
      required: true,
      inputmode: "numeric",
      "aria-label": `Quantity of ${name}`,
      "data-testid": "line-quantity",
      change: setNumber,
    }),
    price,
    h(
      "button",
      {
        type: "button",
        class: "plain",
        "data-testid": "remove",
        "aria-label": `Remove ${name}`,
        click: remove,
      },
      "Remove",
    ),
  );
}
