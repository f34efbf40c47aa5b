// Reads what a shop tells Google Analytics 4 already: calls of `gtag()` and objects in the data layer, with the events and
// parameters that Google documents (https://developers.google.com/analytics/devguides/collection/ga4/ecommerce). What was
// pushed before this part was there is read first.

const EVENT =
  /^(add_payment_info|add_shipping_info|add_to_cart|add_to_wishlist|begin_checkout|login|purchase|refund|remove_from_cart|search|select_item|select_promotion|sign_up|view_cart|view_item|view_item_list|view_promotion)$/;

/** Parameters that are fields of ours. */
const FIELDS = "currency value transaction_id tax shipping coupon search_term".split(" ");

/** Parameters that an item has from its event, unless it has its own. */
const ITEM_FIELDS = "item_list_id item_list_name".split(" ");

/** Other parameters that are kept. What else a shop tells Google may be about a person. */
const PROPERTIES = [
  ...ITEM_FIELDS,
  ..."affiliation shipping_tier customer_type method".split(" "),
  ..."promotion_id promotion_name creative_name creative_slot".split(" "),
];

/** A theme and an app of the same shop may push the same event, one by `gtag()` and one as an object, in milliseconds of
 *  one another. */
const SAME_MS = 2e3;

/** @param {any} from
 *  @param {string[]} names
 *  @returns {Fields} */
const pick = (from, names) =>
  Object.fromEntries(
    names
      .filter((name) => !/^(undefined|object)$/.test(typeof from[name]))
      .map((name) => [name, from[name]]),
  );

/** Most items of an event, by Google's documentation and by the contract. */
const ITEMS = 200;

/** The items as the contract wants them. For Google an item's name can do without an id.
 *  @param {any} params
 *  @returns {any[] | undefined} */
const itemsOf = (params) =>
  Array.isArray(params.items) && params.items.length
    ? params.items.slice(0, ITEMS).map((/** @type {any} */ item) => ({
        ...pick(params, ITEM_FIELDS),
        ...item,
        item_id: item.item_id ?? item.item_name,
      }))
    : undefined;

/** What Google defines as an event's value. An order's is the shop's word alone.
 *  @param {any[]} items */
const valueOf = (items) => {
  const sum = items.reduce((total, { price, quantity = 1 }) => total + price * quantity, 0);
  return sum >= 0 ? sum : undefined;
};

/** Our fields of Google's parameters.
 *  @param {string} type
 *  @param {any} params
 *  @param {string} [currency] of amounts that come without one
 *  @returns {Fields} */
export const fieldsOf = (type, params, currency) => {
  const items = itemsOf(params);
  const properties = pick(params, PROPERTIES);
  const fields = pick(params, FIELDS);
  fields.currency ??= items?.[0].currency ?? currency;
  if (items && fields.currency && !/purchase|refund/.test(type)) fields.value ??= valueOf(items);
  return {
    ...fields,
    payment_method: params.payment_type,
    items,
    properties: Object.keys(properties).length ? properties : undefined,
  };
};

/** @param {LateParts} parts
 *  @param {string} name of the data layer */
export default ({ track, identify, guard, setting }, name) => {
  /** What `gtag("set", …)` and `gtag("config", …)` said about all events. @type {Fields} */
  const common = {};
  /** What was pushed for the next event. @type {Fields | undefined | null} */
  let ecommerce;
  /** When which form of push said an event. @type {Map<string, {isCall: boolean, at: number}>} */
  const said = new Map();

  /** @param {boolean} isCall
   *  @param {string} type
   *  @param {Fields} params */
  const send = (isCall, type, params) => {
    const fields = fieldsOf(type, params, setting("ga4Currency"));
    const text = type + JSON.stringify(fields);
    const before = said.get(text);
    const at = performance.now();
    if (before && before.isCall !== isCall && at - before.at < SAME_MS) return said.delete(text);
    said.set(text, { isCall, at });
    return track(type, fields);
  };

  /** @param {any} said */
  const readUser = (said) => said && "user_id" in said && identify(said);

  /** `gtag(command, …)`: it pushes its arguments.
   *  @param {ArrayLike<any>} call */
  const readCall = ({ 0: command, 1: first, 2: second }) => {
    if (command === "event" && EVENT.test(first)) send(true, first, { ...common, ...second });
    if (command !== "set" && command !== "config") return;
    const params =
      command === "config" || typeof first === "object" ? (second ?? first) : { [first]: second };
    if (typeof params !== "object") return;
    Object.assign(common, pick(params, ["currency"]));
    readUser(params);
  };

  /** @param {any} entry */
  const readObject = (entry) => {
    readUser(entry);
    if ("ecommerce" in entry) ({ ecommerce } = entry);
    if (!EVENT.test(entry.event)) return;
    const params = { ...common, ...entry, ...ecommerce };
    ecommerce = undefined;
    send(false, entry.event, params);
  };

  const read = guard((/** @type {any} */ entry) => {
    if (Object.prototype.toString.call(entry) === "[object Arguments]") readCall(entry);
    else if (entry && typeof entry === "object" && !Array.isArray(entry)) readObject(entry);
  });

  const page = /** @type {any} */ (window);
  const layer = (page[name] ??= []);
  [...layer].forEach(read);
  const { push } = layer;
  layer.push = function (/** @type {unknown[]} */ ...entries) {
    const result = push.apply(this, entries);
    entries.forEach(read);
    return result;
  };
};
