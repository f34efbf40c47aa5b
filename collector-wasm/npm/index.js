// For shops whose pages are bundled: puts the script tag of the shop's edge into the page, and calls what it brings. The
// tracker itself stays with the edge, so that both are of one version.

/** Puts the tracker into the page, once. On a server it does nothing. */
export function install({ src, nonce, ...settings }) {
  if (typeof document === "undefined" || document.querySelector("script[data-shoptrail]")) return;
  const script = document.createElement("script");
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) script.dataset[name] = value;
  }
  script.dataset.shoptrail = "";
  if (nonce) script.nonce = nonce;
  script.async = true;
  script.src = src;
  document.head.append(script);
}

/** Sends an event, or says who the visitor is or what the visitor chose. Calls wait for the tracker. */
export function shoptrail(...call) {
  if (typeof window === "undefined") return;
  window.shoptrail ??= (...waiting) => {
    (window.shoptrail.q ??= []).push(waiting);
  };
  window.shoptrail(...call);
}
