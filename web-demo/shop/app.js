// Follow a visitor: the address decides which page is shown. Links inside the shop change the address without loading
// the page anew; the search form and the way to the checkout load it, as they do in many shops.

import { cartCount } from "./cart.js";
import { wireConsent } from "./consent.js";
import { identifyCustomer } from "./customer.js";
import { campaignPage } from "./pages/campaign.js";
import { cartPage } from "./pages/cart.js";
import { checkoutPage } from "./pages/checkout.js";
import { categoryPage, homePage } from "./pages/home.js";
import { notFoundPage } from "./pages/not-found.js";
import { productPage } from "./pages/product.js";
import { searchPage } from "./pages/search.js";
import { thanksPage } from "./pages/thanks.js";

/** @type {[RegExp, (parts: any) => any][]} */
const ROUTES = [
  [/^\/$/, homePage],
  [/^\/category\/([^/]+)$/, categoryPage],
  [/^\/campaign\/([^/]+)$/, campaignPage],
  [/^\/search$/, searchPage],
  [/^\/product\/([^/]+)$/, productPage],
  [/^\/cart$/, cartPage],
  [/^\/checkout$/, checkoutPage],
  [/^\/thanks$/, thanksPage],
];

const content = document.getElementById("content");

identifyCustomer();
wireConsent();
show();
showCartCount();
document.addEventListener("click", followLink);
addEventListener("popstate", show);
addEventListener("cartchange", showCartCount);
addEventListener("storage", showCartCount);

/** Goes to an address of the shop without loading the page. */
function go(address) {
  history.pushState(null, "", address);
  show();
  scrollTo(0, 0);
  content.focus({ preventScroll: true });
}

function show() {
  const { title, elements, report } = pageAt(new URL(location.href));
  document.title = `${title} · Pebble & Pine`;
  content.replaceChildren(...elements);
  // After the title, so that the events carry it.
  report?.();
}

/** A page is `{title, elements, report?}`; it gets the parts of its route, the query, and ways to go on and to redraw. */
function pageAt({ pathname, searchParams }) {
  for (const [pattern, page] of ROUTES) {
    const match = pattern.exec(pathname);
    if (match)
      return page({ id: match[1], query: searchParams, go, redraw: show }) ?? notFoundPage();
  }
  return notFoundPage();
}

function followLink(event) {
  const link = event.target.closest?.("a[href]");
  const withKey = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (!link || event.defaultPrevented || event.button !== 0 || withKey) return;
  if (
    link.origin !== location.origin ||
    link.hash ||
    link.target ||
    link.dataset.fullLoad !== undefined
  )
    return;
  event.preventDefault();
  go(link.href);
}

function showCartCount() {
  document.getElementById("cart-count").textContent = cartCount();
}
