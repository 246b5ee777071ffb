import type { Context } from "hono";
import type { Database } from "../db/database.ts";
import { runOnce } from "../db/idempotency.ts";
import { invalidMember, type RequestError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** Where the keys of those count who create a room without an id: no room is called so. */
const NO_ROOM = "";

/**
 * Answers a write by `run`, which makes it by the database that it is given. With an `Idempotency-Key` it is made
 * once a key and room: the same request again gets the same answer, and `Idempotency-Replayed: true`.
 * A request that meets its own like still under way waits for it, since the database takes one after the other.
 * Errors: `invalid_request`, `idempotency_mismatch`; what `run` throws.
 */
export function answerOnce(
  c: Context,
  database: Database,
  room: string | undefined,
  run: (database: Database) => Promise<Response>,
): Promise<Response> {
  const header = c.req.header("Idempotency-Key");
  return header === undefined ? run(database) : answerKeyed(c, database, room, keyOf(header), run);
}

async function answerKeyed(
  c: Context,
  database: Database,
  room: string | undefined,
  key: string,
  run: (database: Database) => Promise<Response>,
): Promise<Response> {
  const request = {
    scope: room ?? NO_ROOM,
    // A stranger who guesses the key must not learn the room's id.
    key: room === undefined ? await digest(`${creatorOf(c)} ${key}`) : key,
    fingerprint: await digest(demandOf(c), await c.req.arrayBuffer()),
    lifetime: LIMITS.idempotencyMs,
  };
  const { result, replayed } = await runOnce(database, request, run);
  if (replayed) result.headers.set("Idempotency-Replayed", "true");
  return result;
}

/** The key, plain or as a quoted string (RFC 8941, 3.3.3). Errors: `invalid_request`. */
function keyOf(header: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1]?.replace(/\\(.)/g, "$1");
  const key = quoted ?? header;
  if (quoted === undefined && header.startsWith('"')) throw invalidKey();
  if (key.length > LIMITS.idempotencyKeyLength || !/^[\x20-\x7e]+$/.test(key)) throw invalidKey();
  return key;
}

function invalidKey(): RequestError {
  return invalidMember(
    ["Idempotency-Key"],
    `Idempotency-Key must have 1 to ${LIMITS.idempotencyKeyLength} printable ASCII characters.`,
    "Take a new random UUID for each request, and the same one when you repeat it.",
  );
}

/** Who calls, as far as addresses tell. What proxies say is taken in whole: the last of them cannot be feigned. */
function creatorOf(c: Context): string {
  const { remoteAddr } = (c.env ?? {}) as { remoteAddr?: { hostname?: string } };
  return `${remoteAddr?.hostname ?? ""} ${c.req.header("X-Forwarded-For") ?? ""}`;
}

/** What beside the body makes two requests different. */
function demandOf(c: Context): string {
  return [c.req.method, c.req.path, c.req.header("If-Match") ?? "", c.req.header("If-None-Match") ?? "", ""]
    .join("\n");
}

async function digest(text: string, bytes = new ArrayBuffer(0)): Promise<string> {
  const all = new Blob([text, bytes]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await all.arrayBuffer())).toHex();
}
