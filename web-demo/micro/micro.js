// The page of events received: hears of new ones, and asks for those that its filters want. Everything it shows was sent by
// strangers, so it only ever sets text.

/** Events shown of each kind. */
const SHOWN = 100;
const KINDS = ["good", "bad"];
const TEXTS = ["contains", "event_type", "shop", "page"];
const TIMES = ["since", "until"];
/** Whoever types has not finished a word. */
const TYPING_MS = 250;

/** @type {(id: string) => any} */
const byId = (id) => document.getElementById(id);
const shown = { good: new Map(), bad: new Map() };
const offset = { good: 0, bad: 0 };
/** How often a list was asked for: an answer that another has overtaken is not shown. */
const asked = { good: 0, bad: 0 };
let counts = null;
let paused = false;
let changes = null;
let typing;

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  say(paused ? "waiting" : "live", paused ? "Paused" : "Live");
  follow();
});
byId("reset").addEventListener("click", async () => {
  await fetch("/micro/reset", { method: "POST" });
  for (const kind of KINDS) offset[kind] = 0;
  await refresh(KINDS);
});
byId("filters").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    for (const kind of KINDS) offset[kind] = 0;
    refresh(KINDS);
  }, TYPING_MS);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
for (const kind of KINDS) {
  byId(`${kind}-newer`).addEventListener("click", () => turn(kind, -SHOWN));
  byId(`${kind}-older`).addEventListener("click", () => turn(kind, SHOWN));
}
document.addEventListener("visibilitychange", follow);
follow();

/** Listens for new events while somebody looks. */
function follow() {
  const isWanted = !paused && !document.hidden;
  if (!isWanted) {
    changes?.close();
    changes = null;
    return;
  }
  if (changes && changes.readyState !== EventSource.CLOSED) return;
  changes = new EventSource("/micro/changes");
  changes.addEventListener("counts", (event) => onCounts(JSON.parse(event.data)));
  changes.addEventListener("error", () =>
    say("error", "The local stack does not answer. Is `shoptrail local` running?"),
  );
}

async function onCounts(now) {
  const changed = KINDS.filter((kind) => now[kind] !== counts?.[kind]);
  const hasNewRefusals = now.refused_requests !== counts?.refused_requests;
  counts = now;
  for (const kind of KINDS) byId(`${kind}-count`).textContent = now[kind].toLocaleString();
  await refresh(changed);
  if (hasNewRefusals) await showRefusals();
}

/** Requests that never reached the topics: without this nobody would know why a page's events are missing. */
async function showRefusals() {
  const reply = await fetch("/micro/refusals").catch(() => null);
  // That the stack is gone is said by the stream of changes.
  if (!reply?.ok) return;
  const refusals = await reply.json();
  byId("refused").hidden = refusals.length === 0;
  byId("refusals").replaceChildren(...refusals.map(refusal));
}

function refusal({ origin, code, message, requests, last_at }) {
  const node = document.createElement("li");
  const page = document.createElement("b");
  page.textContent = origin ? `Pages of ${origin}` : "A program without an origin";
  const count = requests === 1 ? "1 request" : `${requests} requests`;
  const at = new Date(last_at).toLocaleTimeString([], { hour12: false });
  node.append(page, `: ${count}, the last at ${at}. ${code}: ${message}.`);
  if (code === "origin_not_allowed" && origin) {
    const flag = document.createElement("code");
    flag.textContent = `--origin ${origin}`;
    node.append(" Start the stack with ", flag, ".");
  }
  return node;
}

async function turn(kind, by) {
  offset[kind] = Math.max(0, offset[kind] + by);
  await refresh([kind]);
}

/** Asks for the lists of these kinds. */
async function refresh(kinds) {
  try {
    await Promise.all(kinds.map(list));
    say("live", "Live");
  } catch {
    say("error", "The local stack does not answer. Is `shoptrail local` running?");
  }
}

async function list(kind) {
  const query = filters();
  byId(`${kind}-export`).href = `/micro/${kind}?${query}&format=jsonl`;
  query.set("limit", String(SHOWN));
  query.set("offset", String(offset[kind]));
  const request = ++asked[kind];
  const reply = await fetch(`/micro/${kind}?${query}`);
  if (!reply.ok) throw new Error(`/micro/${kind}: ${reply.status}`);
  const entries = await reply.json();
  if (request === asked[kind]) show(kind, entries, Number(reply.headers.get("x-matched")));
}

/** What the reader wants to see, as the parameters of an address. */
function filters() {
  const query = new URLSearchParams();
  for (const name of TEXTS) {
    const value = byId(`filter-${name}`).value.trim();
    if (value) query.set(name, value);
  }
  for (const name of TIMES) {
    const at = Date.parse(byId(`filter-${name}`).value);
    if (!Number.isNaN(at)) query.set(name, String(at));
  }
  if (byId("filter-warnings").checked) query.set("warnings", "true");
  return query;
}

