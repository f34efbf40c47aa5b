// The products, from catalogue.json.

const response = await fetch("/catalogue.json");
if (!response.ok) throw new Error(`/catalogue.json answered ${response.status}`);

/** All products in the order of the catalogue. */
export const products = await response.json();

/** The categories in the order of the catalogue. */
export const categories = [...new Set(products.map((product) => product.item_category))];

const byId = new Map(products.map((product) => [product.item_id, product]));

/** The product with this id, or undefined. */
export function productById(id) {
  return byId.get(id);
}

/** Products whose texts contain every word of the query, those with a word in their name first. */
export function search(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text, word) => text.toLowerCase().includes(word);
  const texts = (product) =>
    [product.item_name, product.item_brand, product.item_category, product.description].join(" ");
  const named = (product) => words.some((word) => has(product.item_name, word));
  const found = products.filter((product) => words.every((word) => has(texts(product), word)));
  return found.toSorted((a, b) => named(b) - named(a));
}

/** The address of a product's picture. */
export function pictureOf(product) {
  return `/img/${product.item_id}.svg`;
}
