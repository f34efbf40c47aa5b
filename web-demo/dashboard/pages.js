// The pages by name, in the order of the navigation. To add one: a file in pages/, a line here and one in index.html, and its
// answer in the backend (`data/page.rs`).

import { customers } from "./pages/customers.js";
import { funnel } from "./pages/funnel.js";
import { live } from "./pages/live.js";
import { overview } from "./pages/overview.js";
import { products } from "./pages/products.js";
import { quality } from "./pages/quality.js";
import { traffic } from "./pages/traffic.js";

export const PAGES = { overview, traffic, funnel, products, customers, live, quality };
