// The thank-you page of the order just placed.

import { goodsCents } from "../cart.js";
import { h } from "../dom.js";
import { showCents } from "../money.js";
import { lastOrder, markReported } from "../order.js";
import { reportPurchase } from "../report.js";

/** The page at `/thanks`. The purchase is reported once, however often the page is loaded. */
export function thanksPage() {
  const order = lastOrder();
  if (!order)
    return {
      title: "Thank you",
      elements: [
        h("h1", {}, "No order here"),
        h("a", { class: "button", href: "/" }, "Look around"),
      ],
    };
  return {
    title: "Thank you",
    elements: [receipt(order)],
    report: () => {
      if (order.reported) return;
      markReported(order);
      reportPurchase(order);
    },
  };
}

function receipt(order) {
  return h(
    "section",
    { class: "thanks" },
    h("h1", {}, "Thank you. The kettle is on."),
    h(
      "p",
      { class: "lead" },
      "Your order ",
      h("strong", { "data-testid": "order-number" }, order.number),
      " is on its way, or would be if this were not a demo.",
    ),
    h(
      "ul",
      {},
      order.lines.map(({ product, quantity }) => h("li", {}, `${quantity} × ${product.item_name}`)),
    ),
    h(
      "p",
      { class: "total" },
      h("span", {}, "Shipping"),
      h("strong", {}, order.shippingCents === 0 ? "free" : showCents(order.shippingCents)),
    ),
    h(
      "p",
      { class: "total" },
      h("span", {}, "Paid"),
      h(
        "strong",
        { "data-testid": "paid-total" },
        showCents(goodsCents(order.lines) + order.shippingCents),
      ),
    ),
    h(
      "p",
      {},
      h(
        "a",
        { class: "button", href: "/", "data-testid": "continue-shopping" },
        "Back to the shop",
      ),
    ),
  );
}
