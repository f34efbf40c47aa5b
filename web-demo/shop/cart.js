// The cart: how many of which product, kept in localStorage so that it is still there tomorrow and in other tabs.

import { productById } from "./catalogue.js";
import { toCents } from "./money.js";

const KEY = "pebble.cart";
/** The most of one product that a cart takes. */
export const MOST = 20;

/** What is in the cart: `[{product, quantity}]`, in the order it was put in. */
export function cartLines() {
  return read().map(([id, quantity]) => ({ product: productById(id), quantity }));
}

/** Sets how many of a product are in the cart; 0 takes it out. Returns by how much the number changed. */
export function setQuantity(id, quantity) {
  const entries = new Map(read());
  const before = entries.get(id) ?? 0;
  const after = Math.min(Math.max(Math.trunc(quantity) || 0, 0), MOST);
  if (after === 0) entries.delete(id);
  else entries.set(id, after);
  write([...entries]);
  return after - before;
}

/** Puts more of a product in. Returns how many fitted. */
export function addToCart(id, quantity) {
  return setQuantity(id, quantityOf(id) + quantity);
}

/** How many of a product are in the cart. */
export function quantityOf(id) {
  return new Map(read()).get(id) ?? 0;
}

/** Empties the cart. */
export function emptyCart() {
  write([]);
}

/** How many things are in the cart. */
export function cartCount() {
  return read().reduce((sum, [, quantity]) => sum + quantity, 0);
}

/** The price of all lines together, in cents. */
export function goodsCents(lines) {
  return lines.reduce((sum, { product, quantity }) => sum + toCents(product.price) * quantity, 0);
}

// Stored by an older visit, or by hand: only what the catalogue knows counts.
function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return stored.filter(
      ([id, quantity]) =>
        productById(id) && Number.isInteger(quantity) && quantity > 0 && quantity <= MOST,
    );
  } catch {
    return [];
  }
}

function write(entries) {
  localStorage.setItem(KEY, JSON.stringify(entries));
  dispatchEvent(new Event("cartchange"));
}
