// What a good TypeScript Worker does for the same batch: a validator that Ajv compiled from our own schema, the same
// headers, one record an event, the same queue. It does not repair events, derive columns or clean addresses.

import validate from "event-validator";

interface Env {
    EVENTS: { sendBatch(messages: { body: string; contentType: "text" }[]): Promise<void> };
    SHOPTRAIL_SHOPS: string;
    /** `ajv`, or `no_validation`, `queue` and `read` for what less of the work costs. */
    WORK: "ajv" | "no_validation" | "queue" | "read";
}

interface Shop {
    write_key: string;
    shop_id: string;
    origins: string[];
}

const MAX_BODY_BYTES = 512 * 1024;
const MAX_MESSAGE_BYTES = 127_000;
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
};

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
