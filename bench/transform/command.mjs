// Programs that the benchmark runs, one after another.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MEASURED = fileURLToPath(new URL("measured.py", import.meta.url));
/** Characters that are kept of what a program says. */
const SAID = 4_000;

/**
 * @typedef {object} Cost what a program and all its children have used
 * @property {number} cpu_s
 * @property {number} wall_s
 * @property {number} peak_mib of the largest of the processes
 */

/**
 * Runs a program to its end and resolves to what it printed. What it says of its work is kept for its error.
 *
 * @param {string} program
 * @param {string[]} args
 */
export async function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let said = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  child.stderr.on("data", (data) => {
    said = (said + data).slice(-SAID);
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`\`${program} ${args.join(" ")}\` ended with ${code}: ${said}`);
  return text.trim();
}

/**
 * Runs a program and resolves to what it printed and what it cost.
 *
 * @param {string} python
 * @param {string[]} command
 */
export async function measure(python, command) {
  const lines = (await run(python, [MEASURED, ...command])).split("\n");
  const cost = /** @type {Cost} */ (JSON.parse(lines.pop() ?? ""));
  return { printed: lines.join("\n"), cost };
}
