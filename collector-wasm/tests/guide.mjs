// The code of docs/install-tag.md, for the tests that run it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const GUIDE = await readFile(new URL("../../docs/install-tag.md", import.meta.url), "utf8");

/** The code of a language below a heading, for this edge. */
export const codeOf = (edge, heading, language) => {
  const section = GUIDE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const [, code] = new RegExp("```" + language + "\n(.*?)```", "s").exec(section) ?? [];
  assert.ok(code, `${heading}: no ${language}`);
  return code.replaceAll("https://track.shop.example", edge.origin).replaceAll("pk_…", "pk_test");
};
