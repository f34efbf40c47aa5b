// The checkout: four steps on one page. Each is a form of its own, so that the browser checks it before the next opens.

import { cartLines, emptyCart, goodsCents } from "../cart.js";
import { currentCustomer, signIn, signOut } from "../customer.js";
import { h } from "../dom.js";
import { SHIPPING_METHODS, includedTaxCents, shippingCents, showCents } from "../money.js";
import { keepOrder } from "../order.js";
import { reportLines } from "../report.js";

const COUNTRIES = {
  DE: "Germany",
  AT: "Austria",
  CH: "Switzerland",
  FR: "France",
  NL: "Netherlands",
  SE: "Sweden",
};
const PAYMENTS = {
  invoice: "Invoice, pay within 14 days",
  paypal: "PayPal",
  card: "Card (demo: no number needed)",
};

/** The page at `/checkout`. */
export function checkoutPage({ go, redraw }) {
  const lines = cartLines();
  if (lines.length === 0) {
    return {
      title: "Checkout",
      elements: [
        h("h1", {}, "Checkout"),
        h("p", { class: "lead" }, "Your cart is empty."),
        h("a", { class: "button", href: "/" }, "Look around"),
      ],
    };
  }
  const order = { lines, shipping: "standard", payment: "invoice" };
  return {
    title: "Checkout",
    elements: [
      h("h1", {}, "Checkout"),
      h("div", { class: "checkout" }, steps(order, go, redraw), summary(lines)),
    ],
    report: () => reportLines("begin_checkout", lines),
  };
}

function steps(order, go, redraw) {
  const [contact, shipping, payment, review] = [
    contactStep(redraw),
    shippingStep(order),
    paymentStep(order),
    reviewStep(),
  ];
  onSubmit(contact, shipping, (data) => signIn(data.get("email")));
  onSubmit(shipping, payment, (data) => {
    order.shipping = data.get("shipping");
    reportLines("add_shipping_info", order.lines, {
      properties: { shipping_tier: order.shipping },
    });
  });
  onSubmit(payment, review, (data) => {
    order.payment = data.get("payment");
    reportLines("add_payment_info", order.lines, { payment_method: order.payment });
    review.querySelector("[data-testid=order-total]").textContent = showCents(totalCents(order));
  });
  onSubmit(review, null, () => placeOrder(order, go));
  return h("div", {}, contact, shipping, payment, review);
}

/** Runs `done` with the form's data when it is complete, then opens the next form. */
function onSubmit(form, next, done) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(new FormData(form));
    if (!next) return;
    next.hidden = false;
    next.querySelector("input, select, button").focus();
  });
}

function totalCents({ lines, shipping }) {
  return goodsCents(lines) + shippingCents(shipping, goodsCents(lines));
}

function placeOrder({ lines, shipping, payment }, go) {
  const goods = goodsCents(lines);
  keepOrder({
    number: `PP-${crypto.randomUUID().slice(0, 13).toUpperCase()}`,
    lines,
    payment,
    taxCents: includedTaxCents(goods),
    shippingCents: shippingCents(shipping, goods),
  });
  emptyCart();
  go("/thanks");
}

function contactStep(redraw) {
  const customer = currentCustomer();
  const leave = () => {
    signOut();
    redraw();
  };
  const known =
    customer &&
    h(
      "p",
      { class: "small" },
      `Signed in as customer ${customer}. `,
      h(
        "button",
        { type: "button", class: "plain", click: leave, "data-testid": "sign-out" },
        "Not you?",
      ),
    );
  return step(
    "1",
    "Contact",
    false,
    "Continue",
    "continue-contact",
    known,
    field("E-mail", "email", { type: "email", autocomplete: "email", maxlength: 254 }),
    field("Name", "name", { autocomplete: "name", maxlength: 100 }),
  );
}

function shippingStep(order) {
  const methods = Object.entries(SHIPPING_METHODS).map(([value, { label }]) => [
    value,
    `${label}, ${shippingPrice(value, order)}`,
  ]);
  return step(
    "2",
    "Shipping",
    true,
    "Continue",
    "continue-shipping",
    field("Street and number", "street", { autocomplete: "street-address", maxlength: 200 }),
    h(
      "div",
      { class: "pair" },
      field("Postal code", "postal-code", { autocomplete: "postal-code", maxlength: 12 }),
      field("City", "city", { autocomplete: "address-level2", maxlength: 100 }),
    ),
    h(
      "label",
      { class: "field" },
      "Country",
      h(
        "select",
        { name: "country", autocomplete: "country", "data-testid": "country" },
        Object.entries(COUNTRIES).map(([code, name]) => h("option", { value: code }, name)),
      ),
    ),
    choices("How fast?", "shipping", methods, order.shipping),
  );
}

function shippingPrice(method, { lines }) {
  const cents = shippingCents(method, goodsCents(lines));
  return cents === 0 ? "free" : showCents(cents);
}

function paymentStep(order) {
  return step(
    "3",
    "Payment",
    true,
    "Review the order",
    "continue-payment",
    choices("How would you like to pay?", "payment", Object.entries(PAYMENTS), order.payment),
  );
}

function reviewStep() {
  return step(
    "4",
    "Order",
    true,
    "Place the order",
    "place-order",
    h(
      "p",
      { class: "total" },
      h("span", {}, "To pay, with shipping"),
      h("strong", { "data-testid": "order-total" }),
    ),
    h("p", { class: "small" }, "This is a demo: nothing will be charged, and nothing will arrive."),
  );
}

function step(number, title, hidden, button, testid, ...fields) {
  return h(
    "form",
    { class: "step", hidden, "aria-labelledby": `step-${number}` },
    h(
      "h2",
      { id: `step-${number}` },
      h("span", { class: "number", "aria-hidden": "true" }, number),
      title,
    ),
    fields,
    h("button", { "data-testid": testid }, button),
  );
}

function field(label, name, attributes) {
  return h(
    "label",
    { class: "field" },
    label,
    h("input", { name, required: true, "data-testid": name, ...attributes }),
  );
}

function choices(legend, name, options, chosen) {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", {}, legend),
    options.map(([value, label]) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          "data-testid": `${name}-${value}`,
        }),
        label,
      ),
    ),
  );
}

function summary(lines) {
  return h(
    "aside",
    { class: "sum" },
    h("h2", {}, "Your order"),
    h(
      "ul",
      {},
      lines.map(({ product, quantity }) => h("li", {}, `${quantity} × ${product.item_name}`)),
    ),
    h(
      "p",
      { class: "total" },
      h("span", {}, "Goods"),
      h("strong", {}, showCents(goodsCents(lines))),
    ),
    h("p", { class: "small" }, `Includes ${showCents(includedTaxCents(goodsCents(lines)))} VAT.`),
  );
}
