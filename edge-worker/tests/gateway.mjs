// Plays Confluent's REST Produce v3 as its documentation describes it: one streaming call, one report for each record in
// the records' order, HTTP 200 before anything is in Kafka. Tests script what goes wrong; it is no part of the product.

import { createServer } from "node:http";

import { close, listen } from "../../tests/loopback.mjs";

const API_KEY = "test-key";
const API_SECRET = "test-secret";
const CLUSTER_ID = "lkc-test";

/** The variables that point a Worker to this gateway. */
export function bindings(gateway) {
  return {
    SHOPTRAIL_KAFKA_REST_URL: `${gateway.url}/kafka`,
    SHOPTRAIL_KAFKA_CLUSTER_ID: CLUSTER_ID,
    SHOPTRAIL_SCHEMA_ID: "100001",
    SHOPTRAIL_KAFKA_API_KEY: API_KEY,
    SHOPTRAIL_KAFKA_API_SECRET: API_SECRET,
  };
}

export class Gateway {
  /** What is in each topic: `{key, value, headers}`. */
  topics = { clickstream_event_v3: [], "clickstream_event_v3.dlq": [] };
  /** Every call that came: topic, how many records, the headers. */
  calls = [];
  /**
   * A report that is not success, `"end"` for the stream's end before it, or `undefined`.
   * @type {(record: any, position: number, call: any) => any}
   */
  report = () => undefined;
  /**
   * Answers a whole call some other way, and says so.
   * @type {(response: import("node:http").ServerResponse) => boolean}
   */
  intercept = () => false;

  #server = createServer((request, response) =>
    this.#answer(request, response).catch(() => response.destroy()),
  );
  #port = 0;

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get events() {
    return this.topics.clickstream_event_v3;
  }

  get deadLetters() {
    return this.topics["clickstream_event_v3.dlq"];
  }

  /** Listens on a free port, and after `stop` on the same. */
  async start() {
    this.#port = await listen(this.#server, this.#port);
    return this;
  }

  /** From now on connections are refused. */
  stop() {
    return close(this.#server);
  }

  async #answer(request, response) {
    if (this.intercept(response)) {
      request.resume();
      return;
    }
    const [, topic, records] =
      /^\/kafka\/v3\/clusters\/lkc-test\/topics\/([\w.-]+?)(\/records)?$/.exec(request.url) ?? [];
    const authorization = `Basic ${Buffer.from(`${API_KEY}:${API_SECRET}`).toString("base64")}`;
    if (request.headers.authorization !== authorization) {
      return send(response, 401, { error_code: 40101, message: "Authentication failed" });
    }
    if (!topic || !this.topics[topic]) {
      return send(response, 404, {
        error_code: 40403,
        message: "This server does not host this topic-partition.",
      });
    }
    if (!records) {
      return send(response, 200, { kind: "KafkaTopic", topic_name: topic });
    }
    if (request.headers["content-type"] !== "application/json") {
      return send(response, 415, { error_code: 415, message: "HTTP 415 Unsupported Media Type" });
    }
    const call = { topic, records: 0, headers: request.headers };
    this.calls.push(call);
    response.writeHead(200, { "content-type": "application/json" });
    for await (const record of objects(request)) {
      const position = call.records++;
      const report = this.report(record, position, call);
      if (report === "end") {
        break;
      }
      if (report === undefined) {
        this.topics[topic].push(record);
      }
      response.write(JSON.stringify(report ?? success(topic, this.topics[topic].length, record)));
      if (report?.endsStream) {
        break;
      }
    }
    response.end();
  }
}

/** A report of a record that is in Kafka. */
function success(topic, offset, record) {
  return {
    error_code: 200,
    cluster_id: CLUSTER_ID,
    topic_name: topic,
    partition_id: 0,
    offset,
    timestamp: new Date().toISOString(),
    ...(record.key === undefined ? {} : { key: { type: "BINARY", size: record.key.length } }),
    value: { type: "BINARY", size: record.value.length },
  };
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** Reads concatenated JSON objects as they come. No brace stands inside a string here, as all texts are base64. */
async function* objects(request) {
  let text = "";
  let depth = 0;
  for await (const chunk of request) {
    for (const character of chunk.toString("utf8")) {
      text += character;
      depth += character === "{" ? 1 : character === "}" ? -1 : 0;
      if (depth === 0 && text.trim() !== "") {
        yield decode(JSON.parse(text));
        text = "";
      }
    }
  }
}

function decode(record) {
  const { headers = [], key, value, ...unknown } = record;
  const binary = (data) => {
    if (data?.type !== "BINARY") {
      throw new Error(`Confluent Cloud takes BINARY here, not ${data?.type}`);
    }
    return Buffer.from(data.data, "base64");
  };
  if (Object.keys(unknown).length > 0) {
    throw new Error(`unknown fields: ${Object.keys(unknown)}`);
  }
  return {
    key: key && binary(key).toString("utf8"),
    value: binary(value),
    headers: Object.fromEntries(
      headers.map(({ name, value }) => [name, Buffer.from(value, "base64").toString("utf8")]),
    ),
  };
}
