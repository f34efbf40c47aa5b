// Writes `src/enrich/programs.txt`: the names by which programs are known, from the public list `crawler-user-agents` (MIT).
// `--check` writes nothing and fails when the file is not what the list gives.
//
// The list has regular expressions; all that the Worker looks for is a fixed text, at the start (`^`) or anywhere. What
// contains a shorter name, or one of the words that the Worker knows by itself, is left out.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const FILE = new URL("src/enrich/programs.txt", import.meta.url);
const WORDS = ["bot", "crawl", "spider", "+http"];

/** Names that people's own browsers have in them, too: views inside apps, and what browsers and phones are called. A
 *  browser without a window has a score of its own. */
const PEOPLE = [
  "Daum",
  "Fluid",
  "HeadlessChrome",
  "Odin",
  "Pinterest",
  "Silk",
  "Snapchat",
  "Sogou",
  "Sonic",
  "Viber",
];
/** Names that are a program's only at the start. */
const AT_THE_START = ["WhatsApp"];

const PACKAGE = dirname(createRequire(import.meta.url).resolve("crawler-user-agents"));
const read = async (name) => JSON.parse(await readFile(join(PACKAGE, name), "utf8"));
const { version } = await read("package.json");
const list = await read("crawler-user-agents.json");

/** The fixed texts that a pattern of the list looks for. */
function texts(pattern) {
  const fixed = (text) =>
    text.replace(/\[\\s\\S\]\*.*|\\d.*|\(\[\^.*|\$$/g, "").replace(/\\(.)/g, "$1");
  return alternatives(pattern)
    .map(fixed)
    .map((text) => (AT_THE_START.includes(text) ? `^${text}` : text));
}

function alternatives(pattern) {
  const letter = /^(.*?)\[(\w)(\w)\](.*)$/.exec(pattern);
  if (letter) {
    const [, before, one, other, after] = letter;
    return [one, other].flatMap((either) => alternatives(before + either + after));
  }
  const group = /^(.*?)(?<!\\)\(([^()\\]*\|[^()\\]*)(?<!\\)\)(.*)$/.exec(pattern);
  if (group && !group[2].startsWith("[")) {
    const [, before, choice, after] = group;
    return choice.split("|").flatMap((one) => alternatives(before + one + after));
  }
  return /^[\w ]+\|[\w ]+$/.test(pattern) ? pattern.split("|") : [pattern];
}

function reduced() {
  const all = [...new Set(list.flatMap(({ pattern }) => texts(pattern)))]
    .filter((text) => text.length >= 3 && !WORDS.some((word) => text.toLowerCase().includes(word)))
    .filter((text) => !PEOPLE.some((name) => text.includes(name)));
  const anywhere = all.filter((text) => !text.startsWith("^"));
  return all
    .filter((text) => !anywhere.some((other) => other !== text && text.includes(other)))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

const content = `# crawler-user-agents ${version} (MIT), by \`node edge-worker/programs.mjs\`\n${reduced().join("\n")}\n`;
if (!process.argv.includes("--check")) {
  await writeFile(FILE, content);
} else if ((await readFile(FILE, "utf8")) !== content) {
  console.error("programs.txt is stale\nhint: run `node edge-worker/programs.mjs`");
  process.exitCode = 1;
}
