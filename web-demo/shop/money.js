// Amounts are counted in cents; floats appear only where a price is read and where an amount is shown or reported.

export const CURRENCY = "EUR";

const VAT_PERCENT = 19;
const FREE_SHIPPING_FROM_CENTS = 8000;

/** The ways to ship, with their price in cents. */
export const SHIPPING_METHODS = {
  standard: { label: "Standard, 2 to 4 days", cents: 490, freeFrom: FREE_SHIPPING_FROM_CENTS },
  express: { label: "Express, tomorrow", cents: 990, freeFrom: Infinity },
};

const format = new Intl.NumberFormat("en", { style: "currency", currency: CURRENCY });

/** A price as the catalogue writes it (24.9) in cents (2490). */
export function toCents(price) {
  return Math.round(price * 100);
}

/** Cents as a number of euros, with two decimals at most. */
export function fromCents(cents) {
  return cents / 100;
}

/** Cents as text: €24.90. */
export function showCents(cents) {
  return format.format(fromCents(cents));
}

/** What a way of shipping costs for goods of this value, in cents. */
export function shippingCents(method, goodsCents) {
  const { cents, freeFrom } = SHIPPING_METHODS[method];
  return goodsCents >= freeFrom ? 0 : cents;
}

/** The value added tax that goods of this price contain, in cents. */
export function includedTaxCents(goodsCents) {
  return Math.round((goodsCents * VAT_PERCENT) / (100 + VAT_PERCENT));
}
