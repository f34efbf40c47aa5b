// The whole stack on this machine, for one test file: real broker, real Worker runtime, real tables, all its own.

import { execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { until } from "./until.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SHOPTRAIL = join(ROOT, "target/debug/shoptrail");

/** Kafka, workerd and two more programs start on a machine that may be busy. */
const START_SECONDS = 120;
const STOP_SECONDS = 45;

/** Ends the stack when the test's process is gone, however it went: its end of the pipe closes then. */
const GUARD = 'read -r never; kill -s TERM "$1" 2> /dev/null';

const run = promisify(execFile);

/** A time zone where it is about noon: no test sees a day end. `Etc/GMT+5` is five hours behind UTC. */
function middayZone() {
  const ahead = new Date().getUTCHours() - 12;
  return `Etc/GMT${ahead < 0 ? "" : "+"}${ahead}`;
}

/** A running stack. `addresses` are those of its `stack.json`. */
export class Stack {
  #child;
  #guard;
  #warehouse;
  #flags;
  /** The rows of tables as they were last published. */
  #published = new Map();
  addresses;
  data;
  log;

  /**
   * Starts everything on free ports over an empty folder; resolves when all parts answer. `warehouse` are the flags that
   * name another one than the lake in that folder, `flags` any others.
   */
  static async start({ warehouse = [], flags = [] } = {}) {
    const stack = new Stack();
    stack.#warehouse = warehouse;
    stack.#flags = flags;
    stack.data = await mkdtemp(join(tmpdir(), "shoptrail-"));
    stack.log = join(stack.data, "local.log");
    await stack.#run();
    return stack;
  }

  async #run() {
    const log = openSync(this.log, "w");
    const args = [
      "local",
      "--data",
      this.data,
      "--port",
      "0",
      "--edge-port",
      "0",
      "--project",
      ROOT,
      "--time-zone",
      middayZone(),
      ...this.#warehouse,
      ...this.#flags,
    ];
    this.#child = spawn(SHOPTRAIL, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#guard = spawn("sh", ["-c", GUARD, "guard", String(this.#child.pid)], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    try {
      this.addresses = await until(
        "the stack is ready",
        () => (this.#ended() ? "ended" : this.#file()),
        START_SECONDS,
      );
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (this.#ended()) await this.stop();
  }

  /** Kills every process at once, as a power cut would, and starts the stack again over the same folder. */
  async cutPower() {
    const { pids } = await this.#file();
    for (const pid of [this.#child.pid, ...Object.values(pids)]) process.kill(pid, "SIGKILL");
    await until("all are gone", () => this.#ended(), STOP_SECONDS);
    this.#guard.kill("SIGKILL");
    await rm(join(this.data, "stack.json"), { force: true });
    await this.#run();
  }

  async #file() {
    return JSON.parse(await readFile(join(this.data, "stack.json"), "utf8"));
  }

  #ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The process id of a part (`kafka`, `edge`, `land`, `build`) as it is now. */
  async pid(part) {
    return (await this.#file()).pids[part];
  }

  /** Kills a part without warning, and returns the process id it had. */
  async kill(part) {
    const pid = await this.pid(part);
    process.kill(pid, "SIGKILL");
    return pid;
  }

  /** Whether a part runs that was killed when it had this process id. */
  async runsAgain(part, killed) {
    const pid = await this.pid(part);
    return pid !== undefined && pid !== killed;
  }

  /** Stops or starts the broker, and resolves when that is done. */
  async broker(what) {
    const response = await fetch(new URL(`local/broker/${what}`, this.addresses.shop), {
      method: "POST",
    });
    if (!response.ok)
      throw new Error(`the broker does not ${what}: ${response.status} ${await response.text()}`);
  }

  /** Asks for the newest publication. While somebody does, builds hurry; else they rest for up to two minutes. */
  look() {
    return this.#json("data/version");
  }

  /** The rows of any table, as they are published now: read again when something was published. Those of bronze, as landed. */
  async rows(table) {
    const version = JSON.stringify(await this.look());
    const last = this.#published.get(table);
    if (last?.version === version && !table.startsWith("bronze_")) return last.rows;
    const rows = await this.#show(table);
    this.#published.set(table, { version, rows });
    return rows;
  }

  async #show(table) {
    const warehouse =
      this.#warehouse.length > 0
        ? this.#warehouse
        : ["--warehouse", `lake:${join(this.data, "lake")}`];
    const { stdout } = await run(SHOPTRAIL, ["show", table, "--format", "json", ...warehouse], {
      maxBuffer: 1 << 28,
    });
    return JSON.parse(stdout);
  }

  /** The rows of a gold table, as the dashboard gets them. */
  gold(table) {
    return this.#json(`data/${table}.json`);
  }

  /** What came in: `all` (counts), `good` or `bad` (the newest first); `refusals` of whole requests. */
  micro(which) {
    return this.#json(`micro/${which}`);
  }

  async #json(path) {
    const response = await fetch(new URL(path, this.addresses.shop));
    if (!response.ok) throw new Error(`/${path} answers ${response.status}`);
    return response.json();
  }

  /** Ends everything and removes the data. Fails when the stack has not lived until now, or does not end. */
  async stop() {
    const endedBefore = this.#ended();
    this.#child.kill("SIGTERM");
    try {
      await until("the stack stops", () => this.#ended(), STOP_SECONDS);
      if (endedBefore) {
        const { exitCode, signalCode } = this.#child;
        throw new Error(
          `the stack ended by itself (${signalCode ?? exitCode})\n${await readFile(this.log, "utf8")}`,
        );
      }
    } finally {
      this.#child.kill("SIGKILL");
      this.#guard.kill("SIGKILL");
      await rm(this.data, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
