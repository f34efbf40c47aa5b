// BigQuery's API on this machine, for one test file: local-bigquery over a folder of its own, with one empty dataset.

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { close, listen } from "./loopback.mjs";
import { until } from "./until.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PYTHON = join(ROOT, "target/tools/local-bigquery/venv/bin/python");
const SERVE = join(ROOT, "tests/bigquery/serve.py");

const PROJECT = "demo";
const DATASET = "shoptrail";
/** Python and its libraries start on a machine that may be busy. */
const START_SECONDS = 120;
/** Longer than the server gives statements that still run at its end. */
const STOP_SECONDS = 20;

/** A running server. */
export class BigQueryServer {
  #child;
  #rest;
  #grpc;
  #data;
  #log;

  /** Starts the server on free ports and makes the dataset. */
  static async start() {
    if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing; hint: \`cargo xtask setup\``);
    const server = new BigQueryServer();
    const [rest, grpc] = await freePorts(2);
    server.#rest = `http://127.0.0.1:${rest}`;
    server.#grpc = `http://127.0.0.1:${grpc}`;
    server.#data = await mkdtemp(join(tmpdir(), "shoptrail-bigquery-"));
    server.#log = join(server.#data, "server.log");
    const log = openSync(server.#log, "w");
    const args = [
      SERVE,
      "--port",
      String(rest),
      "--grpc-port",
      String(grpc),
      "--data-dir",
      join(server.#data, "data"),
    ];
    // Its standard input is a pipe from here: it ends when this process does.
    server.#child = spawn(PYTHON, args, { stdio: ["pipe", log, log] });
    closeSync(log);
    try {
      const answers = async () => (await fetch(server.#datasets())).ok;
      await until(
        "the BigQuery server answers",
        () => (server.#ended() ? "ended" : answers()),
        START_SECONDS,
      );
      await server.#makeDataset();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** What Google's library for Python asks in the place of Google's servers, and the dataset there. */
  get emulator() {
    return { BIGQUERY_EMULATOR_HOST: this.#rest, DATASET: `${PROJECT}.${DATASET}` };
  }

  /** The flags by which `shoptrail` finds the dataset. */
  get flags() {
    return [
      "--warehouse",
      `bigquery://${PROJECT}/${DATASET}`,
      "--bigquery-endpoint",
      this.#rest,
      "--bigquery-grpc-endpoint",
      this.#grpc,
    ];
  }

  /** The jobs that came since then, milliseconds of the epoch, and are not done yet, as BigQuery describes them. */
  async jobsUnderWay(since) {
    const which = `minCreationTime=${since}&stateFilter=pending&stateFilter=running&projection=full`;
    const response = await fetch(`${this.#project()}/jobs?${which}`);
    if (!response.ok)
      throw new Error(`the jobs cannot be listed: ${response.status} ${await response.text()}`);
    return (await response.json()).jobs ?? [];
  }

  #project() {
    return `${this.#rest}/bigquery/v2/projects/${PROJECT}`;
  }

  #datasets() {
    return `${this.#project()}/datasets`;
  }

  async #makeDataset() {
    const body = JSON.stringify({ datasetReference: { projectId: PROJECT, datasetId: DATASET } });
    const response = await fetch(this.#datasets(), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (!response.ok)
      throw new Error(`the dataset cannot be made: ${response.status} ${await response.text()}`);
  }

  #ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends the server and removes its data. Fails when it has not lived until now. */
  async stop() {
    const endedBefore = this.#ended();
    this.#child.stdin.end();
    try {
      await until("the BigQuery server stops", () => this.#ended(), STOP_SECONDS);
      if (endedBefore)
        throw new Error(
          `the BigQuery server ended by itself\n${await readFile(this.#log, "utf8")}`,
        );
    } finally {
      this.#child.kill("SIGKILL");
      await rm(this.#data, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

/** Ports that nobody listens on. All are held until all are found, or the system might give one twice. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listen(server)));
  await Promise.all(servers.map(close));
  return ports;
}
