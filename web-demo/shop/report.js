// What the shop tells Shoptrail: GA4's e-commerce events. Page views and clicks are the tag's own business.

import { CURRENCY, fromCents, toCents } from "./money.js";
import { goodsCents } from "./cart.js";

/** A product as an item of an event. `more` adds fields such as `quantity`, `index`, `item_list_id`. */
export function itemOf({ item_id, item_name, item_brand, item_category, price }, more = {}) {
  return { item_id, item_name, item_brand, item_category, price, ...more };
}

/** Reports an event about these lines, `[{product, quantity}]`, with their value. */
export function reportLines(name, lines, more = {}) {
  window.shoptrail(name, {
    currency: CURRENCY,
    value: fromCents(goodsCents(lines)),
    items: lines.map(({ product, quantity }) => itemOf(product, { quantity })),
    ...more,
  });
}

/** Reports that a product's page was looked at. */
export function reportView(product) {
  window.shoptrail("view_item", {
    currency: CURRENCY,
    value: fromCents(toCents(product.price)),
    items: [itemOf(product)],
  });
}

/** Reports a change of the cart: `change` more (or, when negative, less) of a product. */
export function reportCartChange(product, change) {
  if (change === 0) return;
  reportLines(change > 0 ? "add_to_cart" : "remove_from_cart", [
    { product, quantity: Math.abs(change) },
  ]);
}

/** Reports a search. */
export function reportSearch(term) {
  window.shoptrail("search", { search_term: term });
}

/** Reports an order as the thank-you page shows it. */
export function reportPurchase({ number, lines, taxCents, shippingCents, payment }) {
  reportLines("purchase", lines, {
    transaction_id: number,
    tax: fromCents(taxCents),
    shipping: fromCents(shippingCents),
    payment_method: payment,
  });
}

/** Marks a list of products: the tag reports `view_item_list` when it comes into sight. */
export function listMarks() {
  return {
    "data-st-event": "view_item_list",
    "data-st-on": "view",
    "data-st-fields": JSON.stringify({ currency: CURRENCY }),
  };
}

/** Marks a product in a list: the tag reports `select_item` when it is clicked. */
export function selectMarks(product, index, list) {
  const item = itemOf(product, { index, item_list_id: list.id, item_list_name: list.name });
  return { "data-st-event": "select_item", "data-st-item": JSON.stringify(item) };
}
