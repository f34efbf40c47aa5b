// Servers of tests: on the loopback, on ports that nobody else listens on.

import { createServer } from "node:http";

/** Has `server` listen on the loopback, and resolves to the port: a free one, unless `port` names another. */
export async function listen(server, port = 0) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** Ends a server with its connections. */
export function close(server) {
  return new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections?.();
  });
}

/** Starts a server that answers by `listener`. Resolves to `{origin, close}`. */
export async function serve(listener) {
  const server = createServer(listener);
  const port = await listen(server);
  return { origin: `http://127.0.0.1:${port}`, close: () => close(server) };
}
