// Which channels and campaigns led to the orders: by one of five models, which share each order out in their own way.

import * as columns from "../columns.js";
import { decimal, money, percent } from "../format.js";
import { sum } from "./parts.js";

const MODELS = {
  last: "Last touch",
  first: "First touch",
  linear: "Linear",
  position: "Position",
  time_decay: "Time decay",
};
const USUAL = "last";
/** Orders are credited in millionths. */
const ORDER = 1_000_000;

const modelOf = ({ model }) => (Object.hasOwn(MODELS, model ?? "") ? model : USUAL);

const choice = {
  name: "model",
  label: "Attribution model",
  options: Object.entries(MODELS).map(([model, text]) => [model === USUAL ? "" : model, text]),
  value: (state) => (modelOf(state) === USUAL ? "" : modelOf(state)),
};

/** Revenue by every model, side by side. */
const MODEL_COLUMNS = Object.entries(MODELS).map(([model, text]) =>
  columns.amount(text, `${model}_minor`, { word: "Credited revenue" }),
);

/** Rows with what the chosen model credits, the largest first. */
function credited(rows, { currency, state }) {
  const model = modelOf(state);
  return rows
    .map((row) => ({
      ...row,
      credited: row[`${model}_minor`] / currency.minor_per_unit,
      amount: money(row[`${model}_minor`], currency),
      detail: `${decimal(row[`${model}_millionths`] / ORDER)} orders`,
    }))
    .toSorted((a, b) => b.credited - a.credited);
}

/** How the model chosen moves revenue, compared with last touch. */
function largestShift({ attribution: { channels } }, { state }) {
  const total = sum(channels, "last_minor");
  const model = modelOf(state);
  if (total === 0) return "";
  if (model === USUAL) {
    const [first] = channels.toSorted((a, b) => b.last_minor - a.last_minor);
    return `${first.channel} is last before ${percent(first.last_minor / total)} of the revenue`;
  }
  const shifts = channels.map((row) => ({
    channel: row.channel,
    share: (row[`${model}_minor`] - row.last_minor) / total,
  }));
  const [most] = shifts.toSorted((a, b) => Math.abs(b.share) - Math.abs(a.share));
  const direction = most.share < 0 ? "less" : "more";
  return `${most.channel} gets ${percent(Math.abs(most.share))} of the revenue ${direction} than by last touch`;
}

export const creditedChannels = {
  name: "credited-channels",
  title: "Credited revenue by channel",
  word: "Credited revenue",
  chart: "15_attribution",
  step: true,
  choice,
  none: "No orders in this currency in this period.",
  rows: ({ attribution: { channels } }, context) => credited(channels, context),
  finding: largestShift,
  filter: (row) => ["channel", row.channel],
  columns: [
    columns.text("Channel", "channel", {
      word: "Channel",
      filter: (row) => ["channel", row.channel],
    }),
    ...MODEL_COLUMNS,
  ],
};

export const creditedCampaigns = {
  name: "credited-campaigns",
  title: "Credited revenue by campaign",
  word: "Credited revenue",
  none: "No orders after a campaign in this currency in this period.",
  rows: ({ attribution: { campaigns } }, context) => credited(campaigns, context),
  columns: [columns.text("Campaign", "utm_campaign", { word: "Campaign" }), ...MODEL_COLUMNS],
};
