// The pages by name, in the order of the navigation, each loaded when it is opened. To add one: a file in pages/, a line here and
// one in index.html, and its answer in the backend (`data/page.rs`).

export const PAGES = {
  overview: async () => (await import("./pages/overview.js")).overview,
  traffic: async () => (await import("./pages/traffic.js")).traffic,
  funnel: async () => (await import("./pages/funnel.js")).funnel,
  products: async () => (await import("./pages/products.js")).products,
  customers: async () => (await import("./pages/customers.js")).customers,
  search: async () => (await import("./pages/search.js")).search,
  live: async () => (await import("./pages/live.js")).live,
  quality: async () => (await import("./pages/quality.js")).quality,
};
