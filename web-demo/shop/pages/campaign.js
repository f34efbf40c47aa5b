// The pages that campaigns lead to; catalogue.json says which products are on them.

import { products } from "../catalogue.js";
import { h } from "../dom.js";
import { productList } from "./list.js";

/** The campaigns by their ids. The simulator's shoppers know them too (`local/src/simulate/world.rs`). */
const CAMPAIGNS = {
  "slow-mornings": {
    title: "A slow morning, in six parts",
    text: "Water, coffee, a warm mug, and somewhere soft to sit. The day can wait.",
  },
  "november-letter": {
    title: "Light for November",
    text: "From this month's letter: what we light, read and write by when it is dark at four.",
  },
};

/** The page at `/campaign/ID`, or undefined when there is no such campaign. */
export function campaignPage({ id }) {
  if (!Object.hasOwn(CAMPAIGNS, id)) return undefined;
  const { title, text } = CAMPAIGNS[id];
  const shown = products.filter((product) => product.campaigns?.includes(id));
  return {
    title,
    elements: [
      h("section", { class: "greeting" }, h("h1", {}, title), h("p", {}, text)),
      h("h2", { class: "hidden" }, "In this campaign"),
      productList(shown, { id, name: title }),
    ],
  };
}
