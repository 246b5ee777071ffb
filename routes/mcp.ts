import type { Context, Hono } from "hono";
import { isKnownToken } from "../db/access/token.ts";
import { hashOf } from "../db/access/token_text.ts";
import { Refusal } from "../db/refusal.ts";
import { isInForce } from "../db/tokens/read.ts";
import { OPERATOR } from "../db/viewer.ts";
import { tokenOf } from "./http/callers/credentials.ts";
import { lookedInTime } from "./http/deadline.ts";
import { arrivesInTime, packedBody } from "./http/input/bodies.ts";
import { type Fault, lostOf } from "./http/input/json_text.ts";
import { resource } from "./http/methods.ts";
import { messagesOf } from "./mcp/endings.ts";
import type { Services } from "./services.ts";

/**
 * Serves the Model Context Protocol over streamable HTTP on `POST /mcp`. Its tools call the API of this app. Loads the
 * protocol's library with the first request, since few instances get one.
 */
export function mountMcp(app: Hono, { database }: Services): void {
  const tokens = {
    isKnown: isKnownToken,
    hashOf,
    isOfRoom: (hash: string) => hash !== OPERATOR,
    async assertInForce(hash: string) {
      if (hash === OPERATOR || await lookedInTime(isInForce(database, hash))) return;
      throw new Refusal("unauthenticated", {});
    },
  };
  const loading = () =>
    import("./mcp/server.ts").then(({ createHandler }) => createHandler(app.fetch, tokens));
  let handler: ReturnType<typeof loading> | undefined;

  resource(app, "/mcp", {
    async POST(c) {
      handler ??= loading();
      const { signal } = c.req.raw; // before any await, else the runtime misses a client that leaves meanwhile
      const body = await arrivesInTime(c.req.arrayBuffer());
      const { message, refusal } = read(c, body);
      if (refusal) return c.json(refusal);
      const { answer } = await handler;
      const shown = tokenOf(c)?.hash;
      return await answer(new Request(c.req.raw, { body, signal }), { env: c.env, message, shown });
    },
  });
}

/** JSON-RPC's code for what the caller got wrong. */
const INVALID_PARAMS = -32_602;

/**
 * Parses a body's message; undefined if the protocol's library is to report what is wrong with it. Refuses a message
 * that would lose something: the library rounds numbers and drops an argument `__proto__`.
 */
function read(c: Context, body: ArrayBuffer) {
  const text = new TextDecoder().decode(body);
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    const packed = packedBody(c);
    if (packed) throw packed;
    return { message };
  }
  const lost = lostOf(text, message) ?? droppedOf(message);
  return { message, refusal: lost && refuse(message, lost) };
}

/** Finds an argument that the library would drop, to refuse it like every unknown argument. */
function droppedOf(message: unknown): Fault | undefined {
  const name = "__proto__";
  for (const { params } of messagesOf(message)) {
    const given = params?.arguments;
    if (typeof given !== "object" || given === null || !Object.hasOwn(given, name)) continue;
    return {
      path: ["params", "arguments"],
      message: `There is no argument \`${name}\`.`,
      hint: "Leave it out: the list of tools has the arguments of each.",
    };
  }
}

function refuse(message: unknown, lost: Fault) {
  const { id } = (message ?? {}) as { id?: unknown };
  const known = typeof id === "string" || Number.isSafeInteger(id);
  return {
    jsonrpc: "2.0",
    id: known ? id : null,
    error: { code: INVALID_PARAMS, message: `${lost.path.join(".")}: ${lost.message} ${lost.hint}` },
  };
}
