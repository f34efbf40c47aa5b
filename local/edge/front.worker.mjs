// What Cloudflare's network does before a Worker: it names the client, and takes from no client what only it may say. And
// it tells the page of events received of requests that the Worker turned away by their key or origin.

/** Paths that are Cloudflare's own on every domain. */
const PLATFORM = "/cdn-cgi/";
/** Where a simulated shopper is: they have one address, by which Cloudflare would know it. */
const COUNTRY = "simulated-country";
/** Wrong write key, wrong origin. */
const REFUSED = [401, 403];

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname.startsWith(PLATFORM)) {
      return new Response("not found\n", { status: 404 });
    }
    const headers = new Headers(request.headers);
    for (const name of [...headers.keys()]) {
      if (/^(mf|cf)-/i.test(name)) {
        headers.delete(name);
      }
    }
    // Only this machine reaches the port.
    headers.set("CF-Connecting-IP", "127.0.0.1");
    const origin = headers.get("origin");
    const country = headers.get(COUNTRY);
    headers.delete(COUNTRY);
    const cf = /^[A-Z]{2}$/.test(country ?? "") ? { country } : {};
    const reply = await env.WORKER.fetch(new Request(request, { headers, cf }));
    if (REFUSED.includes(reply.status)) context.waitUntil(tell(env, origin, reply.clone()));
    return reply;
  },
};

/** @param {string | null} origin */
async function tell(env, origin, reply) {
  const { error } = await reply.json();
  await env.REFUSALS.fetch("http://refusals/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ origin, code: error.code, message: error.message }),
  });
}
