// Clicks on links and buttons (links that lead elsewhere are `outbound`), downloads, and clicks on what the shop marked.

import { on } from "../guard.js";
import { CLICK_TEXT, isOff, setting } from "../tag.js";
import { flush } from "../tracker.js";
import { ping } from "./engagement.js";
import { sendMark } from "./marks.js";
import { cut, track } from "./page.js";

const LINK = "a[href]";
const CLICKABLE = `${LINK},button,summary,input[type=submit],input[type=button],[role=button]`;
const MARKED = '[data-st-event]:not([data-st-on="view"])';
const DOWNLOAD = /\.(7z|csv|docx?|dmg|epub|exe|gz|mp[34]|pdf|pptx?|rar|txt|xlsx?|zip)$/i;

/** @param {MouseEvent} event */
const clicked = (event) => {
  const path = event.composedPath();
  /** The innermost element around the click, also outside of its shadow root.
   *  @param {string} selector
   *  @returns {any} */
  const around = (selector) =>
    path.find((node) => /** @type {Element} */ (node).matches?.(selector));
  if (around("[data-st-ignore]")) return;
  const link = around(LINK);
  // The middle button opens a link in another tab. Other buttons, and it elsewhere, do nothing of the shop's.
  if (event.button > (link ? 1 : 0)) return;
  const marked = around(MARKED);
  const element = around(CLICKABLE);
  if (marked) sendMark(marked);
  else if (element) sendClick(element, link);
  if (link) expectLeaving(event, link);
};

/** What stands on an element: never what somebody wrote into it.
 *  @param {any} element */
const textOf = (element) =>
  CLICK_TEXT && cut((element.textContent || element.value || "").trim().replace(/\s+/g, " "), 100);

/** @param {any} element
 *  @param {HTMLAnchorElement | undefined} link */
const sendClick = (element, link) => {
  const isWeb = /^http/.test(link?.protocol ?? "");
  const [, file_extension] = (isWeb && DOWNLOAD.exec(link?.pathname ?? "")) || [];
  const isDownload = file_extension || (isWeb && link?.hasAttribute("download"));
  const outbound = (isWeb && link?.origin !== location.origin) || undefined;
  if (isOff(isDownload ? "downloads" : "clicks")) return;
  if (!isDownload && !outbound && setting("clicks") === "outbound") return;
  track(isDownload ? "file_download" : "click", {
    link_url: isWeb ? cut(link?.href ?? "", 2048) : undefined,
    properties: {
      element: element.localName,
      id: cut(element.id, 100) || undefined,
      text: textOf(element) || undefined,
      outbound,
      file_extension,
    },
  });
};

/** A link to another page of the shop: what is unsent goes at once, so that the answer is heard while this page is
 *  there, and the next one need not send it again.
 *  @param {MouseEvent} event
 *  @param {HTMLAnchorElement} link */
const expectLeaving = (event, link) => {
  const isElsewhere =
    event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (isElsewhere || link.origin !== location.origin) return;
  // Whether the page keeps the click to itself shows when all its listeners have run.
  setTimeout(() => {
    if (event.defaultPrevented) return;
    ping();
    flush();
  });
};

export const observeClicks = () => {
  for (const type of ["click", "auxclick"]) on(document, type, clicked);
};
