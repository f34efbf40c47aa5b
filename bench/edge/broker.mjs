// Brings a batch of the queue's messages to the Worker's consumer, as Cloudflare does.

export default {
  async fetch(request, env) {
    const messages = (await request.json()).map(({ body, contentType }, id) => {
      const bytes = Uint8Array.fromBase64(body);
      return {
        id: String(id),
        timestamp: new Date(),
        attempts: 1,
        body: contentType === "text" ? new TextDecoder().decode(bytes) : bytes.buffer,
      };
    });
    const { outcome, retryBatch, explicitAcks } = await env.EDGE.queue("bench", messages);
    const isDone = outcome === "ok" && !retryBatch.retry;
    return Response.json({ isDone, acknowledged: explicitAcks.length });
  },
};
