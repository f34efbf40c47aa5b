// The controls above the figures: period, comparison, currency, shop and filters. They show the state and change nothing
// by themselves: what a reader chooses goes to `choose`.

import { COMPARISONS, PERIODS } from "./days.js";
import { countryName } from "./format.js";
import { ALL_SHOPS, FILTERS, codesOf, currencyOf, rangeOf, shopOf } from "./state.js";

const LABELS = {
  channel: "Channel",
  device: "Device",
  country: "Country",
  product: "Product",
  term: "Search term",
};

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);

/** On narrower pages the filters are folded away until somebody wants them. */
const NARROW = "(max-width: 719px)";

/** Wires the controls; the function returned shows a state in them. */
export function createFilters(choose) {
  if (matchMedia(NARROW).matches) byId("more").open = false;
  // Until here the style has kept them folded there.
  delete byId("more").dataset.new;
  const periods = byId("periods");
  for (const [name, { label }] of Object.entries(PERIODS)) periods.append(period(name, label));
  periods.addEventListener("change", ({ target }) => choose({ period: target.value }));
  for (const id of ["from", "to"]) byId(id).addEventListener("change", () => chooseDays(choose));
  fill(
    byId("compare"),
    Object.entries(COMPARISONS).map(([name, { label }]) => [name, label]),
  );
  for (const name of ["compare", "currency", "shop", ...FILTERS])
    byId(name).addEventListener("change", ({ target }) => choose({ [name]: target.value }));
  byId("clear").addEventListener("click", () =>
    choose(Object.fromEntries(FILTERS.map((name) => [name, ""]))),
  );
  return (state, choices, today) => showState(state, choices, today);
}

function period(name, text) {
  const label = document.createElement("label");
  const input = label.appendChild(document.createElement("input"));
  Object.assign(input, { type: "radio", name: "period", value: name });
  input.dataset.testid = `period-${name}`;
  label.appendChild(document.createElement("span")).textContent = text;
  return label;
}

function chooseDays(choose) {
  const [from, to] = [byId("from").value, byId("to").value];
  if (!from || !to) return;
  // Who moves one end beyond the other means a period of that day.
  choose({ period: "custom", from: from <= to ? from : to, to: from <= to ? to : from });
}

function showState(state, choices, today) {
  for (const input of byId("periods").elements) input.checked = input.value === state.period;
  const range = rangeOf(state, today, choices.first_day[0]?.day);
  for (const id of ["from", "to"]) {
    byId(id).value = range[id];
    byId(id).max = today;
  }
  byId("compare").value = state.compare;
  byId("compare").disabled = state.period === "all";
  const shop = shopOf(state, choices.shops);
  showShops(state, choices.shops, shop);
  const codes = codesOf(choices.currencies, shop);
  const currency = currencyOf(state, choices.currencies, shop);
  const offered = codes.length > 0 ? codes : [currency];
  fill(
    byId("currency"),
    offered.map((code) => [code, code]),
  );
  byId("currency").value = currency;
  for (const name of FILTERS) showFilter(name, state[name], choices);
  // Terms are chosen in their own table; here the choice is seen and undone.
  byId("term-choice").hidden = state.term === "";
  const active = FILTERS.filter((name) => state[name]).length;
  byId("clear").hidden = active === 0;
  byId("filter-count").textContent = active > 0 ? ` (${active})` : "";
}

/** Figures of several shops are never added together unless the reader asks for it. */
function showShops(state, shops, shop) {
  const options = shops.map(({ shop_id }) => [shop_id, shop_id]);
  if (shops.length > 1) options.push([ALL_SHOPS, `All ${shops.length} shops together`]);
  byId("shop-choice").hidden = shops.length < 2;
  fill(byId("shop"), options);
  byId("shop").value = state.shop === ALL_SHOPS ? ALL_SHOPS : shop;
}

function showFilter(name, value, choices) {
  const options = optionsOf(name, choices);
  // What a link asks for may be gone from the list: the reader still sees that it is chosen.
  if (value && !options.some(([known]) => known === value)) options.push([value, value]);
  fill(byId(name), [["", `${LABELS[name]}: all`], ...options]);
  byId(name).value = value;
  byId(name).dataset.active = String(value !== "");
}

function optionsOf(name, choices) {
  switch (name) {
    case "channel":
      return choices.channels.map((value) => [value, value]);
    case "device":
      return choices.devices.map((value) => [value, value]);
    case "country":
      return choices.countries.map((value) => [value, countryName(value)]);
    case "term":
      return [];
    default:
      return choices.products.map(({ item_id, item_name }) => [item_id, item_name]);
  }
}

/** Gives a selector its options; one that has them already stays open under the reader's hand. */
function fill(select, options) {
  const has = [...select.options].map((option) => `${option.value}\n${option.text}`).join("\n\n");
  const wanted = options.map(([value, text]) => `${value}\n${text}`).join("\n\n");
  if (has === wanted) return;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
}
