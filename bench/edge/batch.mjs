// What is posted: batches of 20 events, as a page would post them.

export const ORIGIN = "https://shop.example";

/** All events good, and one wrong. */
export const GOOD = batch(20);
export const ONE_WRONG = GOOD.replace('"event_type":"view_item"', '"event_type":"nope"');

/** Posts a batch, and fails unless the reply is the expected one. */
export async function post(url, body, more = {}) {
  const headers = {
    origin: ORIGIN,
    "content-type": "text/plain",
    "accept-language": "de",
    "sec-fetch-site": "same-site",
    "cf-connecting-ip": "203.0.113.7",
    "cf-blob":
      '{"country":"DE","region":"Berlin","city":"Berlin","asOrganization":"Deutsche Telekom AG"}',
    "user-agent":
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ...more,
  };
  const send = () => fetch(url, { method: "POST", headers, body });
  // On a busy machine workerd closes a connection as idle while a request is on its way.
  const response = await send().catch(send);
  const text = await response.text();
  const expected = body === GOOD ? 202 : 207;
  if (response.status !== expected) throw new Error(`${response.status}: ${text}`);
}

/** A visit: views of products, a cart, an order. */
function batch(count) {
  const now = Date.now();
  const time = now.toString(16).padStart(12, "0");
  const events = Array.from({ length: count }, (_, index) => ({
    event_id: `${time.slice(0, 8)}-${time.slice(8)}-7000-8a00-${String(index).padStart(12, "0")}`,
    event_type: ["view_item", "add_to_cart", "view_item", "begin_checkout", "purchase"][index % 5],
    event_timestamp: now,
    seq: index + 1,
    anonymous_id: "0192f3a4-visitor-of-the-bench",
    session_id: "0192f3a4-session-of-the-bench",
    page_url: `https://shop.example/products/mug-${index}?utm_source=newsletter&utm_medium=email&utm_campaign=autumn`,
    page_title: "Mug with a handle – Shop",
    referrer_url: "https://www.google.com/",
    currency: "EUR",
    value: 25,
    ...(index % 5 === 4 ? { transaction_id: `T-${index}` } : {}),
    items: [
      {
        item_id: `mug-${index}`,
        item_name: "Mug with a handle",
        item_brand: "Potter",
        item_category: "Kitchen",
        price: 12.5,
        quantity: 2,
      },
    ],
    consent: { analytics: "granted", ads: "denied" },
  }));
  const context = {
    language: "de-DE",
    time_zone: "Europe/Berlin",
    screen_width: 1920,
    screen_height: 1080,
  };
  return JSON.stringify({
    write_key: "pk_demo",
    sent_at: now,
    tracker: { name: "shoptrail-js", version: "0.1.0" },
    context,
    events,
  });
}
