import type { Context, Hono } from "hono";
import { arrivesInTime, packedBody } from "./bodies.ts";
import { lostOf } from "./json_text.ts";
import { resource } from "./methods.ts";

/**
 * The Model Context Protocol over streamable HTTP, without sessions, on `POST /mcp`. Its tools call the API of this
 * same app. The protocol's library is loaded with the first request, since few instances are ever asked.
 */
export function mountMcp(app: Hono): void {
  const loading = () =>
    import("./mcp/server.ts").then(({ createHandler }) =>
      createHandler((request, env) => Promise.resolve(app.fetch(request, env)))
    );
  let handler: ReturnType<typeof loading> | undefined;

  resource(app, "/mcp", {
    async POST(c) {
      handler ??= loading();
      const { signal } = c.req.raw; // before anything is awaited: a client that leaves earlier would be missed
      const body = await arrivesInTime(c.req.arrayBuffer());
      const refusal = refuseLost(c, body);
      if (refusal) return c.json(refusal);
      const { answer } = await handler;
      return await answer(new Request(c.req.raw, { body, signal }), c.env);
    },
  });
}

/** JSON-RPC's code for what the caller got wrong. */
const INVALID_PARAMS = -32_602;

/** The answer to a message of which something would be lost: the protocol's library rounds numbers. */
function refuseLost(c: Context, body: ArrayBuffer) {
  const text = new TextDecoder().decode(body);
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    const packed = packedBody(c);
    if (packed) throw packed;
    return undefined; // the library says what is wrong with it
  }
  const lost = lostOf(text, message);
  if (lost === undefined) return undefined;
  const { id } = (message ?? {}) as { id?: unknown };
  const known = typeof id === "string" || Number.isSafeInteger(id);
  return {
    jsonrpc: "2.0",
    id: known ? id : null,
    error: { code: INVALID_PARAMS, message: `${lost.path.join(".")}: ${lost.message} ${lost.hint}` },
  };
}