function say(state, text) {
  byId("live").dataset.state = state;
  // Only a change is worth reading out.
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

/** Puts new events on top and takes old ones away; those in between stay as they are, open or closed. */
function show(kind, entries, matched) {
  const old = shown[kind];
  const items = new Map(
    entries.map((entry) => [place(entry), old.get(place(entry)) ?? item(kind, entry)]),
  );
  for (const [key, node] of old) if (!items.has(key)) node.remove();
  const host = byId(kind);
  [...items.values()].forEach((node, index) => {
    if (host.children[index] !== node) host.insertBefore(node, host.children[index] ?? null);
  });
  shown[kind] = items;
  const total = counts?.[kind] ?? matched;
  byId(`${kind}-empty`).hidden = total > 0;
  byId(`${kind}-none`).hidden = total === 0 || matched > 0;
  const first = offset[kind] + 1;
  const last = offset[kind] + items.size;
  byId(`${kind}-place`).textContent = matched > 0 ? `${first} to ${last} of ${matched}` : "";
  byId(`${kind}-newer`).disabled = offset[kind] === 0;
  byId(`${kind}-older`).disabled = last >= matched;
  byId(`${kind}-pages`).hidden = matched <= SHOWN && offset[kind] === 0;
}

function place({ kafka }) {
  return `${kafka.topic}/${kafka.partition}/${kafka.offset}`;
}

function item(kind, entry) {
  const node = byId("entry").content.cloneNode(true).firstElementChild;
  const part = (selector) => node.querySelector(selector);
  const words = kind === "good" ? goodWords(entry) : badWords(entry);
  const time = new Date(words.time ?? entry.kafka.timestamp);
  if (!Number.isNaN(time.valueOf())) {
    part("time").dateTime = time.toISOString();
    part("time").textContent =
      `${time.toLocaleTimeString([], { hour12: false })}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  }
  part(".what").textContent = words.what;
  part(".about").textContent = words.about;
  part(".who").textContent = String(entry.kafka.key ?? "").slice(0, 8);
  part(".who").title = entry.kafka.key ? `anonymous_id ${entry.kafka.key}` : "";
  part(".badge").hidden = words.warnings === 0;
  part(".badge").textContent = words.warnings === 1 ? "1 warning" : `${words.warnings} warnings`;
  part(".reasons").append(...words.reasons.map(reason));
  part("dl").append(...words.parts.flatMap(([name, text]) => definition(name, text)));
  return node;
}

function goodWords({ event, batch, edge, schema_id, kafka }) {
  // What the edge could understand in spite of a mistake: it was counted, and is worth putting right.
  const warnings = Array.isArray(edge?.warnings) ? edge.warnings : [];
  return {
    time: edge?.received_at,
    what: String(event?.event_type),
    about: [itemNames(event), amount(event), path(event?.page_url)].filter(Boolean).join(" · "),
    reasons: warnings,
    warnings: warnings.length,
    parts: [
      ["The event, as the page sent it", pretty(event)],
      ["What its batch shares", pretty(batch)],
      ["What the edge added", pretty(edge)],
      ["Where it lies in Kafka", pretty({ ...kafka, schema_id })],
    ],
  };
}

function badWords(entry) {
  const {
    code,
    pointer,
    message,
    rejections,
    original,
    original_encoding,
    received_at,
    kafka,
    shop_id,
  } = entry;
  const all =
    Array.isArray(rejections) && rejections.length > 0 ? rejections : [{ code, pointer, message }];
  return {
    time: received_at,
    what: String(code ?? "unknown"),
    about: [pointer, message].filter(Boolean).join(": "),
    reasons: all,
    warnings: 0,
    parts: [
      [
        original_encoding === "base64"
          ? "The bytes as they came, in base64"
          : "The bytes as they came",
        indented(original),
      ],
      ["Where it lies in Kafka", pretty({ ...kafka, shop_id })],
    ],
  };
}

function itemNames(event) {
  if (!Array.isArray(event?.items)) return "";
  const names = event.items.map((one) => one?.item_name ?? one?.item_id).filter(Boolean);
  return names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", ");
}

function amount(event) {
  return event?.value !== undefined && event?.currency ? `${event.value} ${event.currency}` : "";
}

function path(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return "";
  }
}

function pretty(value) {
  return JSON.stringify(value ?? null, null, 2);
}

function indented(text) {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}

function reason({ code, pointer, message }) {
  const node = document.createElement("li");
  const name = document.createElement("code");
  name.textContent = [code, pointer].filter(Boolean).join(" ");
  node.append(name, ` ${message ?? ""}`);
  return node;
}

function definition(name, text) {
  const term = document.createElement("dt");
  term.textContent = name;
  const details = document.createElement("dd");
  const code = document.createElement("pre");
  code.tabIndex = 0;
  code.textContent = text;
  details.append(code);
  return [term, details];
}
