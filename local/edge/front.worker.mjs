// What Cloudflare's network does before a Worker: it names the client, and takes from no client what only it may say.

/** Paths that are Cloudflare's own on every domain. */
const PLATFORM = "/cdn-cgi/";

export default {
  async fetch(request, env) {
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
    return env.WORKER.fetch(new Request(request, { headers, cf: {} }));
  },
};
