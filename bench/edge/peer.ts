// What a good TypeScript Worker does for the same batch: a validator that Ajv compiled from our own schema, the same
// headers, one record an event, the same queue; its consumer merges messages into calls of Produce v3 and reads every report.
// It does not repair events, derive columns or clean addresses.

import validate from "event-validator";

interface Env {
    EVENTS: { sendBatch(messages: { body: string; contentType: "text" }[]): Promise<void> };
    SHOPTRAIL_SHOPS: string;
    SHOPTRAIL_KAFKA_REST_URL: string;
    SHOPTRAIL_KAFKA_CLUSTER_ID: string;
    SHOPTRAIL_SCHEMA_ID: string;
    SHOPTRAIL_KAFKA_API_KEY: string;
    SHOPTRAIL_KAFKA_API_SECRET: string;
    /** `ajv`, or `no_validation`, `queue` and `read` for what less of the work costs. */
    WORK: "ajv" | "no_validation" | "queue" | "read";
}

interface MessageBatch {
    messages: { body: string; ack(): void; retry(): void }[];
}

/** A good event, or one that was refused. */
type QueueRecord = { key: string; value: object } | { dead_letter: object; errors: object[] };

interface Shop {
    write_key: string;
    shop_id: string;
    origins: string[];
}

const MAX_BODY_BYTES = 512 * 1024;
const MAX_MESSAGE_BYTES = 127_000;
const MAX_CALL_RECORDS = 1_000;
const RECORDS_PER_CHUNK = 50;
const TOPIC = "clickstream_event_v3";
const encoder = new TextEncoder();

let shops: Map<string, Shop> | undefined;

export default {
    async fetch(request: Request, env: Env): Promise<Response> {
        const text = await request.text();
        if (text.length > MAX_BODY_BYTES) return refuse(413, "too_large");
        if (env.WORK === "read") return Response.json({ accepted: 20 }, { status: 202 });
        if (env.WORK === "queue") {
            await env.EVENTS.sendBatch([{ body: text, contentType: "text" }]);
            return Response.json({ accepted: 20 }, { status: 202 });
        }
        const { events, write_key, ...batch } = JSON.parse(text);
        shops ??= new Map(
            JSON.parse(env.SHOPTRAIL_SHOPS).map((shop: Shop) => [shop.write_key, shop]),
        );
        const shop = shops.get(write_key);
        const origin = request.headers.get("Origin");
        if (!shop) return refuse(401, "unknown_write_key");
        if (!origin || !shop.origins.includes(origin)) return refuse(403, "origin_not_allowed");
        const edge = enrich(request, shop);
        const verdicts: object[] = [];
        const records: string[] = [];
        let rejected = 0;
        events.forEach((event: { event_id: string; anonymous_id: string }, index: number) => {
            if (env.WORK === "no_validation" || validate(event)) {
                verdicts.push({ index, event_id: event.event_id, status: "accepted" });
                records.push(
                    JSON.stringify({ key: event.anonymous_id, value: { event, batch, edge } }),
                );
            } else {
                const errors = validate.errors.map(({ keyword, instancePath, message }) => ({
                    code: keyword,
                    pointer: instancePath,
                    message,
                }));
                rejected += 1;
                verdicts.push({ index, status: "rejected", errors });
                records.push(JSON.stringify({ dead_letter: event, errors }));
            }
        });
        await env.EVENTS.sendBatch(pack(records));
        return Response.json(
            { accepted: events.length - rejected, rejected, events: verdicts },
            { status: rejected === 0 ? 202 : 207, headers: cors(origin) },
        );
    },

    async queue(batch: MessageBatch, env: Env): Promise<void> {
        if (env.WORK === "queue") return;
        const records = batch.messages.map(({ body }) => JSON.parse(body).records as QueueRecord[]);
        const delivered = await deliver(records.flat(), env);
        let at = 0;
        batch.messages.forEach((message, index) => {
            const own = delivered.slice(at, (at += records[index].length));
            if (own.every(Boolean)) message.ack();
            else message.retry();
        });
    },
};

