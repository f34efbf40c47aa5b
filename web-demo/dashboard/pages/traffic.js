// Who comes, from where, and what comes of it?

import { figuresOf } from "../cards.js";
import * as columns from "../columns.js";
import { creditedCampaigns, creditedChannels } from "./attribution.js";
import { SESSION_COLUMNS, channelsPart, countriesPart, devicesPart } from "./parts.js";

/** A table of groups of sessions by one column. */
function groups(name, title, label, of, word) {
  return {
    name,
    title,
    word,
    none: "No such sessions in this period.",
    rows: (answer) => answer[name],
    columns: [columns.text(label, of), ...SESSION_COLUMNS],
  };
}

export const traffic = {
  title: "Traffic",
  cards: [
    "sessions",
    "bounce_rate",
    "conversion_rate",
    "average_session_duration",
    "page_views_per_session",
    "revenue",
  ],
  figures: figuresOf,
  panels: [
    { className: "half", parts: [channelsPart] },
    { className: "half", parts: [devicesPart] },
    { className: "half", parts: [creditedChannels] },
    { className: "half", parts: [creditedCampaigns] },
    {
      className: "half",
      parts: [
        groups("campaigns", "Campaigns", "Campaign / source / medium", "campaign", "Campaign"),
      ],
    },
    {
      className: "half",
      parts: [
        groups("landing_pages", "Landing pages", "First page", "landing_page", "Landing page"),
      ],
    },
    { className: "half", parts: [countriesPart] },
    {
      className: "half",
      parts: [groups("referrers", "Referring sites", "Site", "referrer_host")],
    },
    { className: "half", parts: [groups("browsers", "Browsers", "Browser", "browser")] },
  ],
};
