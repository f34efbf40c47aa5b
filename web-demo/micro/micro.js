// The page of what came in: asks for the counts every second while it is visible, and for the newest events when they changed. Everything it
// shows was sent by strangers, so it only ever sets text.

const POLL_MS = 1000;
/** Events shown of each kind. */
const SHOWN = 200;
const KINDS = ["good", "bad"];

const byId = (id) => document.getElementById(id);
const shown = { good: new Map(), bad: new Map() };
let counts = null;
let paused = false;

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  say(paused ? "waiting" : "live", paused ? "Paused" : "Live");
});
byId("reset").addEventListener("click", async () => {
  await fetch("/micro/reset", { method: "POST" });
  await refresh();
});
byId("search").addEventListener("input", filter);
for (;;) {
  if (!paused && !document.hidden) await refresh();
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

async function refresh() {
  try {
    const now = await json("/micro/all");
    const changed = KINDS.filter((kind) => now[kind] !== counts?.[kind]);
    const lists = await Promise.all(changed.map((kind) => json(`/micro/${kind}?limit=${SHOWN}`)));
    changed.forEach((kind, index) => show(kind, lists[index], now[kind]));
    counts = now;
    filter();
    say("live", "Live");
  } catch {
    say("error", "The local stack does not answer. Is `shoptrail local` running?");
  }
}

async function json(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return reply.json();
}

function say(state, text) {
  byId("live").dataset.state = state;
  // Only a change is worth reading out.
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

/** Puts new events on top and takes old ones away; those in between stay as they are, open or closed. */
function show(kind, entries, total) {
  const old = shown[kind];
  const items = new Map(
    entries.map((entry) => [place(entry), old.get(place(entry)) ?? item(kind, entry)]),
  );
  for (const [key, node] of old) if (!items.has(key)) node.remove();
  const list = byId(kind);
  [...items.values()].forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  shown[kind] = items;
  byId(`${kind}-count`).textContent = total.toLocaleString();
  byId(`${kind}-empty`).hidden = total > 0;
  const more = byId(`${kind}-more`);
  more.hidden = total <= items.size;
  more.textContent = `The newest ${items.size} are shown.`;
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
  part(".reasons").append(...words.reasons.map(reason));
  part("dl").append(...words.parts.flatMap(([name, text]) => definition(name, text)));
  node.dataset.text = JSON.stringify(entry).toLowerCase();
  return node;
}

function goodWords({ event, batch, edge, schema_id, kafka }) {
  return {
    time: edge?.received_at,
    what: String(event?.event_type),
    about: [itemNames(event), amount(event), path(event?.page_url)].filter(Boolean).join(" · "),
    reasons: [],
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

function filter() {
  const wanted = byId("search").value.trim().toLowerCase();
  for (const kind of KINDS)
    for (const node of shown[kind].values()) node.hidden = !node.dataset.text.includes(wanted);
}
