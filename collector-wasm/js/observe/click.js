// Clicks on links and buttons, downloads, and clicks on what the shop marked.

import { on } from "../guard.js";
import { leavingInside } from "../tracker.js";
import { sendMark } from "./marks.js";
import { cut, track } from "./page.js";

const CLICKABLE = "a[href],button,summary,input[type=submit],input[type=button],[role=button]";
const MARKED = '[data-st-event]:not([data-st-on="view"])';
const DOWNLOAD = /\.(7z|csv|docx?|dmg|epub|exe|gz|mp[34]|pdf|pptx?|rar|txt|xlsx?|zip)$/i;

const clicked = (event) => {
  const [target] = event.composedPath();
  if (!target.closest || target.closest("[data-st-ignore]")) return;
  const link = target.closest("a[href]");
  const marked = target.closest(MARKED);
  const element = target.closest(CLICKABLE);
  if (marked) sendMark(marked);
  else if (element) sendClick(element, link);
  if (link) expectLeaving(event, link);
};

const sendClick = (element, link) => {
  const isWeb = /^http/.test(link?.protocol);
  const isDownload = isWeb && (link.hasAttribute("download") || DOWNLOAD.test(link.pathname));
  const text = (element.innerText || element.value || "").trim().replace(/\s+/g, " ");
  track(isDownload ? "file_download" : "click", {
    link_url: isWeb ? cut(link.href, 2048) : undefined,
    properties: {
      element: element.localName,
      id: cut(element.id, 100) || undefined,
      text: cut(text, 100) || undefined,
    },
  });
};

const expectLeaving = (event, link) => {
  const stays =
    event.button ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey ||
    link.origin !== location.origin ||
    !["", "_self"].includes(link.target) ||
    link.hasAttribute("download") ||
    link.href.split("#")[0] === location.href.split("#")[0];
  // Whether the page keeps the click to itself shows when all its listeners have run.
  if (!stays) setTimeout(() => event.defaultPrevented || leavingInside());
};

export const observeClicks = () => on(document, "click", clicked);
