// Runs one Worker in workerd with nothing else in its process but what brings it the queue's batches: Miniflare's own Workers
// would be most of what is measured. The Cloudflare Queue and Confluent's REST API are servers in this process.

import { spawn } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { COMPATIBILITY_DATE, OUT } from "./workers.mjs";

// workerd is Miniflare's: what the Worker's tests run in.
const ofMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
const { default: WORKERD } = ofMiniflare("workerd");

/**
 * Starts a Worker. Resolves to `{url, broker, cpu(), stop()}`: `cpu` is what the process has used, in microseconds; `broker`
 * takes the queue's messages for the Worker's consumer.
 *
 * @param {{module: any[], vars: object}} worker
 * @param {string} queue where `sendBatch` posts to, `host:port`
 */
export async function startWorkerd({ module, vars }, queue) {
  const folder = new URL("workerd/", OUT);
  await mkdir(folder, { recursive: true });
  for (const { path, contents } of module) await writeFile(new URL(path, folder), contents);
  const broker = await readFile(new URL("broker.mjs", import.meta.url));
  await writeFile(new URL("broker.mjs", folder), broker);
  const config = new URL("config.capnp", folder);
  await writeFile(config, configuration(module, vars, queue));
  const child = spawn(
    WORKERD,
    ["serve", "--experimental", "--control-fd=3", fileURLToPath(config)],
    { stdio: ["ignore", "ignore", "inherit", "pipe"] },
  );
  const ports = await listening(child, ["http", "broker"]);
  return {
    url: `http://127.0.0.1:${ports.http}/b`,
    broker: `http://127.0.0.1:${ports.broker}/`,
    cpu: () => cpuMicroseconds(child.pid),
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill();
      }),
  };
}

function configuration(module, vars, queue) {
  const texts = Object.entries(vars).map(
    ([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`,
  );
  const modules = module.map(({ type, path }) => {
    const kind = type === "CompiledWasm" ? "wasm" : "esModule";
    return `(name = "${path}", ${kind} = embed "${path}")`;
  });
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "broker", worker = .broker),
    (name = "queue", external = (address = "${queue}", http = ())),
    (name = "internet", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "cf-blob"), service = "edge"),
    (name = "broker", address = "127.0.0.1:0", http = (), service = "broker"),
  ],
  extensions = [(modules = [
    (name = "bench:metrics", internal = true, esModule = "export default () => ({ writeDataPoint() {} });"),
    (name = "bench:limit", internal = true, esModule = "export default () => ({ limit: async () => ({ success: true }) });"),
  ])],
);
const edge :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  modules = [${modules.join(", ")}],
  bindings = [
    (name = "EVENTS", queue = "queue"),
    (name = "METRICS", wrapped = (moduleName = "bench:metrics")),
    (name = "LIMIT_PER_KEY", wrapped = (moduleName = "bench:limit")),
    (name = "LIMIT_PER_VISITOR", wrapped = (moduleName = "bench:limit")),
    ${texts.join(",\n    ")},
  ],
);
const broker :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["service_binding_extra_handlers"],
  modules = [(name = "broker.mjs", esModule = embed "broker.mjs")],
  bindings = [(name = "EDGE", service = "edge")],
);
`;
}

/** Waits until workerd has said where it listens. */
async function listening(child, sockets) {
  const ports = {};
  let text = "";
  for await (const chunk of child.stdio[3]) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const { socket, port } of lines.map((line) => JSON.parse(line))) ports[socket] = port;
    if (sockets.every((socket) => ports[socket])) return ports;
  }
  throw new Error("workerd has ended");
}

/** What all threads of a process have used. */
async function cpuMicroseconds(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, used) => sum + used, 0) / 1_000;
}