/** Says of each record whether it is in Kafka. */
async function deliver(records: QueueRecord[], env: Env): Promise<boolean[]> {
    const delivered = new Array<boolean>(records.length).fill(false);
    const places = [...records.keys()];
    for (const isLetter of [false, true]) {
        const own = places.filter((place) => "dead_letter" in records[place] === isLetter);
        for (let from = 0; from < own.length; from += MAX_CALL_RECORDS) {
            const sent = own.slice(from, from + MAX_CALL_RECORDS);
            const topic = isLetter ? `${TOPIC}.dlq` : TOPIC;
            const reports = await produce(
                topic,
                sent.map((place) => records[place]),
                env,
            );
            sent.forEach((place, index) => {
                delivered[place] = reports[index]?.error_code === 200;
            });
        }
    }
    return delivered;
}

/** One call, streamed as Confluent asks for many records, and its reports. */
async function produce(topic: string, records: QueueRecord[], env: Env) {
    const schemaId = Number(env.SHOPTRAIL_SCHEMA_ID);
    let at = 0;
    const body = new ReadableStream({
        pull(stream) {
            const chunk = records.slice(at, (at += RECORDS_PER_CHUNK));
            if (chunk.length === 0) return stream.close();
            const objects = chunk.map((record) => produceObject(record, schemaId));
            stream.enqueue(encoder.encode(objects.join("")));
        },
    });
    const { SHOPTRAIL_KAFKA_API_KEY: key, SHOPTRAIL_KAFKA_API_SECRET: secret } = env;
    const url = `${env.SHOPTRAIL_KAFKA_REST_URL}/v3/clusters/${env.SHOPTRAIL_KAFKA_CLUSTER_ID}/topics/${topic}/records`;
    const response = await fetch(url, {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            Authorization: `Basic ${btoa(`${key}:${secret}`)}`,
        },
        body,
        signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    if (!response.ok) return [];
    const reports: { error_code: number }[] = JSON.parse(
        `[${text.trim().replace(/\}\s*\{/g, "},{")}]`,
    );
    return reports;
}

function produceObject(record: QueueRecord, schemaId: number) {
    if ("dead_letter" in record) {
        return `{"value":{"type":"BINARY","data":"${binary(JSON.stringify(record), new Uint8Array())}"}}`;
    }
    const key = binary(record.key, new Uint8Array());
    // Confluent's wire format: a zero, the schema's id, the JSON.
    const header = new Uint8Array(5);
    new DataView(header.buffer).setUint32(1, schemaId);
    const value = binary(JSON.stringify(record.value), header);
    return `{"key":{"type":"BINARY","data":"${key}"},"value":{"type":"BINARY","data":"${value}"}}`;
}

function binary(text: string, header: Uint8Array): string {
    const bytes = new Uint8Array(header.length + 3 * text.length);
    bytes.set(header);
    const { written } = encoder.encodeInto(text, bytes.subarray(header.length));
    const whole = bytes.subarray(0, header.length + written) as Uint8Array & { toBase64(): string };
    return whole.toBase64();
}

function enrich(request: Request, shop: Shop) {
    const userAgent = request.headers.get("User-Agent") ?? "";
    const cf = (request as unknown as { cf?: Record<string, string> }).cf ?? {};
    return {
        received_at: Date.now(),
        shop_id: shop.shop_id,
        schema_version: 2,
        country: cf.country,
        region: cf.region,
        city: cf.city,
        device: /Mobile/.test(userAgent) ? "mobile" : "desktop",
        browser: /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(userAgent)?.[1] ?? "other",
        os: /(Windows|iPhone|Android|Macintosh|Linux)/.exec(userAgent)?.[1] ?? "other",
        bot_score: /bot|crawl|spider/i.test(userAgent) ? 100 : 0,
        bot_reasons: [],
        gpc: request.headers.get("Sec-GPC") === "1",
    };
}

function pack(records: string[]) {
    const messages: { body: string; contentType: "text" }[] = [];
    let parts: string[] = [];
    let bytes = 0;
    const close = () =>
        messages.push({
            body: `{"failures":0,"records":[${parts.join(",")}]}`,
            contentType: "text",
        });
    for (const record of records) {
        const size = encoder.encode(record).length + 1;
        if (bytes + size > MAX_MESSAGE_BYTES) {
            close();
            parts = [];
            bytes = 0;
        }
        parts.push(record);
        bytes += size;
    }
    close();
    return messages;
}

function cors(origin: string) {
    return { "Access-Control-Allow-Origin": origin, Vary: "Origin" };
}

function refuse(status: number, code: string) {
    return Response.json({ error: { code } }, { status });
}
