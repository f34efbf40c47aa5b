// What the module asks of the platform. Each function does in one call what would be many calls out of the module, which
// cost more than the work itself. Decisions are the module's.

const HEADERS = [
  "content-length",
  "origin",
  "cookie",
  "user-agent",
  "sec-ch-ua",
  "sec-ch-ua-mobile",
  "sec-ch-ua-platform",
  "accept-language",
  "sec-fetch-site",
  "sec-gpc",
  "cf-connecting-ip",
];

const PLACE = ["country", "region", "city", "asOrganization"];

/**
 * What is known of a request beside its body, a line each in the order of `request.rs`: `=` and the value, or nothing.
 *
 * @param {Request} request
 */
export function facts(request) {
  const { headers, cf } = request;
  const bots = cf?.botManagement;
  const values = [
    request.method,
    request.url,
    ...HEADERS.map((name) => headers.get(name)),
    ...PLACE.map((name) => cf?.[name]),
    bots?.score,
    bots?.verifiedBot,
  ];
  return values.map(line).join("\n");
}

function line(value) {
  return value === null || value === undefined ? "" : `=${String(value).replaceAll("\n", " ")}`;
}

/**
 * Reads a body whole, or returns why it was not: `too_large`, `too_slow`. What was announced is held by the platform; a
 * body of unknown length is counted, and one that breaks off is read as far as it came.
 *
 * @param {Request} request
 * @param {boolean} isAnnounced
 * @param {number} limit in bytes
 * @param {number} patience in milliseconds
 * @returns {Promise<Uint8Array | string>}
 */
export async function read(request, isAnnounced, limit, patience) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience, "too_slow");
  });
  try {
    const all = isAnnounced ? announced(request) : counted(request, limit);
    return await Promise.race([all, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function announced(request) {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch {
    return new Uint8Array();
  }
}

async function counted(request, limit) {
  const chunks = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.byteLength;
      if (length > limit) return "too_large";
      chunks.push(chunk);
    }
  } catch {
    // The connection broke.
  }
  return joined(chunks);
}

function joined(chunks) {
  const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * Counts a request by the limiter of its caller, if one is known, and by that of its write key, if the first has room.
 *
 * @returns {Promise<string | undefined>} the binding that has no room
 */
export async function full_limiter(env, per_visitor, visitor, per_key, key) {
  if (visitor !== undefined && !(await has_room(env[per_visitor], visitor))) return per_visitor;
  return (await has_room(env[per_key], key)) ? undefined : per_key;
}

/** Where a limiter is not bound, or does not answer, nobody is limited. */
async function has_room(limiter, key) {
  try {
    return limiter === undefined || (await limiter.limit({ key })).success;
  } catch {
    return true;
  }
}

/** Whether something is bound under a name. */
export function is_bound(env, binding) {
  return env[binding] !== undefined;
}

/**
 * Sends messages to a queue together.
 *
 * @param {Uint8Array[]} bodies
 * @param {number | undefined} delaySeconds
 * @returns {Promise<void>}
 */
export function send(env, binding, bodies, delaySeconds) {
  const messages = bodies.map((body) => ({ body, contentType: "bytes", delaySeconds }));
  return env[binding].sendBatch(messages);
}

/** Writes one point of metrics, and returns whether there is a dataset for it. */
export function count(env, binding, about, outcome, shop, figures) {
  const dataset = env[binding];
  if (dataset === undefined) return false;
  dataset.writeDataPoint({
    indexes: [shop],
    blobs: [about, outcome, shop],
    doubles: [...figures],
  });
  return true;
}

/**
 * Asks for an address.
 *
 * @param {number} patience in milliseconds
 * @returns {Promise<number | undefined>} the status of the answer, if there is one in time
 */
export async function ask(url, authorization, patience) {
  try {
    const signal = AbortSignal.timeout(patience);
    const response = await fetch(url, { headers: { Authorization: authorization }, signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/**
 * Posts JSON that is made piece by piece, and reads the answer as far as it comes: a connection that breaks, and patience
 * that ends, leave what came before.
 *
 * @param {() => Uint8Array | undefined} next makes the body's next piece, until there is none
 * @param {number} limit of the answer, in bytes
 * @param {number} patience in milliseconds
 * @returns {Promise<[number | undefined, string | null | undefined, boolean, Uint8Array]>} status, `Retry-After`, whether
 *   patience ended, the answer's body
 */
export async function converse(url, authorization, next, limit, patience) {
  const controller = new AbortController();
  const chunks = [];
  let status, retryAfter, timer;
  const answer = async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: authorization },
      body: pieces(() => (controller.signal.aborted ? undefined : next())),
      signal: controller.signal,
    });
    status = response.status;
    retryAfter = response.headers.get("Retry-After");
    let length = 0;
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > limit) break;
    }
  };
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience, true);
  });
  const inTime = answer().then(
    () => false,
    () => false,
  );
  const isLate = await Promise.race([inTime, late]);
  clearTimeout(timer);
  controller.abort();
  return [status, retryAfter, isLate, joined(chunks)];
}

/** A body of unknown length is sent in chunks, which is how the gateway tells streaming from single records. */
function pieces(next) {
  return new ReadableStream({
    pull(stream) {
      const piece = next();
      if (piece === undefined) stream.close();
      else stream.enqueue(piece);
    },
  });
}

/** Fetches one of the static files. */
export function file(env, binding, url) {
  return env[binding].fetch(url);
}

/** The headers of the last response: most have the same. */
let known = { lines: "", headers: new Headers() };

/**
 * Makes a response.
 *
 * @param {string} lines names and values of the headers, a line each
 * @param {string | undefined} body
 */
export function respond(status, lines, body) {
  if (lines !== known.lines) known = { lines, headers: headers(lines) };
  return new Response(body ?? null, { status, headers: known.headers });
}

function headers(lines) {
  const parts = lines.split("\n");
  const found = new Headers();
  for (let at = 0; at + 1 < parts.length; at += 2) {
    found.set(parts[at], parts[at + 1]);
  }
  return found;
}
