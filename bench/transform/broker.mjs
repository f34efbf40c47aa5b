// Apache Kafka of one node, for one run of the benchmark.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { run } from "./command.mjs";

const CLUSTER = "c2hvcHRyYWlsLWJlbmNoLg"; // 16 bytes in base64

/**
 * Starts Kafka over an empty folder. Clients wait for it themselves.
 *
 * @param {string} folder
 * @param {string} jars
 */
export async function startKafka(folder, jars) {
  await mkdir(folder, { recursive: true });
  const [port, controller] = [await freePort(), await freePort()];
  const properties = join(folder, "server.properties");
  await writeFile(properties, settings(join(folder, "data"), port, controller));
  const java = ["-Xmx512m", "-cp", `${jars}/*`];
  const format = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties];
  await run("java", [...java, ...format]);
  const broker = spawn("java", [...java, "kafka.Kafka", properties], { stdio: "ignore" });
  return {
    servers: `127.0.0.1:${port}`,
    async stop() {
      broker.kill();
      await once(broker, "exit");
    },
  };
}

function settings(data, port, controller) {
  return `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:${controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${data}
log.retention.ms=-1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
`;
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
