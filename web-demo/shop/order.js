// The order just placed, kept for the thank-you page as long as the tab is open.

const KEY = "pebble.order";

/** Keeps an order: `{number, lines, payment, taxCents, shippingCents}`. */
export function keepOrder(order) {
  sessionStorage.setItem(KEY, JSON.stringify(order));
}

/** The order kept last, or null. */
export function lastOrder() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
}

/** Notes that the order's purchase was reported. */
export function markReported(order) {
  keepOrder({ ...order, reported: true });
}
